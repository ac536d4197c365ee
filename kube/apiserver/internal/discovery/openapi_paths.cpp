#include "kube/apiserver/internal/discovery/openapi_paths.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/text.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::string_view kStatusType = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";
constexpr std::string_view kDeleteOptionsType = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
constexpr std::string_view kPatchType = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
// The last one is for built-in types alone: clients take the list as what they may send.
constexpr std::string_view kPatchMedia[] = {"application/apply-patch+yaml", "application/json-patch+json",
                                            "application/merge-patch+json", "application/strategic-merge-patch+json"};
// So is protobuf.
constexpr std::string_view kOutputMedia[] = {"application/json", "application/yaml",
                                             "application/vnd.kubernetes.protobuf"};

struct Parameter {
  std::string_view name, type, description;
};
constexpr Parameter kListParameters[] = {
    {"allowWatchBookmarks", "boolean", "Whether a watch may send events that only tell how far it is."},
    {"continue", "string", "Where a list that came in pieces goes on: the value that the last piece carried."},
    {"fieldSelector", "string", "Restricts the objects by their fields."},
    {"labelSelector", "string", "Restricts the objects by their labels."},
    {"limit", "integer", "How many objects a piece of the list may have."},
    {"resourceVersion", "string", "How new the answer has to be."},
    {"resourceVersionMatch", "string", "How resourceVersion is applied to lists."},
    {"sendInitialEvents", "boolean", "Whether a watch begins with the objects that are there."},
    {"timeoutSeconds", "integer", "How long the call may take."},
    {"watch", "boolean", "Tell of changes instead of listing."},
};
constexpr Parameter kDryRun = {"dryRun", "string", "With All nothing is stored."};
constexpr Parameter kFieldManager = {"fieldManager", "string", "Who makes the change."};
constexpr Parameter kFieldValidation = {"fieldValidation", "string",
                                        "What unknown and repeated fields mean: Ignore, Warn or Strict."};
constexpr Parameter kWriteParameters[] = {kDryRun, kFieldManager, kFieldValidation};
constexpr Parameter kPatchParameters[] = {
    kDryRun, kFieldManager, kFieldValidation, {"force", "boolean", "Take over fields that others own (apply only)."}};
constexpr Parameter kDeleteParameters[] = {
    kDryRun,
    {"gracePeriodSeconds", "integer", "How long the object may take to end."},
    {"orphanDependents", "boolean", "Older form of propagationPolicy."},
    {"propagationPolicy", "string", "What happens to dependents: Orphan, Background or Foreground."},
};

// One operation by the verb that authorization knows.
struct Operation {
  std::string_view verb, method, action, id;
  std::span<const Parameter> parameters;
};
const Operation kCollectionOperations[] = {
    {"list", "get", "list", "list", kListParameters},
    {"create", "post", "post", "create", kWriteParameters},
    {"deletecollection", "delete", "deletecollection", "deleteCollection", kDeleteParameters},
};
const Operation kItemOperations[] = {
    {"get", "get", "get", "read", {}},
    {"create", "post", "post", "create", kWriteParameters},
    {"update", "put", "put", "replace", kWriteParameters},
    {"patch", "patch", "patch", "patch", kPatchParameters},
    {"delete", "delete", "delete", "delete", kDeleteParameters},
};

