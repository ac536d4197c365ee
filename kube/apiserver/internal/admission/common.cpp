#include "kube/apiserver/internal/admission/common.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/identity/rbac_rules.h"

namespace coracle::kube::apiserver {

bool concerns(const AdmissionAttributes& attributes, std::string_view group, std::string_view resource,
              std::string_view subresource) {
  return attributes.resource.resource == resource && attributes.resource.gvk.group == group &&
         attributes.subresource == subresource;
}

Error admission_forbidden(const AdmissionAttributes& attributes, const Object* object, std::string_view why) {
  std::string name(attributes.name);
  if (name.empty() && object != nullptr) name = object->name();
  if (name.empty() && object != nullptr) name = object->generate_name();
  if (name.empty()) name = "Unknown";
  std::string text = attributes.resource.qualified_resource() + " " + go_quote(name) + " is forbidden: ";
  return Error(Reason::Forbidden, text.append(why))
      .with_details({name, attributes.resource.gvk.group, attributes.resource.resource, ""});
}

Object with_spec(const Object& object, std::string_view field, Value value) {
  const Value& spec = object["spec"];
  return object.with("spec", value.is_null() ? spec.without(field) : spec.with(field, std::move(value)));
}

Value list_with(const Value& list, Value item) {
  std::vector<Value> items(list.items().begin(), list.items().end());
  items.push_back(std::move(item));
  return Value::array(std::move(items));
}

std::string aggregate_text(const std::vector<std::string>& texts) {
  std::vector<std::string> different;
  for (const std::string& text : texts) {
    if (std::find(different.begin(), different.end(), text) == different.end()) different.push_back(text);
  }
  return different.size() == 1 ? different.front() : "[" + join(different, ", ") + "]";
}

}  // namespace coracle::kube::apiserver
