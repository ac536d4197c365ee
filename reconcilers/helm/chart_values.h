#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "reconcilers/helm/chart_spec.h"

namespace coracle::reconcilers {

// `data` of Secrets by name; one that does not exist has no entry.
using SecretContents = std::map<std::string, Value, std::less<>>;

// Names of all Secrets that a HelmChart's or HelmChartConfig's spec takes values from, each once.
std::vector<std::string> values_secrets(const Value& chart_spec, const Value& config_spec);

struct LayeredValues {
  Value values;   // the user's values, as they lie over the chart's defaults
  Value settled;  // the same without Secrets marked ignoreUpdates: what a new revision is made for
};

// Lowest first: valuesContent, values and valuesSecrets of the HelmChart, the same of the
// HelmChartConfig, and the HelmChart's `set`. Pure. Errors name the field.
Result<LayeredValues> layer_values(const Value& chart_spec, const Value& config_spec, const SecretContents& secrets);

// The mark of what a release is made from, kept as a label on its record: equal marks need no new revision.
std::string config_hash(const HelmSpec& spec, const Value& settled_values);

}  // namespace coracle::reconcilers
