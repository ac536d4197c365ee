#include "reconcilers/helm/release_store.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/not_found.h"
#include "base/text.h"
#include "kube/client/resources.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kRecordManager = "helm";
constexpr std::string_view kRecordType = "helm.sh/release.v1";
constexpr std::string_view kRecordKey = "release";

// A ConfigMap holds as text what a Secret holds encoded once more.
Result<Value> secret_to_config_map(const Value& secret) {
  ASSIGN_OR_RETURN(const std::string payload, base64_decode(secret["data"][kRecordKey].as_string()));
  return secret.with("kind", "ConfigMap").without("type").with("data", Value::object({{kRecordKey, payload}}));
}

Value config_map_to_secret(const Value& config_map) {
  const std::string payload = base64_encode(config_map["data"][kRecordKey].as_string());
  return config_map.with("type", kRecordType).with("data", Value::object({{kRecordKey, payload}}));
}

}  // namespace

ReleaseStore::ReleaseStore(const kube::Client& client, ReleaseLocation location)
    : client_(client), location_(std::move(location)) {}

kube::ResourceRef ReleaseStore::resource() const {
  return location_.driver == ReleaseDriver::Secret ? kube::resources::secrets() : kube::resources::config_maps();
}

kube::ObjectKey ReleaseStore::key(int revision) const {
  return {location_.release.namespace_, charts::release_secret_name(location_.release.name, revision)};
}

Result<std::vector<ReleaseRecord>> ReleaseStore::history(const Context& context) const {
  // No label could hold it, so nothing of that name was ever installed.
  if (location_.release.name.size() > kMaxReleaseName) return std::vector<ReleaseRecord>();
  ASSIGN_OR_RETURN(
      const kube::ObjectList list,
      client_.list_all(context, resource(), location_.release.namespace_,
                       {.label_selector = "owner=helm,name=" + location_.release.name, .metadata_only = true}));
  std::vector<ReleaseRecord> records;
  for (const kube::Object& object : list.items) {
    const std::optional<int> revision = parse_int<int>(object.label("version"));
    if (!revision) continue;
    records.push_back({*revision, std::string(object.label("status")), std::string(object.label(kConfigHashLabel))});
  }
  std::sort(records.begin(), records.end(),
            [](const ReleaseRecord& left, const ReleaseRecord& right) { return left.revision < right.revision; });
  return records;
}

Result<charts::Release> ReleaseStore::read(const Context& context, int revision) const {
  ASSIGN_OR_RETURN(const kube::Object object, client_.get(context, resource(), key(revision)));
  return charts::release_from_secret(location_.driver == ReleaseDriver::Secret ? object.tree()
                                                                               : config_map_to_secret(object.tree()));
}

Result<kube::Object> ReleaseStore::encode(const Context& context, const charts::Release& record, bool update) const {
  ASSIGN_OR_RETURN(Value secret, charts::release_to_secret(record, context.clock().wall(), update));
  if (location_.driver == ReleaseDriver::Secret) return kube::Object(std::move(secret));
  ASSIGN_OR_RETURN(Value config_map, secret_to_config_map(secret));
  return kube::Object(std::move(config_map));
}

Result<void> ReleaseStore::create(const Context& context, const charts::Release& record) const {
  ASSIGN_OR_RETURN(const kube::Object object, encode(context, record, false));
  TRY(client_.create(context, resource(), object, {.field_manager = std::string(kRecordManager)}));
  return {};
}

Result<void> ReleaseStore::update(const Context& context, const charts::Release& record) const {
  ASSIGN_OR_RETURN(const kube::Object object, encode(context, record, true));
  ASSIGN_OR_RETURN(const kube::Object stored, client_.get(context, resource(), object.key()));
  TRY(client_.update(context, resource(), object.with_metadata("resourceVersion", stored.resource_version()),
                     {.field_manager = std::string(kRecordManager)}));
  return {};
}

Result<void> ReleaseStore::set_status(const Context& context, int revision, std::string_view status,
                                      std::string_view description) const {
  ASSIGN_OR_RETURN(charts::Release record, read(context, revision));
  record.status = status;
  if (!description.empty()) record.description = description;
  return update(context, record);
}

Result<void> ReleaseStore::remove(const Context& context, int revision) const {
  return even_if_gone(client_.remove(context, resource(), key(revision)));
}

}  // namespace coracle::reconcilers
