#include "kube/apiserver/internal/discovery/openapi_paths.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/text.h"

namespace coracle::kube::apiserver {

namespace {

// Types by their short names.
std::string meta_type(std::string_view name) {
  return "io.k8s.apimachinery.pkg.apis.meta.v1." + std::string(name);
}
std::string core_type(std::string_view name) {
  return "io.k8s.api.core.v1." + std::string(name);
}

constexpr std::string_view kPretty = "Whether the answer is laid out to be read by people.";

// Clients take these lists as what they may send and get. Custom resources have neither protobuf nor strategic merge.
constexpr std::string_view kMedia[] = {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"};
constexpr std::string_view kStreamMedia[] = {"application/json", "application/yaml",
                                             "application/vnd.kubernetes.protobuf", "application/json;stream=watch",
                                             "application/vnd.kubernetes.protobuf;stream=watch"};
constexpr std::string_view kLogMedia[] = {"text/plain", "application/json", "application/yaml",
                                          "application/vnd.kubernetes.protobuf"};
constexpr std::string_view kCustomMedia[] = {"application/json", "application/yaml"};
constexpr std::string_view kAnyMedia[] = {"*/*"};
constexpr std::string_view kPatchMedia[] = {"application/json-patch+json", "application/merge-patch+json",
                                            "application/strategic-merge-patch+json", "application/apply-patch+yaml"};
constexpr std::string_view kCustomPatchMedia[] = {"application/json-patch+json", "application/merge-patch+json",
                                                  "application/apply-patch+yaml"};
// Deleting many takes what listing takes, but does not watch.
constexpr std::string_view kOnlyWatches[] = {"watch", "allowWatchBookmarks"};

// One operation by the verb that authorization knows.
struct Verb {
  std::string_view verb, method, action;
  std::string_view id, more;  // of operationId: what comes before group and version, and after them
  std::string_view text;
  std::string_view options;  // type of the parameters of the query
  bool created = false, accepted = false;
};
constexpr Verb kCollectionVerbs[] = {
    {"list", "get", "list", "list", "", "list or watch objects of kind ", "ListOptions"},
    {"create", "post", "post", "create", "", "create ", "CreateOptions", true, true},
    {"deletecollection", "delete", "deletecollection", "delete", "Collection", "delete collection of ",
     "DeleteOptions"},
};
constexpr Verb kItemVerbs[] = {
    {"get", "get", "get", "read", "", "read the specified ", ""},
    {"update", "put", "put", "replace", "", "replace the specified ", "UpdateOptions", true},
    {"create", "post", "post", "create", "", "create ", "CreateOptions", true, true},
    {"delete", "delete", "delete", "delete", "", "delete ", "DeleteOptions", false, true},
    {"patch", "patch", "patch", "patch", "", "partially update the specified ", "PatchOptions", true},
};
constexpr Verb kWatch = {"watch", "get", "watch", "watch", "", "watch changes to one ", "ListOptions"};
constexpr Verb kWatchList = {"watch",      "get", "watchlist", "watch", "", "watch changes to objects of kind ",
                             "ListOptions"};

// What a connection may be asked with, by the verb that permits it. "proxy" passes on the rest, too.
struct Connect {
  std::string_view verb, method;
};
constexpr Connect kConnects[] = {
    {"get", "get"},       {"update", "put"}, {"create", "post"}, {"delete", "delete"},
    {"proxy", "options"}, {"proxy", "head"}, {"patch", "patch"},
};

bool allows(const std::vector<std::string>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

// "rbac.authorization" as a name in generated code: "rbacAuthorization".
std::string camel(std::string_view text, bool upper) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (i == 0 || c < '0' || c > '9')) {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return out;
}

std::string_view short_group(std::string_view group) {
  if (group.empty()) return "core";
  return group.ends_with(".k8s.io") ? group.substr(0, group.size() - 7) : group;
}

std::string base_path(const GroupVersionKind& gvk) {
  return (gvk.group.empty() ? "/api/" : "/apis/" + gvk.group + "/") + gvk.version;
}

class ResourcePaths {
 public:
  ResourcePaths(OpenApiPaths& paths, const ResourceDescriptor& resource)
      : paths_(paths),
        operations_(paths.operations),
        types_(paths.types),
        resource_(resource),
        tag_(camel(short_group(resource.gvk.group), false) + "_" + camel(resource.gvk.version, false)),
        group_version_(camel(short_group(resource.gvk.group), true) + camel(resource.gvk.version, true)) {}

  void write() {
    const std::string base = base_path(resource_.gvk);
    write_collections(base, "");
    const std::string item = collection(base) + "/{name}";
    add(item, item_operations(resource_.verbs, {resource_.gvk, object_type(), ""}), item_parameters());
    for (const SubresourceDescriptor& one : resource_.subresources) write_subresource(item + "/" + one.name, one);
    // Upstream's older form of watching is told of, for clients that were generated with it.
    if (!resource_.custom && allows(resource_.verbs, "watch")) {
      write_collections(base + "/watch", "List");
      const Target target = {resource_.gvk, {}, ""};
      add(collection(base + "/watch") + "/{name}", {operation(kWatch, target)}, item_parameters());
    }
  }

 private:
  struct Target {
    const GroupVersionKind& gvk;
    Value object;        // schema of what is sent and answered
    std::string suffix;  // of operationId
    bool everywhere = false;
  };

  void add(const std::string& path, std::vector<OpenApiOperation> operations, std::vector<Value> parameters) {
    const Value item = operations_.path_item(std::move(operations), std::move(parameters));
    if (!item.is_null()) paths_.items[path] = item;
  }

  std::string collection(const std::string& base) const {
    return base + (resource_.namespaced ? "/namespaces/{namespace}/" : "/") + resource_.resource;
  }

  std::vector<Value> namespace_parameters() const {
    if (!resource_.namespaced) return {};
    return {operations_.path_parameter("namespace", "The namespace of the object.")};
  }
  std::vector<Value> item_parameters() const {
    std::vector<Value> out = namespace_parameters();
    out.push_back(operations_.path_parameter("name", "The name of the " + resource_.gvk.kind + "."));
    return out;
  }

  // The collection in one namespace and in all; of watches where `watches` is what their names end with.
  void write_collections(const std::string& base, const std::string& watches) {
    const Target target = {resource_.gvk, object_type(), watches};
    std::vector<OpenApiOperation> operations;
    if (!watches.empty()) {
      operations.push_back(operation(kWatchList, target));
    } else {
      for (const Verb& verb : kCollectionVerbs) {
        if (allows(resource_.verbs, verb.verb)) operations.push_back(operation(verb, target));
      }
    }
    add(collection(base), std::move(operations), namespace_parameters());
    if (!resource_.namespaced || !allows(resource_.verbs, "list")) return;
    const Target everywhere = {resource_.gvk, {}, watches + "ForAllNamespaces", true};
    add(base + "/" + resource_.resource, {operation(watches.empty() ? kCollectionVerbs[0] : kWatchList, everywhere)},
        {});
  }

  std::vector<OpenApiOperation> item_operations(const std::vector<std::string>& verbs, const Target& target) {
    std::vector<OpenApiOperation> out;
    for (const Verb& verb : kItemVerbs) {
      // What is created as such is sent to the collection.
      const bool here = verb.verb != "create" || !target.suffix.empty();
      if (here && allows(verbs, verb.verb)) out.push_back(operation(verb, target));
    }
    return out;
  }

  OpenApiOperation operation(const Verb& verb, const Target& target) {
    OpenApiOperation out;
    out.method = verb.method;
    out.action = verb.action;
    out.id = std::string(verb.id) + group_version_ + std::string(verb.more) +
             (resource_.namespaced && !target.everywhere ? "Namespaced" : "") + resource_.gvk.kind + target.suffix;
    out.tag = tag_;
    out.text = std::string(verb.text) + resource_.gvk.kind;
    out.gvk = &target.gvk;
    out.parameters = query_parameters(verb);
    set_media(verb, out);
    // An update by patch makes custom objects, too, but their documents do not say so.
    out.created = verb.created && !(resource_.custom && verb.verb == "patch");
    out.accepted = verb.accepted;
    set_schemas(verb, target, out);
    return out;
  }

  std::vector<Value> query_parameters(const Verb& verb) const {
    const bool custom = resource_.custom;
    std::string_view options = verb.options;
    if (custom && verb.verb == "get") options = "GetOptions";
    if (custom && verb.verb == "deletecollection") options = "ListOptions";
    std::vector<Value> out = operations_.options_of(meta_type(options));
    if (!custom && verb.verb == "deletecollection") {
      for (const Value& one : operations_.options_of(meta_type("ListOptions"), kOnlyWatches)) out.push_back(one);
    }
    out.push_back(operations_.query_parameter("pretty", "string", kPretty));
    return out;
  }

  void set_media(const Verb& verb, OpenApiOperation& out) const {
    const bool streams = verb.verb == "list" || verb.verb == "watch";
    if (resource_.custom) {
      out.consumes = verb.verb == "patch" ? std::span<const std::string_view>(kCustomPatchMedia) : kCustomMedia;
      out.produces = kCustomMedia;
      return;
    }
    out.consumes = verb.verb == "patch" ? std::span<const std::string_view>(kPatchMedia) : kAnyMedia;
    out.produces = streams ? std::span<const std::string_view>(kStreamMedia) : kMedia;
  }

  void set_schemas(const Verb& verb, const Target& target, OpenApiOperation& out) {
    const bool many = verb.verb == "deletecollection";
    if (verb.verb == "list") {
      out.answer = list_type();
    } else if (verb.verb == "watch") {
      out.answer = types_.reference(meta_type("WatchEvent"));
    } else if (many || verb.verb == "delete") {
      // Upstream's documents do not tell that a namespace that is deleted is answered as well.
      const bool told = !many && !resource_.custom && resource_.gvk.kind != "Namespace";
      const bool returns_object = told && resource_.strategy->returns_object_on_delete();
      out.answer = returns_object ? target.object : types_.reference(meta_type("Status"));
      if (!many || !resource_.custom) out.body = types_.reference(meta_type("DeleteOptions"));
      out.body_required = false;
    } else {
      out.answer = target.object;
      if (verb.verb == "patch") out.body = types_.reference(meta_type("Patch"));
      if (verb.verb == "create" || verb.verb == "update") out.body = target.object;
    }
  }

  void write_subresource(const std::string& path, const SubresourceDescriptor& subresource) {
    const bool own = subresource.version.empty();
    const GroupVersionKind gvk = {own ? resource_.gvk.group : subresource.group,
                                  own ? resource_.gvk.version : subresource.version, subresource.kind};
    if (subresource.kind.ends_with("Options")) return write_connect(path, subresource, gvk);
    const std::string suffix = camel(subresource.name, true);
    const Value object = gvk == resource_.gvk ? object_type() : types_.reference_to_kind(gvk);
    std::vector<OpenApiOperation> operations =
        item_operations(subresource.verbs, {resource_.custom ? resource_.gvk : gvk, object, suffix});
    if (subresource.name == "log") {
      OpenApiOperation& read = operations.front();
      read.answer = Value::object({{"type", "string"}});
      read.produces = kLogMedia;
      for (const Value& one : operations_.options_of(core_type("PodLogOptions"))) read.parameters.push_back(one);
    }
    add(path, std::move(operations), item_parameters());
  }

  void write_connect(const std::string& path, const SubresourceDescriptor& subresource, const GroupVersionKind& gvk) {
    const bool proxy = subresource.name == "proxy";
    const auto connects = [&](const std::string& suffix) {
      std::vector<OpenApiOperation> out;
      for (const Connect& one : kConnects) {
        if (!allows(subresource.verbs, one.verb) && !(proxy && one.verb == "proxy")) continue;
        OpenApiOperation& operation = out.emplace_back();
        operation.method = one.method;
        operation.action = "connect";
        operation.id = "connect" + group_version_ + camel(one.method, true) +
                       (resource_.namespaced ? "Namespaced" : "") + resource_.gvk.kind + camel(subresource.name, true) +
                       suffix;
        operation.tag = tag_;
        operation.text = "connect to " + subresource.name + " of " + resource_.gvk.kind;
        operation.gvk = &gvk;
        operation.parameters = operations_.options_of(core_type(gvk.kind));
        operation.answer = Value::object({{"type", "string"}});
        operation.consumes = operation.produces = kAnyMedia;
      }
      return out;
    };
    add(path, connects(""), item_parameters());
    if (!proxy) return;
    std::vector<Value> parameters = item_parameters();
    parameters.push_back(operations_.path_parameter("path", "What is asked of the target."));
    add(path + "/{path}", connects("WithPath"), std::move(parameters));
  }

  Value object_type() {
    if (resource_.custom) return types_.reference_to_custom(resource_, false);
    return types_.reference_to_kind(resource_.gvk);
  }
  Value list_type() {
    if (resource_.custom) return types_.reference_to_custom(resource_, true);
    return types_.reference_to_kind({resource_.gvk.group, resource_.gvk.version, resource_.list_kind});
  }

  OpenApiPaths& paths_;
  OpenApiOperations& operations_;
  OpenApiTypes& types_;
  const ResourceDescriptor& resource_;
  const std::string tag_, group_version_;
};

}  // namespace

Value OpenApiPaths::build() && {
  Value::ObjectBuilder out;
  for (auto& [path, item] : items) out.append(path, std::move(item));
  return std::move(out).build();
}

void add_openapi_paths(OpenApiPaths& paths, const ResourceDescriptor& resource) {
  ResourcePaths(paths, resource).write();
}

void add_discovery_path(OpenApiPaths& paths, const std::string& path) {
  static constexpr std::string_view kJson[] = {"application/json"};
  static constexpr std::string_view kKeySet[] = {"application/jwk-set+json"};
  const std::vector<std::string_view> parts = split(path, '/');
  OpenApiOperation operation;
  operation.method = "get";
  operation.consumes = operation.produces = kMedia;
  std::string type, tag(parts.front());
  if (path == "version") {
    operation.id = "getCodeVersion";
    type = "io.k8s.apimachinery.pkg.version.Info";
    operation.consumes = operation.produces = kJson;
  } else if (path == "openid/v1/jwks") {
    operation.id = "getServiceAccountIssuerOpenIDKeyset";
    operation.produces = kKeySet;
  } else if (path == ".well-known/openid-configuration") {
    operation.id = "getServiceAccountIssuerOpenIDConfiguration";
    operation.produces = kJson;
    tag = "WellKnown";
  } else if (path == "apis") {
    operation.id = "getAPIVersions";
    type = meta_type("APIGroupList");
  } else if (path == "api") {
    operation.id = "getCoreAPIVersions";
    type = meta_type("APIVersions");
    tag = "core";
  } else {
    const std::string_view group = short_group(parts.front() == "api" ? "" : parts[1]);
    const bool version = parts.front() == "api" || parts.size() > 2;
    tag = camel(group, false) + (version ? "_" + camel(parts.back(), false) : "");
    operation.id = "get" + camel(group, true) + (version ? camel(parts.back(), true) + "APIResources" : "APIGroup");
    type = meta_type(version ? "APIResourceList" : "APIGroup");
  }
  if (type.empty()) operation.consumes = {};
  operation.tag = tag;
  operation.text = "get what is served at /" + path;
  operation.answer = type.empty() ? Value::object({{"type", "string"}}) : paths.types.reference(type);
  // Upstream writes lists and the version with a slash at their end.
  paths.items["/" + path + "/"] = paths.operations.path_item({std::move(operation)}, {});
}

}  // namespace coracle::kube::apiserver
