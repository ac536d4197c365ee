#pragma once

#include <string>
#include <string_view>

#include "base/http/message.h"
#include "base/result.h"
#include "kube/codec/codec.h"

namespace coracle::kube::apiserver {

// What an answer's objects are turned into (the `as=` parameter of an Accept clause).
enum class Transform : std::uint8_t { None, Table, Metadata, MetadataList };

// The representation that a request gets.
struct OutputType {
  MediaType encoding = MediaType::Json;
  Transform transform = Transform::None;
  std::string transform_version = "v1";  // of meta.k8s.io
  bool pretty = false;

  std::string content_type() const;
  std::string stream_content_type() const;
};

// What an endpoint can produce beside JSON and YAML.
struct OutputOffer {
  bool protobuf = true;  // false for custom resources, whose PartialObjectMetadata has that form all the same
  bool yaml = true;      // false for watches
  bool table = false;
  bool metadata = false;       // PartialObjectMetadata
  bool metadata_list = false;  // PartialObjectMetadataList
};

// Upstream's router looks at Accept before anything else does: some type of the header must be one that is served, to
// the letter, or "*/*". Endpoints that are not behind that router (custom resources, documents of groups) do not ask.
// Lists of resources can be watched, which gives them more types.
Result<void> check_accept(const http::Request& request, bool watchable);

// The encoding of a media type that is written like this and not otherwise.
std::optional<MediaType> exact_media_type(std::string_view type);

// The first clause of Accept, by quality, that the endpoint can serve; JSON without the header. NotAcceptable
// otherwise.
Result<OutputType> negotiate_output(const http::Request& request, const OutputOffer& offer);
// The same for error bodies: JSON where nothing fits.
OutputType negotiate_error(const http::Request& request);

// The encoding of a request's body; JSON without Content-Type. UnsupportedMediaType otherwise.
Result<MediaType> input_encoding(const http::Request& request, bool protobuf);

}  // namespace coracle::kube::apiserver
