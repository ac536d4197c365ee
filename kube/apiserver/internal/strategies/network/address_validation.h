#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"

// Checks of IP addresses and networks in fields that are older than today's rules: what such a field held before,
// `known`, it may hold on.
namespace coracle::kube::apiserver {

// What is wrong with an address, nothing for a good one.
std::vector<std::string> ip_faults(std::string_view text);
// Could older servers read it? They ignored leading zeros.
bool is_sloppy_ip(std::string_view text);
// Adds what is wrong; false when something is.
bool check_address(const Value& ip, const FieldPath& path, FieldErrors& errors, const Value& known = {});
void check_cidr(const Value& cidr, const FieldPath& path, FieldErrors& errors, const Value& known = {});
// Is the network within the other one, and smaller? Both are networks.
bool is_strict_subnet(std::string_view cidr, std::string_view outer);
// Addresses that mean something on one machine or one link only lead nowhere from another one.
bool is_reachable_ip(std::string_view ip);
void check_reachable_ip(const Value& ip, const FieldPath& path, FieldErrors& errors);
// A warning about an address that is not written in the usual way.
void warn_about_ip(std::string_view ip, const FieldPath& path, std::vector<std::string>& warnings);
// The addresses in a load balancer's status.
Value load_balancer_ips(const Object& object);
// Ports of a load balancer's status are taken as they are, whatever the schema says of their protocols.
void ignore_port_protocols(FieldErrors& errors);
// The entries of a load balancer's status: "status.loadBalancer.ingress" of services and ingresses.
void check_load_balancer_entry(const Value& entry, const FieldPath& path, FieldErrors& errors, const Value& known);

}  // namespace coracle::kube::apiserver
