#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "base/ip.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/container_validation.h"
#include "kube/apiserver/internal/strategies/pod_security_validation.h"
#include "kube/apiserver/internal/strategies/pod_template.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

// Fields of a volume source without which it means nothing.
struct SourceField {
  std::string_view source;
  std::string_view field;
};
constexpr SourceField kSourceFields[] = {
    {"hostPath", "path"}, {"secret", "secretName"}, {"configMap", "name"}, {"persistentVolumeClaim", "claimName"},
    {"nfs", "server"},    {"nfs", "path"},          {"csi", "driver"},
};

void check_volume_source(const Value& volume, const FieldPath& path, FieldErrors& errors) {
  int sources = 0;
  for (const Value::Member& member : volume.members()) {
    if (member.key == "name" || !member.value.is_object()) continue;
    if (++sources > 1) {
      errors.push_back(
          field_error::forbidden(path.child(member.key).text(), "may not specify more than 1 volume type"));
    }
  }
  if (sources == 0) errors.push_back(field_error::required(path.text(), "must specify a volume type"));
  for (const SourceField& row : kSourceFields) {
    const Value& source = volume[row.source];
    if (!source.is_object() || !source[row.field].as_string().empty()) continue;
    report(errors, field_error::required(path.child(row.source).child(row.field).text()));
  }
}

std::set<std::string, std::less<>> check_volumes(const Value& volumes, const FieldPath& path, FieldErrors& errors) {
  std::set<std::string, std::less<>> names;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const Value& volume = volumes.at(i);
    const FieldPath at = path.index(i);
    const std::string_view name = volume["name"].as_string();
    if (name.empty()) {
      report(errors, field_error::required(at.child("name").text()));
    } else {
      add_name_errors(at.child("name"), volume["name"], check_dns1123_label(name), errors);
      if (!names.emplace(name).second) {
        errors.push_back(field_error::duplicate(at.child("name").text(), volume["name"]));
      }
    }
    check_volume_source(volume, at, errors);
  }
  return names;
}

