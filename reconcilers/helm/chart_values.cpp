#include "reconcilers/helm/chart_values.h"

#include <algorithm>
#include <cctype>

#include "base/encoding.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "charts/values.h"

namespace coracle::reconcilers {
namespace {

// A label's value is no longer than this.
constexpr std::size_t kHashLength = 63;

Result<void> lay_text(Value& values, std::string_view text, const std::string& field) {
  if (text.empty()) return {};
  Result<Value> layer = charts::read_values(text);
  if (!layer.ok()) return layer.error().in(field);
  values = charts::merge_values(values, *layer);
  return {};
}

Result<void> lay_secret(Value& values, const Value& reference, const SecretContents& secrets,
                        const std::string& field) {
  const std::string name(reference["name"].as_string());
  const bool optional = reference["ignoreUpdates"].as_bool();
  const auto secret = secrets.find(name);
  if (secret == secrets.end()) {
    if (optional) return {};
    return Error(Reason::NotFound, field + ": Secret \"" + name + "\" does not exist");
  }
  for (const Value& item : reference["keys"].items()) {
    const std::string key(item.as_string());
    const Value* encoded = secret->second.find(key);
    if (encoded == nullptr) {
      if (optional) continue;
      return Error(Reason::NotFound, field + ": Secret \"" + name + "\" has no key \"" + key + "\"");
    }
    const std::string where = field + ": key \"" + key + "\" of Secret \"" + name + "\"";
    const Result<std::string> text = base64_decode(encoded->as_string());
    if (!text.ok()) return text.error().in(where);
    TRY(lay_text(values, *text, where));
  }
  return {};
}

Result<void> lay_spec(Value& values, const Value& spec, const SecretContents& secrets, std::string_view kind,
                      bool with_ignored) {
  const std::string prefix = std::string(kind) + " spec.";
  TRY(lay_text(values, spec["valuesContent"].as_string(), prefix + "valuesContent"));
  if (spec["values"].is_object()) {
    values = charts::merge_values(values, charts::numbers_as_read(spec["values"]));
  }
  for (const Value& reference : spec["valuesSecrets"].items()) {
    if (!with_ignored && reference["ignoreUpdates"].as_bool()) continue;
    TRY(lay_secret(values, reference, secrets, prefix + "valuesSecrets"));
  }
  return {};
}

// Booleans, null and numbers are typed as --set types them; every other text stays a text.
bool is_typed(const Value& value) {
  if (!value.is_string()) return true;
  const std::string text = to_lower(value.as_string());
  return text == "true" || text == "false" || text == "null";
}

std::string escaped_commas(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ',') out += '\\';
    out += c;
  }
  return out;
}

// Typed settings go first, as helm reads --set before --set-string.
Result<void> lay_set(Value& values, const Value& set) {
  std::vector<const Value::Member*> members;
  for (const Value::Member& member : set.members()) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* left, const auto* right) { return left->key < right->key; });
  for (const bool typed : {true, false}) {
    for (const Value::Member* member : members) {
      if (is_typed(member->value) != typed) continue;
      const std::string text =
          member->value.is_string() ? escaped_commas(member->value.as_string()) : json::write(member->value);
      Result<Value> laid = charts::set_values(values, member->key + "=" + text, !typed);
      if (!laid.ok()) return laid.error().in("HelmChart spec.set");
      values = std::move(*laid);
    }
  }
  return {};
}

Result<Value> all_layers(const Value& chart_spec, const Value& config_spec, const SecretContents& secrets,
                         bool with_ignored) {
  Value values = Value::object();
  TRY(lay_spec(values, chart_spec, secrets, "HelmChart", with_ignored));
  TRY(lay_spec(values, config_spec, secrets, "HelmChartConfig", with_ignored));
  TRY(lay_set(values, chart_spec["set"]));
  return values;
}

}  // namespace

std::vector<std::string> values_secrets(const Value& chart_spec, const Value& config_spec) {
  std::vector<std::string> names;
  for (const Value* spec : {&chart_spec, &config_spec}) {
    for (const Value& reference : (*spec)["valuesSecrets"].items()) names.emplace_back(reference["name"].as_string());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<LayeredValues> layer_values(const Value& chart_spec, const Value& config_spec, const SecretContents& secrets) {
  LayeredValues layered;
  ASSIGN_OR_RETURN(layered.values, all_layers(chart_spec, config_spec, secrets, true));
  ASSIGN_OR_RETURN(layered.settled, all_layers(chart_spec, config_spec, secrets, false));
  return layered;
}

std::string config_hash(const HelmSpec& spec, const Value& settled_values) {
  const Value made_from = Value::object({{"chart", spec.chart},
                                         {"chartContent", crypto::sha256_hex(spec.chart_content)},
                                         {"version", spec.version},
                                         {"repository", spec.repository},
                                         {"namespace", spec.release.namespace_},
                                         {"serverSide", static_cast<int>(spec.apply_mode)},
                                         {"forceConflicts", spec.force_conflicts},
                                         {"takeOwnership", spec.take_ownership},
                                         {"values", settled_values}});
  std::string hash = crypto::sha256_hex(json::write_sorted(made_from)).substr(0, kHashLength);
  std::transform(hash.begin(), hash.end(), hash.begin(), [](unsigned char c) { return std::toupper(c); });
  return hash;
}

}  // namespace coracle::reconcilers
