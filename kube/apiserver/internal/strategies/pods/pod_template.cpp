#include "kube/apiserver/internal/strategies/pods/pod_template.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/pods/pod_security_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/names.h"
#include "kube/object/selector.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kDeletionCost = "controller.kubernetes.io/pod-deletion-cost";

// The same tree where there is nothing to remove.
Value without_member(const Value& value, std::string_view member) {
  return value.contains(member) ? value.without(member) : value;
}

bool stops_by_signal_in(const Value& containers) {
  const auto items = containers.items();
  return std::any_of(items.begin(), items.end(),
                     [](const Value& one) { return one["lifecycle"].contains("stopSignal"); });
}

bool stops_by_signal(const Value& spec) {
  return stops_by_signal_in(spec["containers"]) || stops_by_signal_in(spec["initContainers"]) ||
         stops_by_signal_in(spec["ephemeralContainers"]);
}

// A lifecycle that said nothing else is none.
Value without_stop_signals(const Value& containers) {
  Value::ArrayBuilder kept;
  for (const Value& container : containers.items()) {
    const Value& lifecycle = container["lifecycle"];
    if (!lifecycle.contains("stopSignal")) {
      kept.add(container);
    } else if (lifecycle.size() == 1) {
      kept.add(container.without("lifecycle"));
    } else {
      kept.add(container.with("lifecycle", lifecycle.without("stopSignal")));
    }
  }
  return std::move(kept).build();
}

bool projects(const Value& spec, std::string_view source) {
  for (const Value& volume : spec["volumes"].items()) {
    for (const Value& one : volume["projected"]["sources"].items()) {
      if (one.contains(source)) return true;
    }
  }
  return false;
}

Value without_projection(const Value& spec, std::string_view source) {
  Value::ArrayBuilder volumes;
  for (const Value& volume : spec["volumes"].items()) {
    const Value& projected = volume["projected"];
    if (!projected.is_object()) {
      volumes.add(volume);
      continue;
    }
    Value::ArrayBuilder sources;
    for (const Value& one : projected["sources"].items()) sources.add(without_member(one, source));
    volumes.add(volume.with("projected", projected.with("sources", std::move(sources).build())));
  }
  return spec.with("volumes", std::move(volumes).build());
}

// A number of 32 bits, without a sign or zeros that say nothing.
bool is_deletion_cost(std::string_view text) {
  const auto number = parse_int<std::int32_t>(text);
  return number && (std::to_string(*number) == text);
}

}  // namespace

Value without_disabled_fields(const Value& spec, const Value& old) {
  Value kept = old.contains("schedulingGroup") ? spec : without_member(spec, "schedulingGroup");
  if (!stops_by_signal(old)) {
    for (const std::string_view list : {"containers", "initContainers", "ephemeralContainers"}) {
      if (stops_by_signal_in(kept[list])) kept = kept.with(list, without_stop_signals(kept[list]));
    }
  }
  for (const std::string_view source : {"clusterTrustBundle", "podCertificate"}) {
    if (!projects(old, source) && projects(kept, source)) kept = without_projection(kept, source);
  }
  return kept;
}

Object without_disabled_template_fields(const Object& object, std::span<const std::string_view> path,
                                        const Object* old) {
  const Value& spec = object.tree().at_path(path)["spec"];
  if (!spec.is_object()) return object;
  const Value kept = without_disabled_fields(spec, old == nullptr ? Value() : old->tree().at_path(path)["spec"]);
  if (kept.same_tree(spec)) return object;
  std::vector<std::string_view> to_spec(path.begin(), path.end());
  to_spec.push_back("spec");
  return Object(object.tree().with_path(to_spec, kept));
}

std::span<const std::string_view> pod_template_path(std::string_view resource) {
  static constexpr std::string_view kTop[] = {"template"};
  static constexpr std::string_view kInSpec[] = {"spec", "template"};
  static constexpr std::string_view kInJob[] = {"spec", "jobTemplate", "spec", "template"};
  constexpr std::string_view kWorkloads[] = {
      "deployments", "replicasets", "statefulsets", "daemonsets", "replicationcontrollers", "jobs"};
  if (resource == "podtemplates") return kTop;
  if (resource == "cronjobs") return kInJob;
  return is_listed(resource, kWorkloads) ? std::span<const std::string_view>(kInSpec)
                                         : std::span<const std::string_view>();
}

