#!/usr/bin/env python3
"""Turns the checked-in schemas into C++ constant tables.

usage: generate.py DATA OVERLAY OUTPUT.cpp

DATA holds one JSON file per group and version (extract.py writes them); OVERLAY holds what people add by hand:
  descriptions.json  {type: {field or "": sentence}}
  defaults.json      {type: {field: value}}; "conditional" lists types whose defaults also need code
  immutable.json     {type: [field]}
Equal nodes are written once. The tables are constant-initialised arrays that point at each other, so that the program
reads them from its file without running any code.
"""

import glob
import json
import os
import sys

SCALARS = {
    "bool": ("Boolean", "None"),
    "int32": ("Integer", "Int32"),
    "int64": ("Integer", "Int64"),
    "float64": ("Number", "Double"),
    "string": ("String", "None"),
    "bytes": ("Bytes", "Byte"),
    "quantity": ("Quantity", "None"),
    "intOrString": ("IntOrString", "None"),
    "time": ("Time", "DateTime"),
    "microTime": ("MicroTime", "DateTime"),
    "duration": ("Duration", "None"),
    "rawExtension": ("RawExtension", "None"),
    "json": ("RawExtension", "None"),
    "fieldsV1": ("FieldsV1", "None"),
    "any": ("Any", "None"),
}
# OpenAPI names of the types that have a form of their own.
NAMES = {
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "intOrString": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "time": "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
    "microTime": "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
    "duration": "io.k8s.apimachinery.pkg.apis.meta.v1.Duration",
    "rawExtension": "io.k8s.apimachinery.pkg.runtime.RawExtension",
    "json": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
    "fieldsV1": "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
}
# Resource lists: their quantities are rounded where other types have defaults.
ROUNDED = "{}quantity"
PATCH_BITS = {"merge": "kPatchMerge", "replace": "kPatchReplace", "retainKeys": "kPatchRetainKeys"}
LIST_TYPES = {"atomic": "Atomic", "set": "Set", "map": "Map"}


def fail(message):
    raise SystemExit("generate.py: " + message)


def quote(text):
    """A string_view literal; nothing for an empty text."""
    if not text:
        return "{}"
    return json.dumps(text, ensure_ascii=True).replace("\\u", "\\\\u") + "sv"


class Pool:
    """Rows of one array; equal rows share a place."""

    def __init__(self, name):
        self.name = name
        self.rows = []
        self.places = {}

    def add(self, rows):
        """The first index of these consecutive rows."""
        key = tuple(rows)
        if key not in self.places:
            self.places[key] = len(self.rows)
            self.rows.extend(rows)
        return self.places[key]

    def span(self, rows):
        if not rows:
            return "{}"
        return f"{{{self.name} + {self.add(rows)}, {len(rows)}}}"


