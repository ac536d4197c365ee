#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "kube/schema/schema.h"

// Bodies of requests and answers: JSON, YAML and Kubernetes' protobuf envelope, read and written through the table.
namespace coracle::kube {

enum class MediaType : std::uint8_t { Json, Yaml, Protobuf };

inline constexpr std::string_view kJsonMedia = "application/json";
inline constexpr std::string_view kYamlMedia = "application/yaml";
inline constexpr std::string_view kProtobufMedia = "application/vnd.kubernetes.protobuf";

// The media type that a Content-Type names, parameters ignored; JSON for an empty one, nothing for others.
std::optional<MediaType> parse_media_type(std::string_view content_type);
std::string_view media_type_text(MediaType media);

struct DecodeOptions {
  // Of a custom resource: only metadata is brought into canonical form, findings cover metadata and repeated keys.
  // (pruning.h drops and reports the rest; protobuf is not accepted.)
  bool custom = false;
  // Collect what ?fieldValidation= wants to hear about.
  bool find_strict = true;
};

struct Decoded {
  Value object;  // in canonical form (normalise.h); apiVersion and kind as the body has them, possibly absent
  std::string api_version;  // empty where the body has none
  std::string kind;
  // `unknown field "spec.x"`, `duplicate field "data.a"` in document order (custom resources: duplicates first).
  // Repeated keys of YAML are one finding of several lines.
  std::vector<std::string> findings;
  // The findings as ?fieldValidation=Warn tells them, one warning each.
  std::vector<std::string> warnings() const;
};

// Reads one object of the kind that `schema` describes. BadRequest reads as upstream's 400 does, up to the part that
// names the version: "the object provided is unrecognized (must be of type Pod): ..." where the text is not JSON at
// all, else the decoder's own words ("json: cannot unmarshal string into Go struct field ..."). Without an expected
// kind these errors tell only what follows the colon, as those about DeleteOptions do.
Result<Decoded> decode(std::string_view body, MediaType media, std::string_view expected_kind, const Schema& schema,
                       const DecodeOptions& options = {});

// Writes an object that is in canonical form and has apiVersion and kind.
Result<std::string> encode(const Value& object, MediaType media, const Schema& schema);

}  // namespace coracle::kube
