#include "kube/patch/internal/managers.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/json/json.h"

namespace coracle::kube::patch::internal {
namespace {

constexpr std::size_t kMaxUpdaters = 10;
constexpr std::string_view kAncientManager = "ancient-changes";

Result<Manager> read_manager(const Value& entry, std::size_t position) {
  Manager manager;
  const std::string_view operation = entry["operation"].as_string();
  if (operation != "Apply" && operation != "Update") return bad_request("operation must be `Apply` or `Update`");
  manager.applied = operation == "Apply";
  manager.api_version = entry["apiVersion"].as_string();
  if (manager.api_version.empty()) return bad_request("apiVersion must not be empty");
  const std::string_view type = entry["fieldsType"].as_string();
  if (type.empty()) return bad_request("missing fieldsType in managed fields entry " + std::to_string(position));
  if (type != "FieldsV1") {
    return bad_request("invalid fieldsType \"" + std::string(type) + "\" in managed fields entry " +
                       std::to_string(position));
  }
  manager.name = entry["manager"].as_string();
  manager.subresource = entry["subresource"].as_string();
  manager.time = entry["time"].as_string();
  manager.written = entry["fieldsV1"];
  ASSIGN_OR_RETURN(manager.fields, FieldSet::from_fields_v1(manager.written));
  return manager;
}

Value write_manager(const Manager& manager) {
  std::vector<Value::Member> entry;
  entry.reserve(7);
  if (!manager.name.empty()) entry.push_back({"manager", manager.name});
  entry.push_back({"operation", manager.applied ? "Apply" : "Update"});
  entry.push_back({"apiVersion", manager.api_version});
  if (!manager.time.empty()) entry.push_back({"time", manager.time});
  entry.push_back({"fieldsType", "FieldsV1"});
  entry.push_back({"fieldsV1", manager.written.is_null() ? manager.fields.to_fields_v1() : manager.written});
  if (!manager.subresource.empty()) entry.push_back({"subresource", manager.subresource});
  return Value::object(std::move(entry));
}

}  // namespace

bool Manager::same_identity(const Manager& other) const {
  return applied == other.applied && name == other.name && subresource == other.subresource &&
         (applied || api_version == other.api_version);
}

std::string Manager::identity() const {
  std::vector<Value::Member> members;
  if (!name.empty()) members.push_back({"manager", name});
  members.push_back({"operation", applied ? "Apply" : "Update"});
  if (!applied) members.push_back({"apiVersion", api_version});
  if (!subresource.empty()) members.push_back({"subresource", subresource});
  return json::write(Value::object(std::move(members)));
}

std::string Manager::readable() const {
  std::string text;
  json::write_string(text, name);
  if (!subresource.empty()) {
    text += " with subresource ";
    json::write_string(text, subresource);
  }
  if (!applied) text += " using " + api_version;
  return text;
}

Result<Managers> read_managers(const Value& managed_fields) {
  Managers managers;
  managers.reserve(managed_fields.size() + 1);
  for (std::size_t i = 0; i < managed_fields.size(); ++i) {
    ASSIGN_OR_RETURN(Manager manager, read_manager(managed_fields.at(i), i));
    if (Manager* same = find_manager(managers, manager)) {
      *same = std::move(manager);
    } else {
      managers.push_back(std::move(manager));
    }
  }
  return managers;
}

Value write_managers(Managers managers) {
  if (managers.empty()) return {};
  std::sort(managers.begin(), managers.end(), [](const Manager& a, const Manager& b) {
    const bool a_updates = !a.applied, b_updates = !b.applied;
    return std::tie(a_updates, a.time, a.name, a.api_version, a.subresource) <
           std::tie(b_updates, b.time, b.name, b.api_version, b.subresource);
  });
  std::vector<Value> entries;
  entries.reserve(managers.size());
  for (const Manager& manager : managers) entries.push_back(write_manager(manager));
  return Value::array(std::move(entries));
}

Manager* find_manager(Managers& managers, const Manager& identity) {
  for (Manager& manager : managers) {
    if (manager.same_identity(identity)) return &manager;
  }
  return nullptr;
}

void drop_empty(Managers& managers) {
  managers.erase(
      std::remove_if(managers.begin(), managers.end(), [](const Manager& manager) { return manager.fields.empty(); }),
      managers.end());
}

void cap_updaters(Managers& managers) {
  const auto updaters = static_cast<std::size_t>(
      std::count_if(managers.begin(), managers.end(), [](const Manager& manager) { return !manager.applied; }));
  if (updaters <= kMaxUpdaters) return;
  // Oldest updaters first; appliers stay out of it.
  std::stable_sort(managers.begin(), managers.end(), [](const Manager& a, const Manager& b) {
    if (a.applied != b.applied) return !a.applied;
    if (a.applied) return false;
    if (a.time != b.time) return a.time < b.time;
    return a.identity() < b.identity();
  });
  std::size_t left = updaters;
  std::map<std::string, Manager> first_of_version;  // merged away only when a second one follows
  Managers kept;
  std::map<std::string, Manager> buckets;
  for (Manager& manager : managers) {
    if (manager.applied || left <= kMaxUpdaters) {
      kept.push_back(std::move(manager));
      continue;
    }
    const std::string version = manager.api_version;
    if (const auto bucket = buckets.find(version); bucket != buckets.end()) {
      bucket->second.set_fields(bucket->second.fields.united(manager.fields));
      bucket->second.time = manager.time;
      --left;
    } else if (const auto first = first_of_version.find(version); first != first_of_version.end()) {
      Manager merged{std::string(kAncientManager),
                     false,
                     version,
                     "",
                     manager.time,
                     first->second.fields.united(manager.fields),
                     Value()};
      first_of_version.erase(first);
      buckets.emplace(version, std::move(merged));
      --left;
    } else {
      first_of_version.emplace(version, std::move(manager));
    }
  }
  for (auto& [version, manager] : first_of_version) kept.push_back(std::move(manager));
  for (auto& [version, manager] : buckets) kept.push_back(std::move(manager));
  managers = std::move(kept);
}

}  // namespace coracle::kube::patch::internal
