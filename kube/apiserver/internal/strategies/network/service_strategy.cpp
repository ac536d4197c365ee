#include "kube/apiserver/internal/strategies/network/service_strategy.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/ip.h"
#include "kube/apiserver/internal/strategies/extended_strategy.h"
#include "kube/apiserver/internal/strategies/network/address_validation.h"
#include "kube/apiserver/internal/strategies/network/service_fields.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

const GroupVersionKind kServiceKind = {"", "v1", "Service"};

std::set<std::int64_t> allocated_ports(const Value& spec) {
  std::set<std::int64_t> ports;
  for (const Value& port : spec["ports"].items()) ports.insert(port["nodePort"].as_int());
  ports.insert(spec["healthCheckNodePort"].as_int());
  ports.erase(0);
  return ports;
}

std::set<std::string> allocated_addresses(const Value& spec) {
  std::set<std::string> addresses;
  for (const Value& ip : spec["clusterIPs"].items()) {
    if (!ip_family(ip.as_string()).empty()) addresses.emplace(ip.as_string());
  }
  return addresses;
}

// What one write of a service takes and what it no longer needs. One end of the write is told:
// undo() gives back what was taken, commit() what is not needed any more.
class ServiceTransaction {
 public:
  ServiceTransaction(std::shared_ptr<ServiceAllocator> allocator, const WriteContext& write)
      : allocator_(std::move(allocator)), context_(write.context), dry_run_(write.dry_run) {}

  Result<Value> allocate(const WriteContext& write, const Object& service, const Object* old) {
    const Value before = old == nullptr ? Value() : (*old)["spec"];
    Value spec = service["spec"];
    ASSIGN_OR_RETURN(spec, allocate_addresses(write, service, std::move(spec), before));
    ASSIGN_OR_RETURN(spec, allocate_node_ports(write, service, std::move(spec), before));
    ASSIGN_OR_RETURN(spec, allocate_health_check_port(write, service, std::move(spec), before));
    for (const std::string& address : allocated_addresses(before)) {
      if (!allocated_addresses(spec).contains(address)) unneeded_addresses_.push_back(address);
    }
    for (const std::int64_t port : allocated_ports(before)) {
      if (!allocated_ports(spec).contains(port)) unneeded_ports_.push_back(port);
    }
    return spec;
  }

  void undo() { release(std::exchange(addresses_, {}), std::exchange(ports_, {})); }
  void commit() { release(std::exchange(unneeded_addresses_, {}), std::exchange(unneeded_ports_, {})); }

 private:
  void release(const std::vector<std::string>& addresses, const std::vector<std::int64_t>& ports) {
    for (const std::string& address : addresses) allocator_->release_address(context_, address, dry_run_);
    for (const std::int64_t port : ports) allocator_->release_port(port);
  }

  Result<Value> allocate_addresses(const WriteContext& write, const Object& service, Value spec, const Value& old) {
    if (!needs_cluster_ip(spec) || is_headless(spec)) return spec;
    const std::set<std::string> held = allocated_addresses(old);
    std::vector<Value> ips(spec["clusterIPs"].items().begin(), spec["clusterIPs"].items().end());
    if (ips.empty()) ips.emplace_back("");
    for (Value& ip : ips) {
      const std::string wanted(ip.as_string());
      if (held.contains(wanted)) continue;
      auto taken = allocator_->take_address(write, service, wanted);
      if (!taken.ok()) {
        if (wanted.empty() || taken.error().reason() == Reason::InternalError) return taken.error();
        return invalid(kServiceKind, service.name(),
                       {field_error::invalid("spec.clusterIPs", spec["clusterIPs"],
                                             "failed to allocate IP " + wanted + ": " + taken.error().message())});
      }
      addresses_.push_back(*taken);
      ip = Value(*taken);
    }
    const Value first = ips.front();
    return spec.with("clusterIP", first).with("clusterIPs", Value::array(std::move(ips)));
  }

  Result<std::int64_t> take_port(const WriteContext& write, const Object& service, std::size_t index,
                                 std::int64_t wanted) {
    // A dry run takes nothing, so that it does not find out what could not be taken by anybody.
    if (dry_run_ && wanted != 0 && !allocator_->has_port(wanted)) return wanted;
    auto taken = allocator_->take_port(write.context.executor().random(), wanted);
    if (taken.ok()) {
      ports_.push_back(*taken);
      return taken;
    }
    if (wanted == 0) return internal_error("failed to allocate a nodePort: " + taken.error().message());
    return invalid(
        kServiceKind, service.name(),
        {field_error::invalid("spec.ports[" + std::to_string(index) + "].nodePort", wanted, taken.error().message())});
  }

