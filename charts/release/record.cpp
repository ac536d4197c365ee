#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/gzip.h"
#include "base/json/json.h"
#include "base/text.h"
#include "charts/release.h"
#include "charts/template/go_time.h"
#include "charts/values.h"

namespace coracle::charts {
namespace {

constexpr std::string_view kSecretType = "helm.sh/release.v1";
constexpr std::string_view kPayloadKey = "release";
constexpr int kBestCompression = 9;
// Labels that Helm itself puts on the Secret.
constexpr std::array<std::string_view, 6> kOwnLabels = {"name",    "owner",     "status",
                                                        "version", "createdAt", "modifiedAt"};

std::string time_text(WallTime time) {
  return format_go_time(GoValue::time(time), "2006-01-02T15:04:05.999999999Z07:00");
}

void set_time(Value::ObjectBuilder& builder, std::string_view key, const std::optional<WallTime>& time) {
  if (time) builder.set(key, time_text(*time));
}

// Old records have empty texts for times that were not reached; Go's zero time is the year 1.
std::optional<WallTime> read_time(const Value& value) {
  const std::string_view text = value.as_string();
  if (text.empty() || text.starts_with("0001-")) return std::nullopt;
  auto time = parse_time(text);
  if (!time.ok()) return std::nullopt;
  return *time;
}

Value write_files(const std::vector<ChartFile>& files) {
  Value::ArrayBuilder items;
  for (const ChartFile& file : files) {
    items.add(Value::object({{"name", file.name}, {"data", base64_encode(file.data)}}));
  }
  return std::move(items).build();
}

Result<std::vector<ChartFile>> read_files(const Value& items, std::string_view what) {
  std::vector<ChartFile> files;
  for (const Value& item : items.items()) {
    auto data = base64_decode(item["data"].as_string());
    if (!data.ok()) return data.error().in("chart." + std::string(what) + " of the release record");
    files.push_back({std::string(item["name"].as_string()), std::move(data).value()});
  }
  return files;
}

Value write_texts(const std::vector<std::string>& texts) {
  Value::ArrayBuilder items;
  for (const std::string& text : texts) items.add(text);
  return std::move(items).build();
}

std::vector<std::string> read_texts(const Value& items) {
  std::vector<std::string> texts;
  for (const Value& item : items.items()) texts.emplace_back(item.as_string());
  return texts;
}

Value write_hook(const ReleaseHook& entry) {
  const Hook& hook = entry.hook;
  Value::ObjectBuilder run;
  set_time(run, "started_at", entry.last_run.started_at);
  set_time(run, "completed_at", entry.last_run.completed_at);
  run.set("phase", entry.last_run.phase);
  Value::ObjectBuilder builder;
  builder.set_nonempty("name", hook.name)
      .set_nonempty("kind", hook.kind)
      .set_nonempty("path", hook.source)
      .set_nonempty("manifest", hook.text)
      .set_nonempty("events", write_texts(hook.events))
      .set("last_run", std::move(run).build())
      .set_nonempty("weight", hook.weight)
      .set_nonempty("delete_policies", write_texts(hook.delete_policies))
      .set_nonempty("output_log_policies", write_texts(hook.output_log_policies));
  return std::move(builder).build();
}

ReleaseHook read_hook(const Value& value) {
  ReleaseHook entry;
  entry.hook.name = value["name"].as_string();
  entry.hook.kind = value["kind"].as_string();
  entry.hook.source = value["path"].as_string();
  entry.hook.text = value["manifest"].as_string();
  entry.hook.events = read_texts(value["events"]);
  entry.hook.weight = static_cast<int>(value["weight"].as_double());
  entry.hook.delete_policies = read_texts(value["delete_policies"]);
  entry.hook.output_log_policies = read_texts(value["output_log_policies"]);
  const Value& run = value["last_run"];
  entry.last_run = {read_time(run["started_at"]), read_time(run["completed_at"]),
                    std::string(run["phase"].as_string())};
  return entry;
}

Value write_info(const Release& release) {
  Value::ObjectBuilder builder;
  set_time(builder, "first_deployed", release.first_deployed);
  set_time(builder, "last_deployed", release.last_deployed);
  set_time(builder, "deleted", release.deleted);
  builder.set_nonempty("description", release.description)
      .set_nonempty("status", release.status)
      .set_nonempty("rollback_revision", release.rollback_revision)
      .set_nonempty("notes", release.notes);
  return std::move(builder).build();
}

Value write_chart(const Chart& chart, const std::vector<ChartFile>& templates, const std::vector<ChartFile>& files) {
  return Value::object({{"metadata", chart.metadata},
                        {"lock", chart.lock},
                        {"templates", write_files(templates)},
                        {"values", chart.values},
                        {"schema", chart.schema ? Value(base64_encode(*chart.schema)) : Value()},
                        {"files", write_files(files)}});
}

std::string pack(const Release& release, const std::vector<ChartFile>& templates, const std::vector<ChartFile>& files) {
  Value::ArrayBuilder hooks;
  for (const ReleaseHook& hook : release.hooks) hooks.add(write_hook(hook));
  Value::ObjectBuilder builder;
  builder.set_nonempty("name", release.name)
      .set("info", write_info(release))
      .set("chart", write_chart(release.chart, templates, files))
      .set_nonempty("config", release.config)
      .set_nonempty("manifest", release.manifest)
      .set_nonempty("hooks", std::move(hooks).build())
      .set_nonempty("version", release.revision)
      .set_nonempty("namespace", release.namespace_)
      .set_nonempty("apply_method", release.apply_method);
  return base64_encode(gzip(json::write(std::move(builder).build()), kBestCompression));
}

bool is_manifest_template(const ChartFile& file) {
  return file.name.ends_with(".yaml") || file.name.ends_with(".yml") || file.name.ends_with(".tpl") ||
         file.name.ends_with("NOTES.txt");
}

bool is_own_label(std::string_view label) {
  return std::find(kOwnLabels.begin(), kOwnLabels.end(), label) != kOwnLabels.end();
}

}  // namespace

Result<std::string> encode_release(const Release& release, std::size_t limit) {
  const Chart& chart = release.chart;
  std::string payload = pack(release, chart.templates, chart.files);
  if (payload.size() <= limit) return payload;
  payload = pack(release, chart.templates, {});
  if (payload.size() <= limit) return payload;
  std::vector<ChartFile> templates;
  std::copy_if(chart.templates.begin(), chart.templates.end(), std::back_inserter(templates), is_manifest_template);
  payload = pack(release, templates, {});
  if (payload.size() > limit) payload = pack(release, {}, {});
  if (payload.size() <= limit) return payload;
  return Error(Reason::RequestEntityTooLarge,
               "the record of release " + release.name + " has " + std::to_string(payload.size()) +
                   " bytes without its templates, at most " + std::to_string(limit) + " are allowed");
}

Result<Release> decode_release(std::string_view payload) {
  constexpr std::string_view kGzipMagic = "\x1f\x8b\x08";
  ASSIGN_OR_RETURN(std::string text, base64_decode(payload));
  if (text.starts_with(kGzipMagic)) {
    ASSIGN_OR_RETURN(text, gunzip(text, kMaxReleaseJson));
  }
  ASSIGN_OR_RETURN(const Value tree, json::read(text));
  if (!tree.is_object()) return Error(Reason::Corrupt, "a release record must be a JSON object");
  const Value& info = tree["info"];
  const Value& chart = tree["chart"];
  Release release;
  release.name = tree["name"].as_string();
  release.namespace_ = tree["namespace"].as_string();
  release.revision = static_cast<int>(tree["version"].as_int());
  release.first_deployed = read_time(info["first_deployed"]);
  release.last_deployed = read_time(info["last_deployed"]);
  release.deleted = read_time(info["deleted"]);
  release.description = info["description"].as_string();
  release.status = info["status"].as_string(release_status::kUnknown);
  release.notes = info["notes"].as_string();
  release.rollback_revision = static_cast<int>(info["rollback_revision"].as_int());
  release.manifest = tree["manifest"].as_string();
  release.apply_method = tree["apply_method"].as_string();
  if (tree["config"].is_object()) release.config = numbers_as_read(tree["config"]);
  for (const Value& hook : tree["hooks"].items()) release.hooks.push_back(read_hook(hook));
  release.chart.metadata = chart["metadata"];
  release.chart.lock = chart["lock"];
  if (chart["values"].is_object()) release.chart.values = numbers_as_read(chart["values"]);
  ASSIGN_OR_RETURN(release.chart.templates, read_files(chart["templates"], "templates"));
  ASSIGN_OR_RETURN(release.chart.files, read_files(chart["files"], "files"));
  if (chart["schema"].is_string()) {
    ASSIGN_OR_RETURN(release.chart.schema, base64_decode(chart["schema"].as_string()));
  }
  return release;
}

std::string release_secret_name(std::string_view name, int revision) {
  return "sh.helm.release.v1." + std::string(name) + ".v" + std::to_string(revision);
}

Result<Value> release_to_secret(const Release& release, WallTime now, bool update) {
  ASSIGN_OR_RETURN(const std::string payload, encode_release(release));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  Value::ObjectBuilder labels;
  for (const auto& [key, value] : release.labels) {
    if (!is_own_label(key)) labels.set(key, value);
  }
  labels.set(update ? "modifiedAt" : "createdAt", std::to_string(seconds))
      .set("name", release.name)
      .set("owner", "helm")
      .set("status", release.status)
      .set("version", std::to_string(release.revision));
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "Secret"},
                        {"metadata", Value::object({{"name", release_secret_name(release.name, release.revision)},
                                                    {"namespace", release.namespace_},
                                                    {"labels", std::move(labels).build()}})},
                        {"type", kSecretType},
                        {"data", Value::object({{kPayloadKey, base64_encode(payload)}})}});
}