class Tables:
    def __init__(self, data, overlay):
        self.groups = data
        self.types = {}
        for group in data:
            for name, definition in group["types"].items():
                self.types[group["package"] + "." + name] = dict(definition, package=group["package"])
        self.descriptions = overlay.get("descriptions", {})
        defaults = overlay.get("defaults", {})
        self.conditional = set(defaults.pop("conditional", []))
        self.immutable = overlay.get("immutable", {})
        self.apply_overlay(defaults)
        self.strings = Pool("kStrings")
        self.numbers = Pool("kNumbers")
        self.fields = Pool("kFields")
        self.constraints = Pool("kConstraints")
        self.nodes = []          # text, or None while the node is being built
        self.node_places = {}
        self.struct_fields = {}  # type name: its span of kFields
        self.defaulted = self.find_defaulted()

    def apply_overlay(self, defaults):
        for name, fields in list(defaults.items()) + list(self.immutable.items()) + list(self.descriptions.items()):
            if name not in self.types:
                fail(f"overlay: no type {name}")
            known = {row["name"] for row in self.types[name].get("fields", [])} | {""}
            for field in fields:
                if field not in known:
                    fail(f"overlay: {name} has no field {field!r}")
        for name in self.conditional:
            if name not in self.types:
                fail(f"overlay: no type {name}")
        for name, definition in self.types.items():
            for row in definition.get("fields", []):
                overlaid = row["name"] in defaults.get(name, {})
                row["declared_default"] = "default" in row and not overlaid
                if overlaid:
                    row["default"] = defaults[name][row["name"]]

    def full_name(self, spelling, package):
        return spelling if "." in spelling else package + "." + spelling

    def referenced(self, spelling, package):
        """The type at the end of a spelling, or None."""
        spelling = spelling.lstrip("[]{}")
        return None if spelling in SCALARS else self.full_name(spelling, package)

    def find_defaulted(self):
        """Types with a default in or below them."""
        found = {name for name, definition in self.types.items()
                 if name in self.conditional or any("default" in row or row["type"] == ROUNDED
                                                    for row in definition.get("fields", []))}
        grown = True
        while grown:
            grown = False
            for name, definition in self.types.items():
                if name in found:
                    continue
                for row in definition.get("fields", []):
                    if self.referenced(row["type"], definition["package"]) in found:
                        found.add(name)
                        grown = True
                        break
        return found

    def node(self, spelling, package, row):
        """The index of the node for a spelling, as used by a field (row) or inside a list or map (empty row)."""
        strategy = row.get("patch_strategy", "")
        key = (self.node_key(spelling, package), strategy, row.get("patch_merge_key", ""), row.get("list_type", ""),
               tuple(row.get("list_map_keys", [])), row.get("atomic_map"))
        if key in self.node_places:
            return self.node_places[key]
        index = len(self.nodes)
        self.node_places[key] = index
        self.nodes.append(None)
        self.nodes[index] = self.node_text(spelling, package, row)
        return index

    def node_key(self, spelling, package):
        core = spelling.lstrip("[]{}")
        return spelling[:len(spelling) - len(core)] + (core if core in SCALARS else self.full_name(core, package))

    def node_text(self, spelling, package, row):
        items = {}
        if spelling.startswith("[]"):
            items = {"kind": "List", "items": self.reference(self.node(spelling[2:], package, {}))}
        elif spelling.startswith("{}"):
            items = {"kind": "Map", "items": self.reference(self.node(spelling[2:], package, {}))}
        elif spelling in SCALARS:
            items = {"kind": SCALARS[spelling][0], "format": SCALARS[spelling][1], "name": NAMES.get(spelling, "")}
        else:
            items = self.named_node(self.full_name(spelling, package))
        target = self.referenced(spelling, package)
        items["has_defaults"] = target in self.defaulted or spelling == ROUNDED
        items["list_type"] = LIST_TYPES[row.get("list_type", "atomic")]
        items["list_map_keys"] = self.strings.span([quote(key) for key in row.get("list_map_keys", [])])
        items["atomic_map"] = row.get("atomic_map", items.get("atomic_map", False))
        items["merge_type_given"] = "list_type" in row or "atomic_map" in row
        items["patch_strategy"] = " | ".join(PATCH_BITS[bit] for bit in row.get("patch_strategy", "").split(",") if bit)
        items["patch_merge_key"] = row.get("patch_merge_key", "")
        return self.write_node(items)

    @staticmethod
    def reference(index):
        return f"kNodes + {index}"

    def named_node(self, name):
        if name not in self.types:
            fail(f"data: a field refers to type {name}, which no file defines")
        definition = self.types[name]
        if "enum" in definition:
            values = self.strings.span([quote(json.dumps(value)) for value in definition["enum"]])
            place = self.constraints.add([f"{{.enum_values = {values}}}"])
            return {"kind": "String", "constraints": f"kConstraints + {place}"}
        if "wrapped" in definition:
            inner = self.node(definition["wrapped"], definition["package"], {})
            return {"kind": "List", "items": self.reference(inner), "wrapped": True}
        return {"kind": "Union" if "union" in definition else "Struct", "name": name, "type": name,
                "atomic_map": definition.get("atomic", False),
                "description": self.descriptions.get(name, {}).get("", "")}

    def fields_of(self, name):
        """The span of a type's fields. Made after all nodes have their index, so that rows stay consecutive."""
        definition = self.types[name]
        rows = []
        for row in definition.get("fields", definition.get("union", [])):
            node = self.node(row["type"], definition["package"], row)
            numbers = self.numbers.span([str(number) for number in row.get("embedded_in", [])])
            default = json.dumps(row["default"], separators=(",", ":")) if "default" in row else ""
            flags = [row.get("required"), row.get("always_emitted"), row.get("pointer"),
                     row["name"] in self.immutable.get(name, []), row.get("declared_default")]
            text = self.descriptions.get(name, {}).get(row["name"], "")
            rows.append(f"{{{quote(row['name'])}, kNodes + {node}, {row.get('number', 0)}, "
                        + ", ".join("true" if flag else "false" for flag in flags)
                        + f", {numbers}, {quote(default)}, {quote(text)}}}")
        return rows

    def write_node(self, items):
        """Leaves the fields' span open, as @type@; it is known once every type has been laid out."""
        parts = [f".kind = SchemaKind::{items['kind']}"]
        if items.get("format", "None") != "None":
            parts.append(f".format = Format::{items['format']}")
        for key in ("name", "description"):
            if items.get(key):
                parts.append(f".{key} = {quote(items[key])}")
        if "type" in items:
            parts.append(f".fields = @{items['type']}@")
        if "items" in items:
            parts.append(f".items = {items['items']}")
        for key in ("wrapped", "has_defaults"):
            if items.get(key):
                parts.append(f".{key} = true")
        if items["list_type"] != "Atomic":
            parts.append(f".list_type = ListType::{items['list_type']}")
        if items["list_map_keys"] != "{}":
            parts.append(f".list_map_keys = {items['list_map_keys']}")
        for key in ("atomic_map", "merge_type_given"):
            if items[key]:
                parts.append(f".{key} = true")
        if items["patch_strategy"]:
            parts.append(f".patch_strategy = {items['patch_strategy']}")
        if items["patch_merge_key"]:
            parts.append(f".patch_merge_key = {quote(items['patch_merge_key'])}")
        if "constraints" in items:
            parts.append(f".constraints = {items['constraints']}")
        return "{" + ", ".join(parts) + "}"

    def lay_out(self):
        """Nodes of every named structure, then their fields (which may add nodes, never structures)."""
        structures = [name for name in sorted(self.types) if {"fields", "union"} & self.types[name].keys()]
        places = {name: self.node(name, "", {}) for name in structures}
        spans = {name: self.fields.span(self.fields_of(name)) for name in structures}
        for index, text in enumerate(self.nodes):
            before, marker, rest = text.partition("@")
            if marker:
                name, _, after = rest.partition("@")
                self.nodes[index] = before + spans[name] + after
        return places

    def kinds(self):
        rows = []
        for group in self.groups:
            rows += [(group["group"], group["version"], kind, group["package"]) for kind in group["kinds"]]
            rows += [("", "v1", kind, group["package"]) for kind in group.get("core_kinds", [])]
        return sorted(rows)


