#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"
#include "kube/object/names.h"

// Checks that several kinds share, worded as upstream words them.
namespace coracle::kube::apiserver {

inline constexpr std::string_view kInvalidIp = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
inline constexpr std::string_view kInvalidCidr = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
inline constexpr std::string_view kImmutableField = "field is immutable";
inline constexpr std::string_view kNotNegative = "must be greater than or equal to 0";

// Adds an entry unless the schema has said the same about the field already.
void report(FieldErrors& errors, Cause cause);
// The kind's own words in place of what the schema has said about the field for the same reason.
void restate(FieldErrors& errors, Cause cause);
// Takes back what the schema has said about the field: the kind has nothing against it, or says it in another way.
void retract(FieldErrors& errors, std::string_view field);
// About what is below the field; about the field and what is below it.
void retract_below(FieldErrors& errors, std::string_view field);
void retract_whole(FieldErrors& errors, std::string_view field);
// One entry per finding of a name check.
void add_name_errors(const FieldPath& path, const Value& value, const NameErrors& findings, FieldErrors& errors);
void check_port_number_or_name(const Value& port, const FieldPath& path, FieldErrors& errors);
// Whether a list or map is no longer than `maximum`.
bool check_list_size(const Value& list, std::int64_t maximum, const FieldPath& path, FieldErrors& errors);
void check_not_negative(const Value& number, const FieldPath& path, FieldErrors& errors);
void check_labels(const Value& labels, const FieldPath& path, FieldErrors& errors);
// A DNS-1123 subdomain, a wildcard one where the text has a '*'.
void check_host(const Value& host, const FieldPath& path, FieldErrors& errors);
// A metav1.LabelSelector.
void check_label_selector(const Value& selector, const FieldPath& path, FieldErrors& errors);
// An IntOrString that is a count or a percentage.
void check_count_or_percent(const Value& value, const FieldPath& path, FieldErrors& errors);
void check_at_most_whole(const Value& count_or_percent, const FieldPath& path, FieldErrors& errors);
// Its number, 0 for a text without one.
std::int64_t count_or_percent_number(const Value& value);

// "Invalid value: <detail>": of what is too large to be shown.
Cause invalid_unshown(const FieldPath& path, std::string_view detail);

// The names of pods begin with that of a new object of these kinds.
std::vector<std::string> warn_about_pod_name(const Object& object, const Object* old);

}  // namespace coracle::kube::apiserver