Result<Release> release_from_secret(const Value& secret) {
  const std::string name(secret["metadata"]["name"].as_string());
  if (secret["type"].as_string() != kSecretType) {
    return bad_request("Secret " + name + " is no release record: its type is not " + std::string(kSecretType));
  }
  const Value& data = secret["data"][kPayloadKey];
  if (!data.is_string()) return bad_request("Secret " + name + " is no release record: data.release is missing");
  auto payload = base64_decode(data.as_string());
  if (!payload.ok()) return payload.error().in("Secret " + name);
  auto release = decode_release(*payload);
  if (!release.ok()) return release.error().in("Secret " + name);
  for (const auto& [key, value] : secret["metadata"]["labels"].members()) {
    if (!is_own_label(key)) release->labels[key] = value.as_string();
  }
  return release;
}

Release make_release(const Chart& chart, const Value& config, const Rendering& rendering,
                     const ReleaseIdentity& identity, std::string_view status, WallTime now) {
  Release release;
  release.name = identity.name;
  release.namespace_ = identity.namespace_;
  release.revision = identity.revision;
  release.first_deployed = now;
  release.last_deployed = now;
  release.status = status;
  release.notes = rendering.notes;
  release.chart = chart;
  release.chart.dependencies.clear();
  release.chart.metadata = rendering.metadata;
  release.config = config;
  release.manifest = rendering.manifest_text();
  for (const Hook& hook : rendering.hooks) release.hooks.push_back({hook, {}});
  release.apply_method = "ssa";
  return release;
}

}  // namespace coracle::charts
