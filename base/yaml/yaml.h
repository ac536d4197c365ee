#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace coracle::yaml {

struct ReadOptions {
  // Duplicate keys are errors when strict; otherwise the last one counts.
  bool strict = true;
  // Plain y, yes, on, n, no and off are booleans, as go-yaml v2 has it; otherwise texts, as kustomize (go-yaml v3).
  bool wide_booleans = true;
  std::size_t max_depth = 200;
  // Aliases may not blow a document up beyond this many nodes.
  std::size_t max_nodes = 2'000'000;
};

struct Document {
  Value value;
  int line = 1;  // first line of the document in the stream
};

// Reads a stream as go-yaml reads YAML 1.1 for JSON conversion: y/yes/on booleans, octal, merge
// keys, anchors, non-string keys turned into strings, !!binary decoded, timestamps as text.
// Documents that hold nothing are left out. BadRequest tells the line and what is wrong.
Result<std::vector<Document>> read_all(std::string_view text, const ReadOptions& options = {});
// The first document; null for an empty text.
Result<Value> read(std::string_view text, const ReadOptions& options = {});

// Writes as sigs.k8s.io/yaml does (go-yaml v2 emitter): natural key order, sequences not indented,
// lines folded at 80, quoting where the text would read back as something else. Ends with a newline.
std::string write(const Value& value);
// As Helm's toYamlPretty (sequences indented by two).
std::string write_pretty(const Value& value);

}  // namespace coracle::yaml