def array(kind, name, rows):
    body = ",\n    ".join(rows)
    return f"constinit const {kind} {name}[] = {{\n    {body},\n}};\n"


def write(tables, path):
    places = tables.lay_out()
    kinds = [f"{{{quote(group)}, {quote(version)}, {quote(kind)}, kNodes + {places[package + '.' + kind]}}}"
             for group, version, kind, package in tables.kinds()]
    types = [f"kNodes + {places[name]}" for name in sorted(places)]
    unions = [f"{{{quote(name)}, {quote(json.dumps(tables.types[name]['unions'], separators=(',', ':')))}}}"
              for name in sorted(places) if "unions" in tables.types[name]]
    text = [
        "// Written by tools/schemagen/generate.py from kube/schema/data and kube/schema/overlay.",
        '#include "kube/schema/internal/tables.h"',
        "",
        "namespace coracle::kube::internal {",
        "namespace {",
        "using namespace std::string_view_literals;",
        "extern const Schema kNodes[];",
        array("std::string_view", "kStrings", tables.strings.rows),
        array("std::uint32_t", "kNumbers", tables.numbers.rows),
        array("Constraints", "kConstraints", tables.constraints.rows),
        array("Field", "kFields", tables.fields.rows),
        array("Schema", "kNodes", tables.nodes),
        array("KindSchema", "kKinds", kinds),
        array("Schema* const", "kTypes", types),
        array("TypeUnions", "kUnions", unions),
        "}  // namespace",
        "",
        "std::span<const KindSchema> kind_table() { return kKinds; }",
        "std::span<const Schema* const> type_table() { return kTypes; }",
        "std::span<const TypeUnions> union_table() { return kUnions; }",
        "",
        "}  // namespace coracle::kube::internal",
        "",
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(text))


def load(folder):
    files = {}
    if not os.path.isdir(folder):
        fail(f"{folder}: no such folder")
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            try:
                files[os.path.basename(path)[:-len(".json")]] = json.load(file)
            except ValueError as error:
                fail(f"{path}: {error}")
    return files


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    write(Tables(list(load(sys.argv[1]).values()), load(sys.argv[2])), sys.argv[3])


if __name__ == "__main__":
    main()