  Result<Value> allocate_node_ports(const WriteContext& write, const Object& service, Value spec, const Value& old) {
    if (!is_type(spec, "NodePort") && !is_type(spec, "LoadBalancer")) return spec;
    std::set<std::int64_t> held = allocated_ports(old);
    // A service has the same port for two protocols under one number.
    std::map<std::int64_t, std::int64_t> by_port;
    for (const Value& port : spec["ports"].items()) {
      const std::int64_t number = port["nodePort"].as_int();
      if (number != 0) by_port.emplace(port["port"].as_int(), number);
    }
    const bool fresh = old.is_null() || !needs_node_port(old);
    Value::ArrayBuilder ports;
    for (std::size_t i = 0; i < spec["ports"].size(); ++i) {
      const Value& port = spec["ports"].at(i);
      std::int64_t number = port["nodePort"].as_int();
      if (number == 0 && !needs_node_port(spec)) {
        ports.add(port);
        continue;
      }
      const auto shared = by_port.find(port["port"].as_int());
      if (number == 0 && fresh && shared != by_port.end()) number = shared->second;
      if (number == 0 || !held.contains(number)) {
        ASSIGN_OR_RETURN(number, take_port(write, service, i, number));
        held.insert(number);
      }
      by_port.emplace(port["port"].as_int(), number);
      ports.add(port.with("nodePort", number));
    }
    return spec.with("ports", std::move(ports).build());
  }

  Result<Value> allocate_health_check_port(const WriteContext& write, const Object&, Value spec, const Value& old) {
    if (!needs_health_check_port(spec)) return spec;
    const std::int64_t wanted = spec["healthCheckNodePort"].as_int();
    if (wanted != 0 && allocated_ports(old).contains(wanted)) return spec;
    if (dry_run_ && wanted != 0 && !allocator_->has_port(wanted)) return spec;
    auto taken = allocator_->take_port(write.context.executor().random(), wanted);
    if (!taken.ok()) {
      const std::string what = wanted == 0 ? "failed to allocate a HealthCheck NodePort "
                                           : "failed to allocate requested HealthCheck NodePort ";
      return internal_error(what + std::to_string(wanted) + ": " + taken.error().message());
    }
    ports_.push_back(*taken);
    return spec.with("healthCheckNodePort", *taken);
  }

  const std::shared_ptr<ServiceAllocator> allocator_;
  const Context context_;
  const bool dry_run_;
  std::vector<std::string> addresses_, unneeded_addresses_;
  std::vector<std::int64_t> ports_, unneeded_ports_;
};

class ServiceStrategy : public ExtendedStrategy {
 public:
  ServiceStrategy(const StandardBehaviour& behaviour, std::shared_ptr<const StrategyEnvironment> environment,
                  std::shared_ptr<ServiceAllocator> allocator)
      : ExtendedStrategy(behaviour), environment_(std::move(environment)), allocator_(std::move(allocator)) {}

  Result<Object> prepare_for_create(const WriteContext& write, Object object) const override {
    ASSIGN_OR_RETURN(object, ExtendedStrategy::prepare_for_create(write, std::move(object)));
    return object.with("spec", complete_new_service(object["spec"]));
  }

