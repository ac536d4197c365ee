#include "kube/apiserver/internal/custom_resources/resources.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/custom_resources/definition.h"
#include "kube/apiserver/internal/http_answers.h"
#include "kube/apiserver/internal/tables/tables.h"
#include "kube/schema/pruning.h"

namespace coracle::kube::apiserver {

namespace {

constexpr const char* kCustomVerbs[] = {"delete", "deletecollection", "get",    "list",
                                        "patch",  "create",           "update", "watch"};

std::vector<SubresourceDescriptor> custom_subresources(const Value& subresources, const std::string& kind) {
  std::vector<SubresourceDescriptor> out;
  const std::vector<std::string> verbs = {"get", "patch", "update"};
  if (subresources["status"].is_object()) {
    SubresourceDescriptor status;
    status.name = "status";
    status.kind = kind;
    status.verbs = verbs;
    out.push_back(std::move(status));
  }
  const Value& paths = subresources["scale"];
  if (paths.is_object()) {
    SubresourceDescriptor scale;
    scale.name = "scale";
    scale.kind = "Scale";
    scale.group = "autoscaling";
    scale.version = "v1";
    scale.verbs = verbs;
    scale.spec_replicas_path = paths["specReplicasPath"].as_string();
    scale.status_replicas_path = paths["statusReplicasPath"].as_string();
    scale.label_selector_path = paths["labelSelectorPath"].as_string();
    out.push_back(std::move(scale));
  }
  return out;
}

// Between versions: strategy None changes nothing but apiVersion, and what the target does not know is dropped.
// Defaults are the business of whoever reads a body or the store: an owner's field that another version would fill in
// could never be taken away.
Result<Object> convert_custom(const Object& object, const GroupVersionKind& to, bool webhook,
                              const DefinitionSchemas& schemas) {
  if (object.gvk() == to) return object;
  if (webhook) {
    return internal_error("conversion webhook for " + std::string(object.api_version()) + ", Kind=" + to.kind +
                          " failed: this server does not call conversion webhooks");
  }
  const Object relabelled = object.with("apiVersion", to.api_version());
  const Schema* schema = schemas.find(to.api_version());
  return schema == nullptr ? relabelled : Object(prune(relabelled.tree(), *schema));
}

bool shapes_differ(const Value& versions) {
  const Value& first = versions.at(0)["schema"];
  return std::any_of(versions.items().begin(), versions.items().end(),
                     [&](const Value& version) { return !(version["schema"] == first); });
}

bool has_defaults(const Value& versions) {
  return std::any_of(versions.items().begin(), versions.items().end(), [](const Value& version) {
    return schema_mentions(version["schema"]["openAPIV3Schema"], "default");
  });
}

std::string deprecation_of(const Value& version, const GroupVersionKind& gvk) {
  if (!version["deprecated"].as_bool()) return {};
  const std::string_view own = version["deprecationWarning"].as_string();
  return own.empty() ? gvk.api_version() + " " + gvk.kind + " is deprecated" : std::string(own);
}

// The names that are accepted, or wanted where nothing is accepted yet.
const Value& names_of(const Object& definition) {
  const Value& accepted = definition["status"]["acceptedNames"];
  return accepted["plural"].as_string().empty() ? definition["spec"]["names"] : accepted;
}

ResourcePtr make_custom_resource(const Object& definition, const Value& version,
                                 const std::shared_ptr<const DefinitionSchemas>& schemas,
                                 const std::shared_ptr<const CustomState>& state) {
  const Value& spec = definition["spec"];
  const Value& names = names_of(definition);
  auto resource = std::make_shared<ResourceDescriptor>();
  const std::string group(spec["group"].as_string());
  const std::string kind(names["kind"].as_string());
  resource->gvk = {group, std::string(version["name"].as_string()), kind};
  resource->resource = names["plural"].as_string();
  resource->singular = names["singular"].as_string();
  if (resource->singular.empty()) resource->singular = to_lower(kind);
  resource->list_kind = names["listKind"].as_string();
  if (resource->list_kind.empty()) resource->list_kind = kind + "List";
  resource->namespaced = spec["scope"].as_string() == "Namespaced";
  resource->short_names = string_items(names["shortNames"]);
  resource->categories = string_items(names["categories"]);
  resource->verbs.assign(std::begin(kCustomVerbs), std::end(kCustomVerbs));
  resource->subresources = custom_subresources(version["subresources"], kind);
  resource->storage_prefix = "/registry/" + group + "/" + resource->resource + "/";
  resource->storage_gvk = {group, std::string(storage_version_of(definition)), kind};
  resource->custom = true;
  resource->definition = parse_int<std::int64_t>(definition.resource_version()).value_or(0);
  resource->table = custom_table(version["additionalPrinterColumns"]);
  for (const Value& field : version["selectableFields"].items()) {
    std::string_view path = field["jsonPath"].as_string();
    if (path.starts_with('.')) path.remove_prefix(1);
    resource->selectable_fields.emplace_back(path);
  }
  resource->schema_of_version = [schemas](std::string_view api_version) { return schemas->find(api_version); };
  resource->published_schema = [schemas, name = resource->gvk.version] { return schemas->published(name); };
  resource->published_id = http_answers::etag_of(json::write(version["schema"]));
  resource->fills_in = has_defaults(spec["versions"]);
  const bool webhook = spec["conversion"]["strategy"].as_string() == "Webhook";
  // Where versions differ in nothing but apiVersion, bytes are passed on as they are.
  if (spec["versions"].size() > 1 && (webhook || shapes_differ(spec["versions"]))) {
    resource->webhook_conversion = webhook;
    resource->convert = [schemas, webhook](const Object& object, const GroupVersionKind& to) {
      return convert_custom(object, to, webhook, *schemas);
    };
  }
  resource->deprecation_warning = deprecation_of(version, resource->gvk);
  CustomBehaviour behaviour{resource->gvk, resource->resource, schemas, state, false, false, {}, {}};
  behaviour.has_status = resource->find_subresource("status") != nullptr;
  behaviour.validates = resource->convert && resource->storage_gvk != resource->gvk;
  if (const SubresourceDescriptor* scale = resource->find_subresource("scale")) {
    behaviour.replicas_path = scale->spec_replicas_path;
    behaviour.status_replicas_path = scale->status_replicas_path;
  }
  resource->strategy = make_custom_strategy(std::move(behaviour));
  return resource;
}

}  // namespace

std::vector<ResourcePtr> custom_resources_of(const Object& definition, std::shared_ptr<const DefinitionSchemas> schemas,
                                             std::shared_ptr<const CustomState> state) {
  std::vector<ResourcePtr> resources;
  for (const Value& version : definition["spec"]["versions"].items()) {
    if (version["served"].as_bool()) resources.push_back(make_custom_resource(definition, version, schemas, state));
  }
  return resources;
}

}  // namespace coracle::kube::apiserver
