#!/usr/bin/env python3
"""Reads the public Kubernetes API definitions and writes kube/schema/data/*.json.

usage: extract.py CHECKOUT OUTPUT

CHECKOUT is a checkout of kubernetes/kubernetes (it needs api/openapi-spec/v3 and staging/src/k8s.io/{api,apimachinery,
apiextensions-apiserver,kube-aggregator}). Run by hand when the supported release of Kubernetes changes; the output is
checked in. Only wire facts are taken: names, numbers, types and flags, never descriptions.

Go's struct tags and markers give field order, JSON names, protobuf numbers, pointers and what is always printed; the
published OpenAPI documents give what is required, how lists merge and the patch strategy. Types that no document
publishes (options, tables) take those from the markers.
"""

import glob
import json
import os
import re
import sys

# Go package below staging/src/k8s.io, and the group and version that it defines.
PACKAGES = [
    ("apimachinery/pkg/apis/meta/v1", "meta.k8s.io", "v1"),
    ("apimachinery/pkg/version", "version", ""),  # no group: what /version answers
    ("api/core/v1", "", "v1"),
    ("api/admission/v1", "admission.k8s.io", "v1"),
    ("api/admissionregistration/v1", "admissionregistration.k8s.io", "v1"),
    ("apiextensions-apiserver/pkg/apis/apiextensions/v1", "apiextensions.k8s.io", "v1"),
    ("kube-aggregator/pkg/apis/apiregistration/v1", "apiregistration.k8s.io", "v1"),
    ("api/apidiscovery/v2", "apidiscovery.k8s.io", "v2"),
    ("api/apps/v1", "apps", "v1"),
    ("api/authentication/v1", "authentication.k8s.io", "v1"),
    ("api/authorization/v1", "authorization.k8s.io", "v1"),
    ("api/autoscaling/v1", "autoscaling", "v1"),
    ("api/autoscaling/v2", "autoscaling", "v2"),
    ("api/batch/v1", "batch", "v1"),
    ("api/certificates/v1", "certificates.k8s.io", "v1"),
    ("api/coordination/v1", "coordination.k8s.io", "v1"),
    ("api/discovery/v1", "discovery.k8s.io", "v1"),
    ("api/events/v1", "events.k8s.io", "v1"),
    ("api/flowcontrol/v1", "flowcontrol.apiserver.k8s.io", "v1"),
    ("api/networking/v1", "networking.k8s.io", "v1"),
    ("api/node/v1", "node.k8s.io", "v1"),
    ("api/policy/v1", "policy", "v1"),
    ("api/rbac/v1", "rbac.authorization.k8s.io", "v1"),
    ("api/resource/v1", "resource.k8s.io", "v1"),
    ("api/scheduling/v1", "scheduling.k8s.io", "v1"),
    ("api/storage/v1", "storage.k8s.io", "v1"),
]

# Kinds of the meta package that every group's scheme also knows, and those that only meta.k8s.io serves.
META_KINDS = [
    "APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "CreateOptions", "DeleteOptions", "GetOptions",
    "ListOptions", "PartialObjectMetadata", "PartialObjectMetadataList", "PatchOptions", "Status", "Table",
    "TableOptions", "UpdateOptions", "WatchEvent",
]
CORE_META_KINDS = [
    "APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "CreateOptions", "DeleteOptions", "GetOptions",
    "ListOptions", "PatchOptions", "Status", "UpdateOptions", "WatchEvent",
]