  Result<Object> prepare_for_update(const WriteContext& write, Object object, const Object& old) const override {
    ASSIGN_OR_RETURN(object, ExtendedStrategy::prepare_for_update(write, std::move(object), old));
    if (write.subresource == "status") return object;
    object = object.with("spec", complete_changed_service(object["spec"], old["spec"]));
    if (is_type(object["spec"], "LoadBalancer") || object["status"].is_null()) return object;
    return object.with("status", object["status"].with("loadBalancer", Value::object()));
  }

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    validate_service(object, nullptr, errors);
  }
  void validate_update(const WriteContext& write, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    if (write.subresource == "status") {
      validate_service_status(object, old, errors);
    } else {
      validate_service(object, &old, errors);
    }
  }

  std::vector<std::string> warnings(const WriteContext& write, const Object& object, const Object*) const override {
    std::vector<std::string> texts;
    if (write.subresource == "status") return texts;
    const Value& spec = object["spec"];
    if (is_headless(spec)) {
      if (!spec["loadBalancerIP"].as_string().empty()) {
        texts.emplace_back("spec.loadBalancerIP is ignored for headless services");
      }
      if (!spec["externalIPs"].empty()) texts.emplace_back("spec.externalIPs is ignored for headless services");
      if (spec["sessionAffinity"].as_string() == "ClientIP") {
        texts.emplace_back("spec.SessionAffinity is ignored for headless services");
      }
    }
    const Value& external = spec["externalIPs"];
    const bool named = is_type(spec, "ExternalName");
    for (std::size_t i = 0; i < external.size(); ++i) {
      warn_about_ip(external.at(i).as_string(), FieldPath("spec.externalIPs").index(i), texts);
    }
    if (!external.empty() && named)
      texts.emplace_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    if (!external.empty() && !named && !is_headless(spec)) {
      texts.emplace_back("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
    }
    warn_about_ip(spec["loadBalancerIP"].as_string(), FieldPath("spec.loadBalancerIP"), texts);
    if (!spec["externalName"].as_string().empty() && !named) {
      texts.emplace_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
    }
    if (spec["trafficDistribution"].as_string() == "PreferClose") {
      texts.emplace_back("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
    }
    return texts;
  }

  Result<Allocation> begin_write(const WriteContext& write, Object object, const Object* old) const override {
    if (write.subresource == "status" || (old != nullptr && object["spec"] == (*old)["spec"])) {
      return Allocation{std::move(object), {}, {}};
    }
    TRY(allocator_->load(write.context));
    auto transaction = std::make_shared<ServiceTransaction>(allocator_, write);
    auto spec = transaction->allocate(write, object, old);
    if (!spec.ok()) {
      transaction->undo();
      return spec.error();
    }
    return Allocation{object.with("spec", std::move(spec).value()), [transaction] { transaction->undo(); },
                      [transaction] { transaction->commit(); }};
  }

  void after_delete(const WriteContext& write, const Object& object) const override {
    const Value& spec = object["spec"];
    for (const std::string& address : allocated_addresses(spec)) {
      allocator_->release_address(write.context, address, false);
    }
    for (const std::int64_t port : allocated_ports(spec)) allocator_->release_port(port);
    const ResourcePtr endpoints = environment_->resource("", "v1", "endpoints");
    if (endpoints == nullptr) return;
    const WriteRequest remove{write.context,
                              *endpoints,
                              std::string(object.namespace_()),
                              std::string(object.name()),
                              "",
                              std::string(kOwnManager),
                              false,
                              false,
                              nullptr};
    environment_->store().remove(remove, {}).ignore("most services have no Endpoints; the controller removes the rest");
  }

 private:
  const std::shared_ptr<const StrategyEnvironment> environment_;
  const std::shared_ptr<ServiceAllocator> allocator_;
};

class IpAddressStrategy : public ExtendedStrategy {
 public:
  IpAddressStrategy(const StandardBehaviour& behaviour, std::shared_ptr<ServiceAllocator> allocator)
      : ExtendedStrategy(behaviour), allocator_(std::move(allocator)) {}

  void validate(const WriteContext&, const Object& object, FieldErrors& errors) const override {
    const std::string canonical = canonical_ip(object.name());
    if (canonical.empty() && !object.name().empty()) {
      errors.push_back(field_error::invalid("metadata.name", object.name(), kInvalidIp));
    } else if (canonical != object.name()) {
      errors.push_back(
          field_error::invalid("metadata.name", object.name(), "must be in canonical form (\"" + canonical + "\")"));
    }
    check_parent(object["spec"]["parentRef"], errors);
  }

  void validate_update(const WriteContext&, const Object& object, const Object& old,
                       FieldErrors& errors) const override {
    const Value& parent = object["spec"]["parentRef"];
    if (parent == old["spec"]["parentRef"]) return;
    retract(errors, "spec.parentRef");
    check_parent(parent, errors);
    errors.push_back(field_error::invalid("spec.parentRef", shown_parent(parent), kImmutableField));
  }

  void after_delete(const WriteContext& write, const Object& object) const override {
    allocator_->address_deleted(write.context, object);
  }

 private:
  // As Go prints the internal type, whose fields have no JSON names.
  static Value shown_parent(const Value& parent) {
    if (parent.is_null()) return parent;
    return Value::object({{"Group", parent["group"].as_string()},
                          {"Resource", parent["resource"].as_string()},
                          {"Namespace", parent["namespace"].as_string()},
                          {"Name", parent["name"].as_string()}});
  }

  static void check_parent(const Value& parent, FieldErrors& errors) {
    if (parent.is_null()) {
      report(errors, field_error::required("spec.parentRef"));
      return;
    }
    const FieldPath path("spec.parentRef");
    const std::string_view group = parent["group"].as_string();
    if (!group.empty()) add_name_errors(path.child("group"), group, check_dns1123_subdomain(group), errors);
    for (const std::string_view field : {"resource", "name", "namespace"}) {
      const std::string_view text = parent[field].as_string();
      if (text.empty() && field != "namespace") report(errors, field_error::required(path.child(field).text()));
      add_name_errors(path.child(field), text, check_path_segment_name(text), errors);
    }
  }

  const std::shared_ptr<ServiceAllocator> allocator_;
};

}  // namespace

std::shared_ptr<const Strategy> make_service_strategy(const StandardBehaviour& behaviour,
                                                      std::shared_ptr<const StrategyEnvironment> environment,
                                                      std::shared_ptr<ServiceAllocator> allocator) {
  return std::make_shared<ServiceStrategy>(behaviour, std::move(environment), std::move(allocator));
}

std::shared_ptr<const Strategy> make_ip_address_strategy(const StandardBehaviour& behaviour,
                                                         std::shared_ptr<ServiceAllocator> allocator) {
  return std::make_shared<IpAddressStrategy>(behaviour, std::move(allocator));
}

}  // namespace coracle::kube::apiserver