bool allows(const std::vector<std::string>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

std::string camel(std::string_view text) {
  std::string out;
  bool upper = true;
  for (char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter) {
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

class PathWriter {
 public:
  PathWriter(const ResourceDescriptor& resource, OpenApiDialect dialect, OpenApiTypes& types)
      : resource_(resource), v3_(dialect == OpenApiDialect::V3), types_(types) {}

  void write(Value::ObjectBuilder& paths) {
    const std::string& group = resource_.gvk.group;
    const std::string base = (group.empty() ? "/api/" : "/apis/" + group + "/") + resource_.gvk.version;
    const std::string collection =
        base + (resource_.namespaced ? "/namespaces/{namespace}/" : "/") + resource_.resource;
    add(paths, collection, collection_path());
    if (resource_.namespaced && allows(resource_.verbs, "list")) {
      add(paths, base + "/" + resource_.resource, everywhere_path());
    }
    const std::string item = collection + "/{name}";
    add(paths, item, item_path());
    for (const SubresourceDescriptor& subresource : resource_.subresources) {
      add(paths, item + "/" + subresource.name, subresource_path(subresource));
    }
  }

 private:
  static void add(Value::ObjectBuilder& paths, const std::string& path, const Value& entry) {
    if (!entry.is_null()) paths.append(path, entry);
  }

  Value parameter(const Parameter& parameter, std::string_view where) const {
    Value::ObjectBuilder out;
    out.set("name", parameter.name).set("in", where).set("description", parameter.description);
    if (where == "path") out.set("required", true);
    if (v3_) {
      out.set("schema", Value::object({{"type", parameter.type}, {"uniqueItems", true}}));
    } else {
      out.set("type", parameter.type).set("uniqueItems", true);
    }
    return std::move(out).build();
  }

  // Parameters that stand in the path belong to every operation of it.
  Value path_parameters(bool item, bool namespaced) const {
    const std::string name_text = "The name of the " + resource_.gvk.kind + ".";
    Value::ArrayBuilder out;
    if (item) out.add(parameter({"name", "string", name_text}, "path"));
    if (namespaced) out.add(parameter({"namespace", "string", "The namespace of the object."}, "path"));
    return std::move(out).build();
  }

  Value response(std::string_view description, const Value& schema) const {
    Value::ObjectBuilder out;
    out.set("description", description);
    if (schema.is_null()) return std::move(out).build();
    if (!v3_) return std::move(out.set("schema", schema)).build();
    Value::ObjectBuilder content;
    for (std::string_view media : output_media()) {
      content.append(std::string(media), Value::object({{"schema", schema}}));
    }
    return std::move(out.set("content", std::move(content).build())).build();
  }

  void add_body(const Operation& operation, const Value& object, Value::ObjectBuilder& out,
                Value::ArrayBuilder& parameters) {
    Value schema = object;
    if (operation.method == "delete") schema = types_.reference(kDeleteOptionsType);
    if (operation.method == "patch") schema = types_.reference(kPatchType);
    if (operation.method == "get" || schema.is_null()) return;
    const bool patch = operation.method == "patch";
    if (!v3_) {
      Value::ObjectBuilder body;
      body.set("name", "body").set("in", "body");
      if (operation.method != "delete") body.set("required", true);
      parameters.add(std::move(body.set("schema", schema)).build());
      if (patch) out.set("consumes", media_list(patch_media()));
      return;
    }
    Value::ObjectBuilder content;
    if (patch) {
      for (std::string_view media : patch_media()) {
        content.append(std::string(media), Value::object({{"schema", schema}}));
      }
    } else {
      content.append("*/*", Value::object({{"schema", schema}}));
    }
    Value::ObjectBuilder body;
    body.set("content", std::move(content).build());
    if (operation.method != "delete") body.set("required", true);
    out.set("requestBody", std::move(body).build());
  }

  std::span<const std::string_view> output_media() const {
    return std::span(kOutputMedia).first(std::size(kOutputMedia) - (resource_.custom ? 1 : 0));
  }
  std::span<const std::string_view> patch_media() const {
    return std::span(kPatchMedia).first(std::size(kPatchMedia) - (resource_.custom ? 1 : 0));
  }

  static Value media_list(std::span<const std::string_view> media) {
    Value::ArrayBuilder out;
    for (std::string_view one : media) out.add(one);
    return std::move(out).build();
  }

  struct Target {
    const Value& object;  // reference to what is sent and answered
    const Value& answer;
    const GroupVersionKind& gvk;
    std::string id_suffix;
    bool connect = false;
    bool namespaced = false;
  };

  Value operation(const Operation& operation, const Target& target) {
    Value::ObjectBuilder out;
    const std::string tag(short_group(resource_.gvk.group));
    out.set("tags", Value::array({tag + "_" + resource_.gvk.version}));
    out.set("description", std::string(operation.id) + " " + target.gvk.kind);
    out.set("operationId", std::string(operation.id) + camel(tag) + camel(resource_.gvk.version) +
                               (target.namespaced ? "Namespaced" : "") + resource_.gvk.kind + target.id_suffix);
    Value::ArrayBuilder parameters;
    if (!target.connect) {
      for (const Parameter& one : operation.parameters) parameters.add(parameter(one, "query"));
      add_body(operation, target.object, out, parameters);
    }
    if (!v3_) out.set("produces", media_list(output_media()));
    if (parameters.size() > 0) out.set("parameters", std::move(parameters).build());
    Value::ObjectBuilder responses;
    responses.append("200", response("OK", target.answer));
    if (operation.method == "post" || operation.method == "put" || operation.method == "patch") {
      responses.append("201", response("Created", target.answer));
    }
    responses.append("401", response("Unauthorized", Value()));
    out.set("responses", std::move(responses).build());
    out.set("x-kubernetes-action", target.connect ? std::string_view("connect") : operation.action);
    out.set("x-kubernetes-group-version-kind",
            Value::object({{"group", target.gvk.group}, {"kind", target.gvk.kind}, {"version", target.gvk.version}}));
    return std::move(out).build();
  }

  Value object_type() {
    if (resource_.custom) return types_.reference_to_custom(resource_, false);
    return types_.reference_to_kind(resource_.gvk);
  }
  Value list_type() {
    if (resource_.custom) return types_.reference_to_custom(resource_, true);
    return types_.reference_to_kind({resource_.gvk.group, resource_.gvk.version, resource_.list_kind});
  }

  Value answer_of(const Operation& operation, const Value& object) {
    if (operation.verb == "list") return list_type();
    if (operation.verb == "delete" || operation.verb == "deletecollection") return types_.reference(kStatusType);
    return object;
  }

  Value finish(Value::ObjectBuilder out, bool item, bool namespaced) const {
    if (out.size() == 0) return {};
    const Value parameters = path_parameters(item, namespaced);
    if (!parameters.empty()) out.set("parameters", parameters);
    return std::move(out).build();
  }

  Value plain_path(std::span<const Operation> operations, bool item) {
    const Value object = object_type();
    Value::ObjectBuilder out;
    for (const Operation& one : operations) {
      if (!allows(resource_.verbs, one.verb)) continue;
      // What is created is sent to the collection.
      if (item && one.verb == "create") continue;
      const Value answer = answer_of(one, object);
      out.append(std::string(one.method),
                 operation(one, {object, answer, resource_.gvk, "", false, resource_.namespaced}));
    }
    return finish(std::move(out), item, resource_.namespaced);
  }
  Value collection_path() { return plain_path(kCollectionOperations, false); }
  Value item_path() { return plain_path(kItemOperations, true); }

  Value everywhere_path() {
    const Value answer = list_type();
    Value::ObjectBuilder out;
    out.append("get",
               operation(kCollectionOperations[0], {answer, answer, resource_.gvk, "ForAllNamespaces", false, false}));
    return finish(std::move(out), false, false);
  }

  Value subresource_path(const SubresourceDescriptor& subresource) {
    const GroupVersionKind gvk = {subresource.version.empty() ? resource_.gvk.group : subresource.group,
                                  subresource.version.empty() ? resource_.gvk.version : subresource.version,
                                  subresource.kind};
    const bool connect = subresource.kind.ends_with("Options");
    const Value object = gvk == resource_.gvk ? object_type() : types_.reference_to_kind(gvk);
    Value::ObjectBuilder out;
    for (const Operation& one : kItemOperations) {
      if (!allows(subresource.verbs, one.verb)) continue;
      const Value answer = connect ? Value() : object;
      out.append(std::string(one.method),
                 operation(one, {object, answer, gvk, camel(subresource.name), connect, resource_.namespaced}));
    }
    return finish(std::move(out), true, resource_.namespaced);
  }

  const ResourceDescriptor& resource_;
  const bool v3_;
  OpenApiTypes& types_;
};

}  // namespace

void add_openapi_paths(Value::ObjectBuilder& paths, const ResourceDescriptor& resource, OpenApiDialect dialect,
                       OpenApiTypes& types) {
  PathWriter(resource, dialect, types).write(paths);
}

}  // namespace coracle::kube::apiserver
