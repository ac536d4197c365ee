#include "kube/apiserver/internal/strategies/devices/device_validation.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/storage/volume_sources.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::int64_t kMaxBindingConditions = 4;
constexpr std::size_t kMaxIdentifier = 32;

void check_identifier(std::string_view text, const FieldPath& path, FieldErrors& errors) {
  const auto fits = [](char c) { return c == '_' || is_alphanumeric(c); };
  if (text.size() > kMaxIdentifier) errors.push_back(field_error::too_long(path.text(), kMaxIdentifier));
  if (!text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), fits)) return;
  errors.push_back(field_error::invalid(path.text(), text,
                                        "a valid C identifier must start with alphabetic character or '_', followed "
                                        "by a string of alphanumeric characters or '_' (e.g. 'my_name',  or "
                                        "'MY_NAME',  or 'MyName', regex used for validation is "
                                        "'[A-Za-z_][A-Za-z0-9_]*')"));
}

}  // namespace

void check_repeated_items(const Value& list, std::string_view key, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string_view name = key.empty() ? list.at(i).as_string() : list.at(i)[key].as_string();
    if (!seen.insert(name).second) errors.push_back(field_error::duplicate(path.index(i).text(), name));
  }
}

void check_device_label(const Value& name, const FieldPath& path, FieldErrors& errors) {
  add_name_errors(path, name.as_string(), check_dns1123_label(name.as_string()), errors);
}

void check_device_pool(const Value& name, const FieldPath& path, FieldErrors& errors) {
  const std::string_view text = name.as_string();
  if (text.empty()) {
    errors.push_back(field_error::required(path.text()));
    return;
  }
  if (text.size() > kMaxDns1123Subdomain) errors.push_back(field_error::too_long(path.text(), kMaxDns1123Subdomain));
  for (const std::string_view part : split(text, '/')) {
    add_name_errors(path, part, check_dns1123_subdomain(part), errors);
  }
}

void check_device_attribute_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
  const std::vector<std::string_view> parts = split(name, '/');
  if (parts.size() == 1) check_identifier(name, path, errors);
  // Upstream lets more than two parts pass.
  if (parts.size() != 2) return;
  if (parts[0].empty()) {
    errors.push_back(field_error::invalid(path.text(), "", "the domain must not be empty"));
  } else {
    check_csi_driver_name(parts[0], path, errors);
  }
  if (parts[1].empty()) {
    errors.push_back(field_error::invalid(path.text(), "", "the name must not be empty"));
  } else {
    check_identifier(parts[1], path, errors);
  }
}

void check_binding_conditions(const Value& owner, const FieldPath& path, FieldErrors& errors) {
  const Value& wanted = owner["bindingConditions"];
  const Value& failed = owner["bindingFailureConditions"];
  for (const char* field : {"bindingConditions", "bindingFailureConditions"}) {
    const FieldPath at = path.child(field);
    const Value& list = owner[field];
    if (check_list_size(list, kMaxBindingConditions, at, errors)) {
      for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string_view name = list.at(i).as_string();
        add_name_errors(at.index(i), name, check_qualified_name(name), errors);
      }
    }
    check_repeated_items(list, {}, at, errors);
  }
  for (std::size_t i = 0; i < failed.size(); ++i) {
    const std::span<const Value> items = wanted.items();
    if (std::find(items.begin(), items.end(), failed.at(i)) == items.end()) continue;
    errors.push_back(field_error::invalid(path.child("bindingFailureConditions").index(i).text(), failed.at(i),
                                          "bindingFailureConditions must not overlap with bindingConditions"));
  }
  if (wanted.empty() == failed.empty()) return;
  errors.push_back(wanted.empty()
                       ? field_error::invalid(path.child("bindingConditions").text(), wanted,
                                              "bindingConditions are required to use bindingFailureConditions")
                       : field_error::invalid(path.child("bindingFailureConditions").text(), failed,
                                              "bindingFailureConditions are required to use bindingConditions"));
}

}  // namespace coracle::kube::apiserver
