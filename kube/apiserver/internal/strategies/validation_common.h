#pragma once

#include <span>
#include <string>
#include <string_view>

#include "kube/apiserver/resource.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"

// Checks that several kinds share, worded as upstream words them.
namespace coracle::kube::apiserver {

inline constexpr std::string_view kInvalidIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
inline constexpr std::string_view kImmutableField = "field is immutable";
inline constexpr std::string_view kNotNegative = "must be greater than or equal to 0";

// Adds an entry unless the schema has said the same about the field already.
void report(FieldErrors& errors, Cause cause);
// One entry per finding of a name check.
void add_name_errors(const FieldPath& path, const Value& value, const NameErrors& findings, FieldErrors& errors);
void check_port_number_or_name(const Value& port, const FieldPath& path, FieldErrors& errors);
void check_not_negative(const Value& number, const FieldPath& path, FieldErrors& errors);
void check_labels(const Value& labels, const FieldPath& path, FieldErrors& errors);
// A metav1.LabelSelector.
void check_label_selector(const Value& selector, const FieldPath& path, FieldErrors& errors);
// An IntOrString that is a count or a percentage.
void check_count_or_percent(const Value& value, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
