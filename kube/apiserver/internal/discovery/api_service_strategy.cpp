#include <algorithm>
#include <iterator>
#include <utility>

#include "kube/apiserver/internal/discovery/api_services.h"
#include "kube/object/conditions.h"
#include "kube/object/names.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kHighestGroupPriority = 20000;
constexpr std::int64_t kHighestVersionPriority = 1000;
constexpr std::int64_t kDefaultPort = 443;

void check_range(std::string_view path, const Value& value, std::int64_t highest, FieldErrors& errors) {
  if (value.as_int() > 0 && value.as_int() <= highest) return;
  errors.push_back(field_error::invalid(path, value.is_null() ? Value(0) : value,
                                        "must be positive and less than " + std::to_string(highest)));
}

class ApiServiceStrategy : public Strategy {
 public:
  Result<Object> prepare_for_create(const WriteContext& write, Object object) const override {
    object = object.with("status", Value::object());
    if (object["spec"]["service"].is_object()) return object;
    const Condition available{"Available", "True", "Local", "Local APIServices are always available", std::nullopt};
    return object.with("status", Value::object({{"conditions", with_condition(Value(), available, write.now)}}));
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    if (write.subresource != "status") return object.with("status", old["status"]);
    return old.with("status", object["status"]).with("metadata", object.metadata());
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    const Value& spec = object["spec"];
    const std::string_view group = spec["group"].as_string();
    const std::string_view version = spec["version"].as_string();
    const std::string wanted = std::string(version) + "." + std::string(group);
    if (!object.name().empty() && object.name() != wanted) {
      errors.push_back(field_error::invalid("metadata.name", object.name(),
                                            "must be `spec.version+\".\"+spec.group`: \"" + wanted + "\""));
    }
    if (group.empty() && version != "v1") {
      errors.push_back(
          field_error::required("spec.group", "only v1 may have an empty group and it better be legacy kube"));
    }
    for (const std::string& problem : group.empty() ? NameErrors() : check_dns1123_subdomain(group)) {
      errors.push_back(field_error::invalid("spec.group", group, problem));
    }
    for (const std::string& problem : check_dns1035_label(version)) {
      errors.push_back(field_error::invalid("spec.version", version, problem));
    }
    check_range("spec.groupPriorityMinimum", spec["groupPriorityMinimum"], kHighestGroupPriority, errors);
    check_range("spec.versionPriority", spec["versionPriority"], kHighestVersionPriority, errors);
    check_service(spec, errors);
  }
  void validate_update(const WriteContext& write, const Object& object, const Object&,
                       FieldErrors& errors) const override {
    validate(write, object, errors);
    if (write.subresource == "status") check_conditions(object["status"]["conditions"], errors);
  }

  bool allow_unconditional_update() const override { return false; }
  std::string_view default_propagation() const override { return "Background"; }

 private:
  static void check_conditions(const Value& conditions, FieldErrors& errors) {
    constexpr std::string_view kStatuses[] = {"True", "False", "Unknown"};
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      const std::string_view status = conditions.at(i)["status"].as_string();
      if (std::find(std::begin(kStatuses), std::end(kStatuses), status) != std::end(kStatuses)) continue;
      const std::string at = "status.conditions[" + std::to_string(i) + "].status";
      errors.push_back(field_error::not_supported(at, status, kStatuses));
    }
  }

  static void check_service(const Value& spec, FieldErrors& errors) {
    const Value& service = spec["service"];
    const bool insecure = spec["insecureSkipTLSVerify"].as_bool();
    const bool has_authority = !spec["caBundle"].as_string().empty();
    if (!service.is_object()) {
      if (has_authority) {
        errors.push_back(
            field_error::invalid("spec.caBundle", spec["caBundle"], "local APIServices may not have a caBundle"));
      }
      if (insecure) {
        errors.push_back(field_error::invalid("spec.insecureSkipTLSVerify", true,
                                              "local APIServices may not have insecureSkipTLSVerify"));
      }
      return;
    }
    for (const char* field : {"namespace", "name"}) {
      if (service[field].as_string().empty())
        errors.push_back(field_error::required(std::string("spec.service.") + field));
    }
    const std::int64_t port = service["port"].as_int(kDefaultPort);
    for (const std::string& problem : check_port_number(port)) {
      errors.push_back(field_error::invalid("spec.service.port", port, "port is not valid: " + problem));
    }
    if (insecure && has_authority) {
      errors.push_back(
          field_error::invalid("spec.insecureSkipTLSVerify", true, "may not be true if caBundle is present"));
    }
  }
};

}  // namespace

std::shared_ptr<const Strategy> make_api_service_strategy() {
  return std::make_shared<ApiServiceStrategy>();
}

}  // namespace coracle::kube::apiserver