# Go types whose JSON or protobuf form is code, not a struct.
SPECIAL = {
    "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "time",
    "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "microTime",
    "k8s.io/apimachinery/pkg/apis/meta/v1.Duration": "duration",
    "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "fieldsV1",
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "intOrString",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "rawExtension",
    "k8s.io/apimachinery/pkg/types.UID": "string",
    "k8s.io/apimachinery/pkg/types.NodeName": "string",
    "k8s.io/apimachinery/pkg/types.NamespacedName": "string",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON": "json",
}
# Structs with a JSON form that is one of several: which field a JSON value fills depends on its kind.
UNIONS = {
    "JSONSchemaPropsOrArray": [("schema", 1, "JSONSchemaProps", True), ("jSONSchemas", 2, "[]JSONSchemaProps", False)],
    "JSONSchemaPropsOrBool": [("allows", 1, "bool", False), ("schema", 2, "JSONSchemaProps", True)],
    "JSONSchemaPropsOrStringArray": [("schema", 1, "JSONSchemaProps", True), ("property", 2, "[]string", False)],
}
SCALARS = {
    "bool": "bool", "string": "string", "int": "int64", "int32": "int32", "int64": "int64", "uint8": "int32",
    "uint16": "int32", "uint32": "int64", "uint64": "int64", "float32": "float64", "float64": "float64",
    "interface{}": "any", "any": "any",
}
# Types that Go prints even when empty, because omitempty does not look into structs.
STRUCT_LIKE = {"time", "microTime", "duration", "fieldsV1", "quantity", "intOrString", "rawExtension", "json"}

FIELD = re.compile(r"^\t(?:(\w+)\s+)?([\w.*\[\]{}]+)\s+`([^`]*)`")
TAG = re.compile(r'(\w+):"([^"]*)"')
# Name Type = "text", Name = Type("text") and Name = Type(other.Name).
CONSTANT = re.compile(r'^\s*(?:const\s+)?(\w+)\s+(?:(\w+)\s*)?=\s*(?:(\w+)\()?(?:"([^"]*)"|(\w+)\.(\w+)\))')


def openapi_name(package, name):
    """k8s.io/api/core/v1 and Pod make io.k8s.api.core.v1.Pod."""
    return "io.k8s." + package[len("k8s.io/"):].replace("/", ".") + "." + name


class GoField:
    def __init__(self, go_name, go_type, tags, markers):
        self.go_name = go_name
        self.go_type = go_type
        self.markers = markers
        json_tag = tags.get("json", "").split(",")
        self.json_name = json_tag[0]
        self.inline = "inline" in json_tag[1:] or (not go_name and not self.json_name)
        self.omitempty = "omitempty" in json_tag[1:]
        self.omitzero = "omitzero" in json_tag[1:]
        protobuf = tags.get("protobuf", "-").split(",")
        self.number = int(protobuf[1]) if len(protobuf) > 1 else 0
        self.patch_strategy = tags.get("patchStrategy", "")
        self.patch_merge_key = tags.get("patchMergeKey", "")

    def marker(self, name):
        return self.markers.get(name)


class GoType:
    def __init__(self, name, markers, imports, definition=None):
        self.name = name
        self.markers = markers
        self.imports = imports
        self.definition = definition  # right-hand side of a type that is no struct
        self.fields = []


class GoPackage:
    """The struct types, named types and string constants of one Go package."""

    def __init__(self, root, path):
        self.path = "k8s.io/" + path
        self.types = {}
        self.constants = {}  # by type: texts, or where another package's constant is
        self.texts = {}  # by name
        self.enums_excluded = set()
        folder = os.path.join(root, "staging/src/k8s.io", path)
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".go") or name.startswith("zz_") or name.endswith("_test.go"):
                continue
            if name.startswith("generated") or name.endswith("_generated.go"):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                self._parse(file.read())

    def _parse(self, text):
        imports = {}
        for block in re.findall(r"^import \((.*?)^\)", text, re.S | re.M) + re.findall(r'^import (.*"[^"]+")$', text, re.M):
            for alias, path in re.findall(r'(\w+)?\s*"([^"]+)"', block):
                imports[alias or path.rsplit("/", 1)[-1]] = path
        markers, current = {}, None
        for line in text.split("\n"):
            stripped = line.strip()
            if stripped.startswith("//"):
                found = re.match(r"//\s*\+([\w:.()-]+)(?:=(.*))?", stripped)
                if found:
                    markers.setdefault(found.group(1), []).append((found.group(2) or "").strip())
                continue
            if current is not None:
                if line.startswith("}"):
                    current = None
                elif found := FIELD.match(line):
                    current.fields.append(GoField(found.group(1), found.group(2), dict(TAG.findall(found.group(3))), markers))
                elif re.match(r"^\t[\w.]+$", line):  # embedded without a tag
                    current.fields.append(GoField(None, stripped, {}, markers))
            elif found := re.match(r"^type (\w+) struct ?\{\}$", line):
                self.types[found.group(1)] = GoType(found.group(1), markers, imports)
            elif found := re.match(r"^type (\w+) struct \{\s*$", line):
                current = GoType(found.group(1), markers, imports)
                self.types[current.name] = current
            elif found := re.match(r"^type (\w+) (?:= )?([\w.*\[\]{}]+)$", line):
                self.types[found.group(1)] = GoType(found.group(1), markers, imports, found.group(2))
            elif found := CONSTANT.match(line):
                name, declared, converted, text, alias, other = found.groups()
                self.texts[name] = text
                if "k8s:enumExclude" not in markers:
                    value = text if alias is None else (imports[alias], other)
                    self.constants.setdefault(declared or converted, []).append(value)
            # Above a type a blank line may separate markers from its documentation; inside a struct it ends them.
            if stripped or current is not None:
                markers = {}


