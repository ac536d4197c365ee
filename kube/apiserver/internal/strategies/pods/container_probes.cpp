#include "kube/apiserver/internal/strategies/pods/container_probes.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace coracle::kube::apiserver {

namespace {

void check_port(const FieldCheck& port) {
  if (port.value().is_string()) {
    port.invalid(check_port_name(port.text()));
  } else {
    for (const std::string& finding : check_port_number(port.number())) port.invalid(port.number(), finding);
  }
}

void check_exec(const FieldCheck& action, const Value&) {
  action["command"].require();
}

void check_http_get(const FieldCheck& action, const Value&) {
  constexpr std::string_view kSchemes[] = {"HTTP", "HTTPS"};
  action["path"].require();
  check_port(action["port"]);
  action["scheme"].require_one_of(kSchemes);
  for (const Value& header : action["httpHeaders"].value().items()) {
    for (const std::string& finding : check_http_header_name(header["name"].as_string())) {
      action["httpHeaders"].invalid(header["name"].as_string(), finding);
    }
  }
}

void check_socket(const FieldCheck& action, const Value&) {
  check_port(action["port"]);
}

void check_sleep(const FieldCheck& action, const Value& grace) {
  const std::int64_t seconds = action["seconds"].number();
  if (grace.is_null() || (seconds >= 0 && seconds <= grace.as_int())) return;
  action.invalid(seconds, "must be non-negative and less than terminationGracePeriodSeconds (" +
                              std::to_string(grace.as_int()) + ")");
}

enum class Place { Probe, Hook };

struct Handler {
  std::string_view field;
  void (*check)(const FieldCheck& action, const Value& grace);
  bool in_probes;
  bool in_hooks;
};
constexpr Handler kHandlers[] = {
    {"exec", check_exec, true, true},        {"httpGet", check_http_get, true, true},
    {"tcpSocket", check_socket, true, true}, {"grpc", check_socket, true, false},
    {"sleep", check_sleep, false, true},
};

void check_handler(const FieldCheck& handler, Place place, const Value& grace) {
  int handlers = 0;
  for (const Handler& one : kHandlers) {
    if (!(place == Place::Probe ? one.in_probes : one.in_hooks)) continue;
    const FieldCheck action = handler[one.field];
    if (!action.is_set()) continue;
    if (++handlers > 1) {
      action.forbidden("may not specify more than 1 handler type");
    } else {
      one.check(action, grace);
    }
  }
  if (handlers == 0) handler.required("must specify a handler type");
}

void check_probe(const FieldCheck& probe, const Value& grace) {
  check_handler(probe, Place::Probe, grace);
  for (const std::string_view field :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
    probe[field].require_not_negative();
  }
  const FieldCheck own_grace = probe["terminationGracePeriodSeconds"];
  if (own_grace.is_set() && own_grace.number() <= 0) own_grace.invalid("must be greater than 0");
}

}  // namespace

void check_lifecycle(const FieldCheck& lifecycle, const Value& grace) {
  for (const std::string_view hook : {"postStart", "preStop"}) {
    if (lifecycle[hook].is_set()) check_handler(lifecycle[hook], Place::Hook, grace);
  }
}

void check_probes(const FieldCheck& container, const Value& grace) {
  for (const std::string_view kind : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const FieldCheck probe = container[kind];
    if (!probe.is_set()) continue;
    check_probe(probe, grace);
    if (kind == "readinessProbe") {
      const FieldCheck own_grace = probe["terminationGracePeriodSeconds"];
      if (own_grace.is_set()) own_grace.invalid("must not be set for readinessProbes");
    } else if (probe["successThreshold"].number() != 1) {
      probe["successThreshold"].invalid(probe["successThreshold"].number(), "must be 1");
    }
  }
}

}  // namespace coracle::kube::apiserver
