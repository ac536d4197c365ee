#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Checks of names, labels and keys with the wording of upstream's validation packages. Each answers
// what is wrong, nothing for a good text. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
namespace coracle::kube {

using NameErrors = std::vector<std::string>;

inline constexpr std::size_t kMaxDns1123Label = 63;
inline constexpr std::size_t kMaxDns1123Subdomain = 253;
inline constexpr std::size_t kMaxLabelValue = 63;

NameErrors check_dns1123_label(std::string_view text);
NameErrors check_dns1123_subdomain(std::string_view text);
// As used in DNS, where a label may begin with an underscore: "_tcp.example.com".
NameErrors check_dns1123_subdomain_with_underscore(std::string_view text);
NameErrors check_dns1035_label(std::string_view text);
NameErrors check_wildcard_dns1123_subdomain(std::string_view text);
// A label key, annotation key (lower-case it first) or finalizer: [prefix/]name.
NameErrors check_qualified_name(std::string_view text);
NameErrors check_label_value(std::string_view text);
// Names of RBAC kinds and everything else that only has to fit into a URL.
NameErrors check_path_segment_name(std::string_view text);
NameErrors check_port_name(std::string_view text);
NameErrors check_port_number(long long port);
NameErrors check_config_map_key(std::string_view text);
NameErrors check_environment_name(std::string_view text);
NameErrors check_http_header_name(std::string_view text);
NameErrors check_percent(std::string_view text);

// "must be no more than 63 characters"
std::string too_long_text(std::size_t limit);

}  // namespace coracle::kube