class Extractor:
    def __init__(self, root):
        self.root = root
        self.packages = {"k8s.io/" + path: GoPackage(root, path) for path, _, _ in PACKAGES}
        # Only its TypeMeta is inlined, elsewhere its types are special.
        self.packages["k8s.io/apimachinery/pkg/runtime"] = GoPackage(root, "apimachinery/pkg/runtime")
        self.published = {}
        for path in glob.glob(os.path.join(root, "api/openapi-spec/v3/*_openapi.json")):
            with open(path, encoding="utf-8") as file:
                self.published.update(json.load(file).get("components", {}).get("schemas", {}))

    def resolve(self, package, go_type, imports):
        """The data file's spelling of a Go type, as (spelling, pointer)."""
        if go_type.startswith("*"):
            return self.resolve(package, go_type[1:], imports)[0], True
        if go_type == "[]byte":
            return "bytes", False
        if go_type.startswith("[]"):
            return "[]" + self.resolve(package, go_type[2:], imports)[0], False
        if found := re.match(r"map\[[\w.]+\](.*)", go_type):
            return "{}" + self.resolve(package, found.group(1), imports)[0], False
        if go_type in SCALARS:
            return SCALARS[go_type], False
        home, name = package.path, go_type
        if "." in go_type:
            alias, name = go_type.split(".")
            home = imports[alias]
        if home + "." + name in SPECIAL:
            return SPECIAL[home + "." + name], False
        definition = self.packages[home].types[name]
        if definition.definition is None:
            return self.spell(package, home, name), False
        if self.is_enum(home, name):
            return self.spell(package, home, name), False
        if self.is_wrapped(definition):
            return self.spell(package, home, name), False
        spelling, pointer = self.resolve(self.packages[home], definition.definition, definition.imports)
        if home != package.path and re.search(r"[A-Z]", spelling) and "." not in spelling:
            prefix = re.match(r"[\[\]{}]*", spelling).group(0)
            if spelling[len(prefix):] not in set(SPECIAL.values()):
                spelling = prefix + self.spell(package, home, spelling[len(prefix):])
        return spelling, pointer

    @staticmethod
    def spell(package, home, name):
        return name if home == package.path else openapi_name(home, name)

    def is_enum(self, home, name):
        definition = self.packages[home].types[name]
        return definition.definition == "string" and "enum" in definition.markers and \
            name in self.packages[home].constants

    def text(self, constant):
        """A constant's text, also when it is that of another package's."""
        if isinstance(constant, str):
            return constant
        home, name = constant
        return self.packages[home].texts[name]

    @staticmethod
    def is_wrapped(definition):
        return definition.definition.startswith("[]") and "protobuf.nullable" in definition.markers

    def struct_like(self, package, spelling):
        if spelling in STRUCT_LIKE:
            return True
        if spelling in SCALARS.values() or spelling == "bytes" or spelling[0] in "[{":
            return False
        home, name = package.path, spelling
        if "." in spelling:
            home, name = "k8s.io/" + spelling[len("io.k8s."):].rsplit(".", 1)[0].replace(".", "/"), spelling.rsplit(".", 1)[1]
            home = next(path for path in self.packages if path.replace(".", "/") == home.replace("k8s.io/", "k8s/io/", 1))
        return self.packages[home].types[name].definition is None

    def fields_of(self, package, go_type, embedded=()):
        rows = []
        for field in go_type.fields:
            if field.json_name == "-" and not field.inline:
                continue
            if field.inline:
                name, home = field.go_type, package
                if "." in name:
                    alias, name = name.split(".")
                    home = self.packages[go_type.imports[alias]]
                numbers = embedded + ((field.number,) if field.number else ())
                inner = self.fields_of(home, home.types[name], numbers)
                for row in inner:
                    self.respell(row, home, package)
                    if not field.number:  # TypeMeta travels in the envelope, not in the message
                        row.pop("number", None)
                        row.pop("embedded_in", None)
                rows += inner
            elif field.json_name:
                rows.append(self.row_of(package, go_type, field, embedded))
        return rows

    def respell(self, row, home, package):
        """Type names of an inlined struct are relative to the package that declares it."""
        if home is package:
            return
        prefix = re.match(r"[\[\]{}]*", row["type"]).group(0)
        rest = row["type"][len(prefix):]
        if "." not in rest and rest in home.types:
            row["type"] = prefix + openapi_name(home.path, rest)

    def row_of(self, package, go_type, field, embedded):
        spelling, pointer = self.resolve(package, field.go_type, go_type.imports)
        row = {"name": field.json_name}
        if field.number:
            row["number"] = field.number
            if embedded:
                row["embedded_in"] = list(embedded)
        row["type"] = spelling
        if pointer:
            row["pointer"] = True
        struct = not pointer and self.struct_like(package, spelling)
        if not field.omitempty and not field.omitzero or struct and not field.omitzero:
            row["always_emitted"] = True
        published = self.published.get(openapi_name(package.path, go_type.name))
        if published is not None and published.get("properties", {}).get(field.json_name) is not None:
            self.published_flags(row, published, field.json_name)
        else:
            self.marker_flags(row, field)
        if field.marker("default"):
            row["default"] = self.default_of(package, go_type, field.marker("default")[0])
        if field.patch_strategy:
            row["patch_strategy"] = field.patch_strategy
        if field.patch_merge_key:
            row["patch_merge_key"] = field.patch_merge_key
        return row

    @staticmethod
    def published_flags(row, published, name):
        schema = published["properties"][name]
        if name in published.get("required", []):
            row["required"] = True
        if "x-kubernetes-list-type" in schema:
            row["list_type"] = schema["x-kubernetes-list-type"]
        if "x-kubernetes-list-map-keys" in schema:
            row["list_map_keys"] = schema["x-kubernetes-list-map-keys"]
        if "x-kubernetes-map-type" in schema:
            row["atomic_map"] = schema["x-kubernetes-map-type"] == "atomic"

    @staticmethod
    def marker_flags(row, field):
        if not field.omitempty and field.marker("optional") is None:
            row["required"] = True
        if field.marker("listType"):
            row["list_type"] = field.marker("listType")[0]
        if field.marker("listMapKey"):
            row["list_map_keys"] = field.marker("listMapKey")
        topology = (field.marker("mapType") or []) + (field.marker("structType") or [])
        # A field may take its type's members apart although the type is atomic elsewhere.
        if "atomic" in topology or "granular" in topology:
            row["atomic_map"] = "atomic" in topology

    def default_of(self, package, go_type, text):
        """A marker holds JSON, or ref(Constant)."""
        found = re.match(r"ref\((?:(.*)\.)?(\w+)\)", text)
        if not found:
            return json.loads(text)
        home = package if not found.group(1) else self.packages[found.group(1)]
        folder = os.path.join(self.root, "staging/src/k8s.io", home.path[len("k8s.io/"):])
        for path in glob.glob(os.path.join(folder, "*.go")):
            with open(path, encoding="utf-8") as file:
                value = re.search(r"\b" + found.group(2) + r"\s+\w*\s*=\s*(\"[^\"]*\"|\d+)", file.read())
            if value:
                return json.loads(value.group(1))
        raise SystemExit(f"{package.path}: {go_type.name}: no constant for {text}")

    def extract(self, path, group, version):
        package = self.packages["k8s.io/" + path]
        meta = group == "meta.k8s.io"
        kinds, types = [], {}
        for name, go_type in sorted(package.types.items()):
            full = package.path + "." + name
            if full in SPECIAL or name.startswith("Internal"):
                continue
            if name in UNIONS and "apiextensions" in path:
                types[name] = {"union": [self.union_row(*row) for row in UNIONS[name]]}
            elif go_type.definition is None:
                if go_type.fields and not any(field.json_name or field.inline for field in go_type.fields):
                    continue
                types[name] = self.struct_of(package, go_type)
                objects = go_type.markers.get("k8s:deepcopy-gen:interfaces", [])
                inlined = any(field.inline and field.go_type.endswith("TypeMeta") for field in go_type.fields)
                if not meta and inlined and any("runtime.Object" in item for item in objects):
                    kinds.append(name)
            elif self.is_enum(package.path, name):
                types[name] = {"enum": sorted({self.text(value) for value in package.constants[name]})}
            elif self.is_wrapped(go_type):
                types[name] = {"wrapped": self.resolve(package, go_type.definition[2:], go_type.imports)[0]}
        result = {"group": group, "version": version, "package": openapi_name(package.path, "")[:-1],
                  "kinds": META_KINDS if meta else kinds, "types": types}
        if meta:
            result["core_kinds"] = CORE_META_KINDS
        return result

    @staticmethod
    def union_row(name, number, spelling, pointer):
        row = {"name": name, "number": number, "type": spelling}
        if pointer:
            row["pointer"] = True
        return row

    def struct_of(self, package, go_type):
        result = {}
        published = self.published.get(openapi_name(package.path, go_type.name), {})
        markers = (go_type.markers.get("structType") or []) + (go_type.markers.get("mapType") or [])
        if published.get("x-kubernetes-map-type") == "atomic" or "atomic" in markers:
            result["atomic"] = True
        if "x-kubernetes-unions" in published:
            result["unions"] = published["x-kubernetes-unions"]
        result["fields"] = self.fields_of(package, go_type)
        return result


