#include "kube/apiserver/internal/strategies/network/address_validation.h"

#include <algorithm>
#include <charconv>

#include "base/ip.h"
#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kMappedPrefix = "::ffff:";

bool is_known_address(const Value& value, const Value& known) {
  const auto items = known.items();
  return std::find(items.begin(), items.end(), value) != items.end();
}

// "010.0.0.1" as "10.0.0.1": older servers read it so.
std::string without_leading_zeros(std::string_view text) {
  std::vector<std::string_view> parts = split(text, '.');
  for (std::string_view& part : parts) {
    while (part.size() > 1 && part.front() == '0') part.remove_prefix(1);
  }
  return join(parts, ".");
}

bool is_mapped(std::string_view ip) {
  const std::string canonical = canonical_ip(ip);
  return canonical.starts_with(kMappedPrefix) && canonical.find('.') != std::string::npos;
}

std::string_view cidr_fault(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view ip = text.substr(0, slash);
  const std::string_view prefix = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
  if (!is_cidr(text)) {
    const bool zeros = is_cidr(without_leading_zeros(ip) + "/" + std::string(prefix));
    return zeros ? "must not have leading 0s in IP or prefix length" : kInvalidCidr;
  }
  if (prefix.size() > 1 && prefix.front() == '0') return "must not have leading 0s in IP or prefix length";
  if (is_mapped(ip)) return "must not have an IPv4-mapped IPv6 address";
  const auto base = nth_address(text, 0);
  if (base.ok() && *base != canonical_ip(ip)) return "must not have bits set beyond the prefix length";
  return {};
}

// The first 16 bits of an IPv6 address.
unsigned first_group(std::string_view canonical) {
  const std::string_view group = canonical.substr(0, canonical.find(':'));
  unsigned number = 0;
  std::from_chars(group.data(), group.data() + group.size(), number, 16);
  return number;
}

struct SpecialRange {
  std::string_view name;
  bool (*contains4)(std::uint32_t address);
  bool (*contains6)(std::string_view canonical);
};
constexpr SpecialRange kSpecialRanges[] = {
    {"loopback range (127.0.0.0/8, ::1/128)", [](std::uint32_t ip) { return ip >> 24 == 127; },
     [](std::string_view ip) { return ip == "::1"; }},
    {"link-local range (169.254.0.0/16, fe80::/10)", [](std::uint32_t ip) { return ip >> 16 == 0xa9fe; },
     [](std::string_view ip) { return (first_group(ip) & 0xffc0U) == 0xfe80U; }},
    {"link-local multicast range (224.0.0.0/24, ff02::/10)", [](std::uint32_t ip) { return ip >> 8 == 0xe00000; },
     [](std::string_view ip) { return (first_group(ip) & 0xff0fU) == 0xff02U; }},
};

}  // namespace

bool is_sloppy_ip(std::string_view text) {
  return is_ip_address(text) || is_ip_address(without_leading_zeros(text));
}

std::vector<std::string> ip_faults(std::string_view text) {
  if (!is_ip_address(text)) return {std::string(is_sloppy_ip(text) ? "must not have leading 0s" : kInvalidIp)};
  if (is_mapped(text)) return {"must not be an IPv4-mapped IPv6 address"};
  return {};
}

bool check_address(const Value& ip, const FieldPath& path, FieldErrors& errors, const Value& known) {
  if (is_known_address(ip, known)) return true;
  const std::vector<std::string> faults = ip_faults(ip.as_string());
  add_name_errors(path, ip.as_string(), faults, errors);
  return faults.empty();
}

void check_cidr(const Value& cidr, const FieldPath& path, FieldErrors& errors, const Value& known) {
  if (is_known_address(cidr, known)) return;
  const std::string_view fault = cidr_fault(cidr.as_string());
  if (!fault.empty()) errors.push_back(field_error::invalid(path.text(), cidr.as_string(), fault));
}

bool is_strict_subnet(std::string_view cidr, std::string_view outer) {
  const auto prefix = [](std::string_view text) { return parse_int<int>(text.substr(text.find('/') + 1)).value_or(0); };
  if (prefix(outer) >= prefix(cidr)) return false;
  // The smaller network's address, cut to the larger one's prefix, is the larger one's address.
  const auto own =
      nth_address(std::string(cidr.substr(0, cidr.find('/'))) + std::string(outer.substr(outer.find('/'))), 0);
  const auto wanted = nth_address(outer, 0);
  return own.ok() && wanted.ok() && *own == *wanted;
}

bool is_reachable_ip(std::string_view ip) {
  FieldErrors errors;
  check_reachable_ip(ip, {}, errors);
  return errors.empty();
}

void check_reachable_ip(const Value& ip, const FieldPath& path, FieldErrors& errors) {
  const std::string canonical = canonical_ip(ip.as_string());
  if (canonical == "0.0.0.0" || canonical == "::") {
    errors.push_back(
        field_error::invalid(path.text(), ip, "may not be unspecified (" + std::string(ip.as_string()) + ")"));
    return;
  }
  const auto number = ipv4_number(canonical);
  for (const SpecialRange& range : kSpecialRanges) {
    if (!(number ? range.contains4(*number) : range.contains6(canonical))) continue;
    errors.push_back(field_error::invalid(path.text(), ip, "may not be in the " + std::string(range.name)));
  }
}

void warn_about_ip(std::string_view ip, const FieldPath& path, std::vector<std::string>& warnings) {
  const std::string canonical = canonical_ip(ip);
  if (canonical.empty() || canonical == ip) return;
  warnings.push_back(path.text() + ": IPv6 address " + json::write_raw(Value(ip)) +
                     " should be in RFC 5952 canonical format (" + json::write_raw(Value(canonical)) + ")");
}

Value load_balancer_ips(const Object& object) {
  Value::ArrayBuilder ips;
  for (const Value& entry : object["status"]["loadBalancer"]["ingress"].items()) {
    if (entry["ip"].is_string()) ips.add(entry["ip"]);
  }
  return std::move(ips).build();
}

void ignore_port_protocols(FieldErrors& errors) {
  std::erase_if(errors, [](const Cause& cause) {
    return cause.field.starts_with("status.loadBalancer.ingress[") && cause.field.ends_with(".protocol");
  });
}

void check_load_balancer_entry(const Value& entry, const FieldPath& path, FieldErrors& errors, const Value& known) {
  const Value& ip = entry["ip"];
  if (!ip.as_string().empty()) check_address(ip, path.child("ip"), errors, known);
  if (const Value& mode = entry["ipMode"]; !mode.is_null()) {
    constexpr std::string_view kModes[] = {"Proxy", "VIP"};
    const FieldPath at = path.child("ipMode");
    if (ip.as_string().empty()) {
      errors.push_back(field_error::forbidden(at.text(), "may not be specified when `ip` is not set"));
    } else if (mode.as_string() != "VIP" && mode.as_string() != "Proxy") {
      report(errors, field_error::not_supported(at.text(), mode, kModes));
    }
  }
  const Value& host = entry["hostname"];
  if (host.as_string().empty()) return;
  add_name_errors(path.child("hostname"), host, check_dns1123_subdomain(host.as_string()), errors);
  if (is_ip_address(host.as_string())) {
    errors.push_back(
        field_error::invalid(path.child("hostname").text(), host, "must be a DNS name, not an IP address"));
  }
}

}  // namespace coracle::kube::apiserver