void check_toleration(const Value& toleration, const FieldPath& path, FieldErrors& errors) {
  const Value& key = toleration["key"];
  const Value& op = toleration["operator"];
  const bool exists = op.as_string() == "Exists";
  if (!key.as_string().empty()) {
    add_name_errors(path.child("key"), key, check_qualified_name(key.as_string()), errors);
  } else if (!exists) {
    errors.push_back(
        field_error::invalid(path.child("operator").text(), op.as_string(),
                             "operator must be Exists when `key` is empty, which means \"match all values and all "
                             "keys\""));
  }
  if (toleration.contains("tolerationSeconds") && toleration["effect"].as_string() != "NoExecute") {
    errors.push_back(field_error::invalid(path.child("effect").text(), toleration["effect"].as_string(),
                                          "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (exists && !toleration["value"].as_string().empty()) {
    errors.push_back(field_error::invalid(path.child("operator").text(), toleration,
                                          "value must be empty when `operator` is 'Exists'"));
  } else if (!exists) {
    add_name_errors(path.child("operator"), toleration["value"], check_label_value(toleration["value"].as_string()),
                    errors);
  }
}

void check_spread(const Value& constraint, const FieldPath& path, FieldErrors& errors) {
  if (constraint["maxSkew"].as_int() <= 0) {
    errors.push_back(
        field_error::invalid(path.child("maxSkew").text(), constraint["maxSkew"], "must be greater than zero"));
  }
  if (constraint["topologyKey"].as_string().empty()) {
    report(errors, field_error::required(path.child("topologyKey").text(), "can not be empty"));
  }
  check_label_selector(constraint["labelSelector"], path.child("labelSelector"), errors);
}

void check_node_selector_terms(const Value& terms, const FieldPath& path, FieldErrors& errors) {
  if (terms.empty()) report(errors, field_error::required(path.text(), "must have at least one node selector term"));
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const Value& expressions = terms.at(i)["matchExpressions"];
    for (std::size_t j = 0; j < expressions.size(); ++j) {
      const Value& expression = expressions.at(j);
      const FieldPath at = path.index(i).child("matchExpressions").index(j);
      const std::string_view op = expression["operator"].as_string();
      const bool listed = op == "In" || op == "NotIn";
      if (listed && expression["values"].empty()) {
        report(errors, field_error::required(at.child("values").text(),
                                             "must be specified when `operator` is 'In' or 'NotIn'"));
      } else if ((op == "Gt" || op == "Lt") && expression["values"].size() != 1) {
        report(errors, field_error::required(at.child("values").text(),
                                             "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      } else if ((op == "Exists" || op == "DoesNotExist") && !expression["values"].empty()) {
        errors.push_back(field_error::forbidden(at.child("values").text(),
                                                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      }
      add_name_errors(at.child("key"), expression["key"], check_qualified_name(expression["key"].as_string()), errors);
    }
  }
}

void check_pod_affinity_term(const Value& term, const FieldPath& path, FieldErrors& errors) {
  check_label_selector(term["labelSelector"], path.child("labelSelector"), errors);
  if (term["topologyKey"].as_string().empty()) {
    report(errors, field_error::required(path.child("topologyKey").text(), "can not be empty"));
  }
}

void check_affinity_terms(const Value& affinity, const FieldPath& path, FieldErrors& errors) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  constexpr std::int64_t kHighestWeight = 100;
  const Value& nodes = affinity["nodeAffinity"][kRequired];
  if (nodes.is_object()) {
    check_node_selector_terms(nodes["nodeSelectorTerms"],
                              path.child("nodeAffinity").child(kRequired).child("nodeSelectorTerms"), errors);
  }
  for (const std::string_view kind : {"nodeAffinity", "podAffinity", "podAntiAffinity"}) {
    const Value& preferred = affinity[kind][kPreferred];
    for (std::size_t i = 0; i < preferred.size(); ++i) {
      const FieldPath at = path.child(kind).child(kPreferred).index(i);
      const Value& weight = preferred.at(i)["weight"];
      if (weight.as_int() < 1 || weight.as_int() > kHighestWeight) {
        errors.push_back(field_error::invalid(at.child("weight").text(), weight, "must be in the range 1-100"));
      }
      if (kind != "nodeAffinity") {
        check_pod_affinity_term(preferred.at(i)["podAffinityTerm"], at.child("podAffinityTerm"), errors);
      }
    }
    if (kind == "nodeAffinity") continue;
    const Value& required = affinity[kind][kRequired];
    for (std::size_t i = 0; i < required.size(); ++i) {
      check_pod_affinity_term(required.at(i), path.child(kind).child(kRequired).index(i), errors);
    }
  }
}

void check_pod_names(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  struct NameField {
    std::string_view field;
    NameErrors (*check)(std::string_view);
  };
  constexpr NameField kNames[] = {{"serviceAccountName", check_dns1123_subdomain},
                                  {"nodeName", check_dns1123_subdomain},
                                  {"hostname", check_dns1123_label},
                                  {"subdomain", check_dns1123_label},
                                  {"priorityClassName", check_dns1123_subdomain},
                                  {"runtimeClassName", check_dns1123_subdomain}};
  for (const NameField& name : kNames) {
    const Value& value = spec[name.field];
    if (value.as_string().empty()) continue;
    add_name_errors(path.child(name.field), value, name.check(value.as_string()), errors);
  }
}

void check_pod_dns(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  const Value& servers = spec["dnsConfig"]["nameservers"];
  const FieldPath at = path.child("dnsConfig").child("nameservers");
  if (spec["dnsPolicy"].as_string() == "None" && servers.empty()) {
    errors.push_back(
        field_error::required(at.text(), "must provide at least one DNS nameserver when `dnsPolicy` is \"None\""));
  }
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (!ip_family(servers.at(i).as_string()).empty()) continue;
    errors.push_back(field_error::invalid(at.index(i).text(), servers.at(i), kInvalidIp));
  }
  const Value& aliases = spec["hostAliases"];
  for (std::size_t i = 0; i < aliases.size(); ++i) {
    if (!ip_family(aliases.at(i)["ip"].as_string()).empty()) continue;
    errors.push_back(
        field_error::invalid(path.child("hostAliases").index(i).child("ip").text(), aliases.at(i)["ip"], kInvalidIp));
  }
}

}  // namespace

void check_pod_spec(const Value& spec, const FieldPath& path, FieldErrors& errors) {
  if (!spec.is_object()) {
    report(errors, field_error::required(path.child("containers").text()));
    return;
  }
  const auto volumes = check_volumes(spec["volumes"], path.child("volumes"), errors);
  check_containers(spec, path, volumes, errors);
  const Value& deadline = spec["activeDeadlineSeconds"];
  constexpr std::int64_t kLongest = std::numeric_limits<std::int32_t>::max();
  if (deadline.is_int() && (deadline.as_int() < 1 || deadline.as_int() > kLongest)) {
    errors.push_back(field_error::invalid(path.child("activeDeadlineSeconds").text(), deadline,
                                          "must be between 1 and 2147483647, inclusive"));
  }
  check_labels(spec["nodeSelector"], path.child("nodeSelector"), errors);
  check_pod_names(spec, path, errors);
  check_pod_dns(spec, path, errors);
  check_pod_security_context(spec, path, errors);
  for (std::size_t i = 0; i < spec["tolerations"].size(); ++i) {
    check_toleration(spec["tolerations"].at(i), path.child("tolerations").index(i), errors);
  }
  for (std::size_t i = 0; i < spec["topologySpreadConstraints"].size(); ++i) {
    check_spread(spec["topologySpreadConstraints"].at(i), path.child("topologySpreadConstraints").index(i), errors);
  }
  check_affinity_terms(spec["affinity"], path.child("affinity"), errors);
}

}  // namespace coracle::kube::apiserver