void check_pod_annotations(const Value& annotations, const FieldPath& path, const Value& spec, FieldErrors& errors) {
  const FieldCheck found(annotations, path, errors);
  const FieldCheck mirror = found.entry(kMirrorPod);
  if (mirror.is_set() && spec["nodeName"].as_string().empty()) {
    mirror.invalid("must set spec.nodeName if mirror pod annotation is set");
  }
  const FieldCheck cost = found.entry(kDeletionCost);
  if (cost.is_set() && !is_deletion_cost(cost.text())) cost.invalid("must be a 32bit integer");
  const FieldPath of_spec;
  check_security_annotations(FieldCheck(spec, of_spec, errors), annotations, path);
}

void check_pod_template_metadata(const Value& metadata, const FieldPath& path, FieldErrors& errors) {
  check_labels(metadata["labels"], path.child("labels"), errors);
  for (const Value::Member& annotation : metadata["annotations"].members()) {
    add_name_errors(path.child("annotations"), annotation.key, check_qualified_name(to_lower(annotation.key)), errors);
  }
}

void check_pod_template(const Value& pod_template, const FieldPath& path, FieldErrors& errors,
                        const Value* old_template) {
  const Value& spec = pod_template["spec"];
  const Value& annotations = pod_template["metadata"]["annotations"];
  const FieldPath spec_path = path.child("spec");
  check_pod_template_metadata(pod_template["metadata"], path, errors);
  check_pod_annotations(annotations, path.child("annotations"), spec, errors);
  PodSpecOptions options;
  if (old_template != nullptr) options = options_of_update((*old_template)["spec"]);
  check_pod_spec(spec, spec_path, errors, options);
  check_security_annotations_agree(FieldCheck(spec, spec_path, errors), annotations);
  if (!spec["ephemeralContainers"].empty()) {
    errors.push_back(field_error::forbidden(spec_path.child("ephemeralContainers").text(),
                                            "ephemeral containers not allowed in pod template"));
  }
}

void check_workload_selector(const Value& spec, const SelectorWords& words, FieldErrors& errors) {
  const FieldPath path = FieldPath("spec").child("selector");
  const Value& selector = spec["selector"];
  const std::size_t before = errors.size();
  check_label_selector(selector, path, errors);
  const bool malformed = errors.size() != before;
  if (selector.is_null()) {
    const Cause missing = field_error::required(path.text());
    std::erase_if(errors,
                  [&](const Cause& cause) { return cause.field == missing.field && cause.reason == missing.reason; });
    if (words.required) errors.push_back(missing);
  } else if (words.empty && selector["matchLabels"].empty() && selector["matchExpressions"].empty()) {
    errors.push_back(field_error::invalid(path.text(), selector, *words.empty));
  }
  if (malformed) {
    if (words.malformed) errors.push_back(field_error::invalid(path.text(), selector, *words.malformed));
    return;
  }
  const Value& labels = spec["template"]["metadata"]["labels"];
  const auto parsed = LabelSelector::from_value(selector);
  if (parsed.ok() && !parsed->matches(labels)) {
    errors.push_back(
        field_error::invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"));
  }
}

void check_restart_policy_always(const Value& pod_template, std::string_view kind, const FieldPath& path,
                                 FieldErrors& errors) {
  const Value& spec = pod_template["spec"];
  const std::string_view policy = spec["restartPolicy"].as_string("Always");
  if (policy != "Always") {
    constexpr std::string_view kAlways[] = {"Always"};
    errors.push_back(
        field_error::not_supported(path.child("spec").child("restartPolicy").text(), spec["restartPolicy"], kAlways));
  }
  if (spec.contains("activeDeadlineSeconds")) {
    errors.push_back(field_error::forbidden(path.child("spec").child("activeDeadlineSeconds").text(),
                                            "activeDeadlineSeconds in " + std::string(kind) + " is not Supported"));
  }
}

}  // namespace coracle::kube::apiserver
