#include "kube/apiserver/internal/strategies/pods/pod_warnings.h"

#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/ip.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/field_check.h"
#include "kube/apiserver/internal/strategies/node_labels.h"
#include "kube/apiserver/internal/strategies/pods/container_validation.h"
#include "kube/object/quantity.h"

namespace coracle::kube::apiserver {

namespace {

using Warnings = std::vector<std::string>;

struct Deprecated {
  std::string_view name;
  std::string_view message;
};
constexpr Deprecated kOldAnnotations[] = {
    {"scheduler.alpha.kubernetes.io/critical-pod",
     "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
    {"security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
    {"security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
};
// By the field of the volume; upstream writes one of them in another way.
struct OldVolume {
  std::string_view field;
  std::string_view path;
  std::string_view message;
};
constexpr OldVolume kOldVolumes[] = {
    {"photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
    {"gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
    {"scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
    {"flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"},
    {"storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"},
    {"quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"},
    {"glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
    {"cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"},
    {"rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"},
};

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

void warn(const FieldCheck& field, const std::string& message, Warnings& warnings) {
  warnings.push_back(field.path().text() + ": " + message);
}

void warn_of_label_key(const FieldCheck& key, Warnings& warnings) {
  const std::string_view old = old_node_label_text(key.text());
  if (!old.empty()) warn(key, std::string(key.text()) + " is " + std::string(old), warnings);
}

// A value that no label can have keeps a required term from being accepted; a preference it only makes pointless.
void warn_of_node_term(const FieldCheck& term, bool checks_values, Warnings& warnings) {
  term["matchExpressions"].each([&](const FieldCheck& one) {
    warn_of_label_key(one["key"], warnings);
    if (!checks_values) return;
    one["values"].each([&](const FieldCheck& value) {
      for (const std::string& finding : check_label_value(value.text())) {
        warn(value, std::string(value.text()) + " is invalid, " + finding, warnings);
      }
    });
  });
}

void warn_of_nodes(const FieldCheck& spec, Warnings& warnings) {
  for (const Value::Member& label : spec["nodeSelector"].value().members()) {
    const std::string_view old = old_node_label_text(label.key);
    if (!old.empty()) warn(spec["nodeSelector"].entry(label.key), std::string(old), warnings);
  }
  const FieldCheck affinity = spec["affinity"]["nodeAffinity"];
  affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"].each(
      [&](const FieldCheck& term) { warn_of_node_term(term, false, warnings); });
  affinity["preferredDuringSchedulingIgnoredDuringExecution"].each(
      [&](const FieldCheck& term) { warn_of_node_term(term["preference"], true, warnings); });
}

void warn_of_missing_selector(const FieldCheck& owner, Warnings& warnings) {
  if (owner["labelSelector"].is_set()) return;
  warn(owner["labelSelector"], "a null labelSelector results in matching no pod", warnings);
}

void warn_of_pod_affinity(const FieldCheck& affinity, Warnings& warnings) {
  affinity["requiredDuringSchedulingIgnoredDuringExecution"].each(
      [&](const FieldCheck& term) { warn_of_missing_selector(term, warnings); });
  affinity["preferredDuringSchedulingIgnoredDuringExecution"].each(
      [&](const FieldCheck& term) { warn_of_missing_selector(term["podAffinityTerm"], warnings); });
}

void warn_of_volumes(const FieldCheck& spec, Warnings& warnings) {
  spec["volumes"].each([&](const FieldCheck& volume) {
    for (const OldVolume& old : kOldVolumes) {
      if (volume[old.field].is_set()) warn(volume[old.path], std::string(old.message), warnings);
    }
  });
}

// Files of one volume that lie on or below each other, of which the later one hides the earlier.
struct PlacedFile {
  std::string path;
  std::string source;

  std::string text() const { return source.empty() ? in_quotes(path) : in_quotes(path) + " (" + source + ")"; }
};

bool overlap(const PlacedFile& one, const PlacedFile& other) {
  return (one.path + "/").starts_with(other.path + "/") || (other.path + "/").starts_with(one.path + "/");
}

void place(const Value& items, const std::string& source, std::string_view volume, const std::string& called,
           std::vector<PlacedFile>& placed, Warnings& warnings) {
  for (const Value& item : items.items()) {
    PlacedFile file{std::string(item["path"].as_string()), source};
    while (file.path.ends_with('/')) file.path.pop_back();
    for (const PlacedFile& other : placed) {
      if (file.path.empty() || other.path.empty() || !overlap(file, other)) continue;
      warnings.push_back("volume " + in_quotes(volume) + " (" + called + "): overlapping paths: " + file.text() +
                         " with " + other.text());
    }
    placed.push_back(std::move(file));
  }
}

void warn_of_projection(const Value& source, std::string_view volume, std::vector<PlacedFile>& placed,
                        Warnings& warnings) {
  const std::string called = "Projected";
  if (source.empty()) {
    warnings.push_back("volume " + in_quotes(volume) + " (Projected) has no sources provided");
  } else if (source["configMap"]["items"].is_array()) {
    place(source["configMap"]["items"], "ConfigMap " + in_quotes(source["configMap"]["name"].as_string()), volume,
          called, placed, warnings);
  } else if (source["secret"]["items"].is_array()) {
    place(source["secret"]["items"], "Secret " + in_quotes(source["secret"]["name"].as_string()), volume, called,
          placed, warnings);
  } else if (source["downwardAPI"]["items"].is_array()) {
    place(source["downwardAPI"]["items"], "DownwardAPI", volume, called, placed, warnings);
  } else if (source["serviceAccountToken"].is_object()) {
    place(Value::array({source["serviceAccountToken"]}), "ServiceAccountToken", volume, called, placed, warnings);
  }
}

void warn_of_overlaps(const FieldCheck& spec, Warnings& warnings) {
  for (const Value& volume : spec["volumes"].value().items()) {
    const std::string_view name = volume["name"].as_string();
    std::vector<PlacedFile> map_files, secret_files, pod_files, projected_files;
    const Value& map = volume["configMap"];
    const Value& secret = volume["secret"];
    place(map["items"], "", name, "ConfigMap " + in_quotes(map["name"].as_string()), map_files, warnings);
    place(secret["items"], "", name, "Secret " + in_quotes(secret["secretName"].as_string()), secret_files, warnings);
    place(volume["downwardAPI"]["items"], "", name, "DownwardAPI", pod_files, warnings);
    for (const Value& source : volume["projected"]["sources"].items()) {
      warn_of_projection(source, name, projected_files, warnings);
    }
  }
}

void warn_of_repeated_names(const FieldCheck& spec, Warnings& warnings) {
  std::set<std::string_view> addresses;
  spec["hostAliases"].each([&](const FieldCheck& alias) {
    const FieldCheck address = alias["ip"];
    if (!addresses.insert(address.text()).second) warn(address, "duplicate ip " + in_quotes(address.text()), warnings);
  });
  std::set<std::string_view> secrets;
  const FieldCheck pull = spec["imagePullSecrets"];
  pull.each([&](const FieldCheck& secret) {
    const FieldCheck name = secret["name"];
    if (!secrets.insert(name.text()).second) warn(name, "duplicate name " + in_quotes(name.text()), warnings);
  });
  pull.each([&](const FieldCheck& secret) {
    if (secret["name"].is_empty()) warn(secret["name"], "invalid empty name \"\"", warnings);
  });
}

void warn_of_fraction(const FieldCheck& amounts, std::string_view resource, Warnings& warnings) {
  constexpr std::int64_t kMilli = 1000;
  const FieldCheck amount = amounts.entry(resource);
  const auto quantity = Quantity::from_value(amount.value());
  if (!amount.is_set() || !quantity.ok() || quantity->milli_value() % kMilli == 0) return;
  // So many that they cannot be counted in thousandths.
  if (quantity->milli_value() == std::numeric_limits<std::int64_t>::max()) return;
  warn(amount, "fractional byte value " + in_quotes(quantity->text()) + " is invalid, must be an integer", warnings);
}

// A variable that is set again without building on what it was.
void warn_of_hidden_variables(const FieldCheck& container, Warnings& warnings) {
  std::set<std::string_view> names;
  container["env"].each([&](const FieldCheck& variable) {
    const std::string_view name = variable.value()["name"].as_string();
    if (names.insert(name).second) return;
    const std::string reference = "$(" + std::string(name) + ")";
    const std::string_view value = variable.value()["value"].as_string();
    const bool extends =
        !variable["valueFrom"].is_set() && value != reference && value.find(reference) != std::string_view::npos;
    if (extends) return;
    warn(variable, "hides previous definition of " + in_quotes(name) + ", which may be dropped when using apply",
         warnings);
  });
}

void warn_of_annotations(const FieldCheck& spec, const FieldCheck& annotations, bool in_template, Warnings& warnings) {
  constexpr std::string_view kSeccomp = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
  constexpr std::string_view kAppArmor = "deprecated since v1.30; use the \"appArmorProfile\" field instead";
  if (annotations.is_empty()) return;
  const FieldCheck of_pod = annotations.entry("seccomp.security.alpha.kubernetes.io/pod");
  if (of_pod.is_set() && !spec["securityContext"]["seccompProfile"].is_set()) {
    warn(of_pod, std::string(kSeccomp), warnings);
  }
  visit_containers(spec, [&](const FieldCheck& container) {
    const std::string name(container["name"].text());
    const std::string seccomp = "container.seccomp.security.alpha.kubernetes.io/" + name;
    const std::string app_armor = "container.apparmor.security.beta.kubernetes.io/" + name;
    const FieldCheck context = container["securityContext"];
    if (annotations.entry(seccomp).is_set() && !context["seccompProfile"].is_set()) {
      warn(annotations.entry(seccomp), std::string(kSeccomp), warnings);
    }
    if (in_template && annotations.entry(app_armor).is_set() && !context["appArmorProfile"].is_set() &&
        !spec["securityContext"]["appArmorProfile"].is_set()) {
      warn(annotations.entry(app_armor), std::string(kAppArmor), warnings);
    }
  });
}

void warn_of_containers(const FieldCheck& spec, Warnings& warnings) {
  for (const std::string_view resource : {"memory", "ephemeral-storage"}) {
    warn_of_fraction(spec["overhead"], resource, warnings);
  }
  visit_containers(spec, [&](const FieldCheck& container) {
    for (const std::string_view resource : {"memory", "ephemeral-storage"}) {
      warn_of_fraction(container["resources"]["limits"], resource, warnings);
      warn_of_fraction(container["resources"]["requests"], resource, warnings);
    }
    warn_of_hidden_variables(container, warnings);
  });
}

// Two definitions of one port, of which at most one can be right.
std::string_view port_conflict(const Value& one, const Value& other) {
  const std::string_view address = one["hostIP"].as_string();
  const std::string_view other_address = other["hostIP"].as_string();
  const std::int64_t number = one["hostPort"].as_int();
  const std::int64_t other_number = other["hostPort"].as_int();
  if (address == other_address && number == other_number) return "duplicate";
  if (number == 0 || other_number == 0) return "overlapping";
  return number == other_number && address.empty() != other_address.empty() ? "dangerously ambiguous" : "";
}

// As Go prints the structure.
std::string shown_port(const Value& port) {
  const auto text = [&](std::string_view field) { return std::string(port[field].as_string()); };
  return "{Name:" + text("name") + " HostPort:" + std::to_string(port["hostPort"].as_int()) +
         " ContainerPort:" + std::to_string(port["containerPort"].as_int()) + " Protocol:" + text("protocol") +
         " HostIP:" + text("hostIP") + "}";
}

void warn_of_ports(const FieldCheck& spec, Warnings& warnings) {
  std::map<std::string, std::vector<FieldCheck>> seen;
  std::map<std::string_view, std::string> names;
  visit_containers(spec, [&](const FieldCheck& container) {
    container["ports"].each([&](const FieldCheck& port) {
      if (!port["hostIP"].is_empty() && port["hostPort"].number() == 0) {
        warn(port, "hostIP set without hostPort: " + shown_port(port.value()), warnings);
      }
      auto& others = seen[std::to_string(port["containerPort"].number()) + "/" + std::string(port["protocol"].text())];
      for (const FieldCheck& other : others) {
        const std::string_view conflict = port_conflict(port.value(), other.value());
        if (conflict.empty()) continue;
        warn(port, std::string(conflict) + " port definition with " + other.path().text(), warnings);
      }
      others.push_back(port);
    });
  });
  visit_containers(spec, [&](const FieldCheck& container) {
    container["ports"].each([&](const FieldCheck& port) {
      const std::string_view name = port["name"].text();
      if (name.empty()) return;
      const auto [first, added] = names.emplace(name, port.path().text());
      if (added) return;
      warn(port,
           "duplicate port name " + in_quotes(name) + " with " + first->second +
               ", services and probes that select ports by name will use " + first->second,
           warnings);
    });
  });
}

void warn_of_address(const FieldCheck& address, Warnings& warnings) {
  const std::string canonical = canonical_ip(address.text());
  if (canonical.empty() || canonical == address.text() || ip_family(address.text()) != "IPv6") return;
  warn(address,
       "IPv6 address " + in_quotes(address.text()) + " should be in RFC 5952 canonical format (" +
           in_quotes(canonical) + ")",
       warnings);
}

}  // namespace

void add_pod_warnings(const Value& spec_value, const Value& metadata, const FieldPath& path, Warnings& warnings) {
  const FieldPath spec_path = path.child("spec");
  const FieldPath annotation_path = path.child("metadata").child("annotations");
  FieldErrors unused;
  const FieldCheck spec(spec_value, spec_path, unused);
  const FieldCheck annotations(metadata["annotations"], annotation_path, unused);
  warn_of_nodes(spec, warnings);
  spec["topologySpreadConstraints"].each([&](const FieldCheck& constraint) {
    warn_of_label_key(constraint["topologyKey"], warnings);
    warn_of_missing_selector(constraint, warnings);
  });
  for (const Deprecated& old : kOldAnnotations) {
    if (annotations.entry(old.name).is_set()) warn(annotations.entry(old.name), std::string(old.message), warnings);
  }
  warn_of_volumes(spec, warnings);
  warn_of_overlaps(spec, warnings);
  warn_of_repeated_names(spec, warnings);
  warn_of_annotations(spec, annotations, !path.empty(), warnings);
  warn_of_containers(spec, warnings);
  warn_of_ports(spec, warnings);
  const FieldCheck grace = spec["terminationGracePeriodSeconds"];
  if (grace.number() < 0) {
    warn(grace, "must be >= 0; negative values are invalid and will be treated as 1", warnings);
  }
  warn_of_pod_affinity(spec["affinity"]["podAffinity"], warnings);
  warn_of_pod_affinity(spec["affinity"]["podAntiAffinity"], warnings);
  spec["dnsConfig"]["nameservers"].each([&](const FieldCheck& server) { warn_of_address(server, warnings); });
  spec["hostAliases"].each([&](const FieldCheck& alias) { warn_of_address(alias["ip"], warnings); });
}

void add_pod_name_warning(std::string_view name, Warnings& warnings) {
  const NameErrors findings = check_dns1123_label(name);
  if (findings.empty()) return;
  warnings.push_back(
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is "
      "recommended: [" +
      join(findings, " ") + "]");
}

}  // namespace coracle::kube::apiserver