def write(result, path):
    """One line per field, so that a new release is readable as a diff."""
    lines = ["{"]
    for key in ("group", "version", "package"):
        lines.append(f" {json.dumps(key)}: {json.dumps(result[key])},")
    for key in ("kinds", "core_kinds"):
        if key in result:
            names = "\n  " + ",\n  ".join(json.dumps(kind) for kind in result[key]) if result[key] else ""
            lines.append(f" {json.dumps(key)}: [{names}],")
    lines.append(' "types": {')
    names = list(result["types"])
    for name in names:
        comma = "," if name != names[-1] else ""
        definition = result["types"][name]
        rows = definition.get("fields", definition.get("union"))
        if rows is None:
            lines.append(f"  {json.dumps(name)}: {json.dumps(definition)}{comma}")
            continue
        head = '"atomic": true, ' if definition.get("atomic") else ""
        if "unions" in definition:
            head += '"unions": ' + json.dumps(definition["unions"], separators=(",", ":")) + ", "
        key = "fields" if "fields" in definition else "union"
        body = ",\n".join("   " + json.dumps(row, separators=(",", ":")) for row in rows)
        lines.append(f'  {json.dumps(name)}: {{{head}"{key}": [\n{body}]}}{comma}')
    lines.append(" }\n}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    if not os.path.isdir(os.path.join(sys.argv[1], "staging/src/k8s.io")) or not os.path.isdir(sys.argv[2]):
        raise SystemExit(f"extract.py: {sys.argv[1]} must be a checkout of kubernetes/kubernetes and {sys.argv[2]} a folder")
    extractor = Extractor(sys.argv[1])
    for path, group, version in PACKAGES:
        stem = "_".join(part for part in ((group or "core").split(".")[0], version) if part)
        write(extractor.extract(path, group, version), os.path.join(sys.argv[2], stem + ".json"))


if __name__ == "__main__":
    main()
