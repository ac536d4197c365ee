#include "kube/apiserver/internal/strategies/pod_template.h"

#include "base/text.h"
#include "kube/apiserver/internal/strategies/pod_security_validation.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/object/names.h"
#include "kube/object/selector.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kDeletionCost = "controller.kubernetes.io/pod-deletion-cost";
constexpr std::string_view kMirrorPod = "kubernetes.io/config.mirror";

// A number of 32 bits, without a sign or zeros that say nothing.
bool is_deletion_cost(std::string_view text) {
  const auto number = parse_int<std::int32_t>(text);
  return number && (std::to_string(*number) == text);
}

}  // namespace

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
