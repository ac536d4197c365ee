#include "kube/apiserver/internal/media_type.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kMaxClauses = 64;

struct AcceptClause {
  std::string_view type;
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  double quality = 1;

  std::string_view parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters) {
      if (key == name) return value;
    }
    return {};
  }
  // Exact types before "application/*" before "*/*" at equal quality.
  int precision() const {
    if (type == "*/*" || type == "*") return 0;
    return type.size() > 1 && type.substr(type.size() - 2) == "/*" ? 1 : 2;
  }
};

AcceptClause parse_clause(std::string_view text) {
  AcceptClause clause;
  std::size_t begin = 0;
  for (bool first = true; begin <= text.size(); first = false) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const std::string_view part = trim(text.substr(begin, end - begin));
    begin = end + 1;
    if (first) {
      clause.type = part;
      continue;
    }
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = trim(part.substr(0, equals));
    const std::string_view value = trim(part.substr(equals + 1));
    if (key == "q") {
      clause.quality = std::strtod(std::string(value).c_str(), nullptr);
    } else {
      clause.parameters.emplace_back(key, value);
    }
  }
  return clause;
}

std::vector<AcceptClause> parse_accept(std::string_view header) {
  std::vector<AcceptClause> clauses;
  std::size_t begin = 0;
  while (begin <= header.size() && clauses.size() < kMaxClauses) {
    const std::size_t end = std::min(header.find(',', begin), header.size());
    const std::string_view text = trim(header.substr(begin, end - begin));
    if (!text.empty()) clauses.push_back(parse_clause(text));
    begin = end + 1;
  }
  std::stable_sort(clauses.begin(), clauses.end(), [](const AcceptClause& a, const AcceptClause& b) {
    return a.quality != b.quality ? a.quality > b.quality : a.precision() > b.precision();
  });
  return clauses;
}

// Types of Accept are taken as they are written.
std::optional<MediaType> encoding_of(std::string_view type) {
  return type == "*/*" || type == "application/*" ? MediaType::Json : exact_media_type(type);
}

// Whether mime.ParseMediaType can read it: "a/b; name=value; ...".
bool has_good_parameters(std::string_view content_type) {
  const auto is_token = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
      return c > ' ' && c < 127 &&
             std::string_view("()<>@,;:\\\"/[]?=").find(static_cast<char>(c)) == std::string_view::npos;
    });
  };
  std::size_t at = content_type.find(';');
  while (at < content_type.size()) {
    const std::size_t end = std::min(content_type.find(';', at + 1), content_type.size());
    const std::string_view part = trim(content_type.substr(at + 1, end - at - 1));
    const std::size_t equals = part.find('=');
    const bool last = end == content_type.size();
    if (part.empty() && last) return true;
    if (equals == std::string_view::npos || !is_token(part.substr(0, equals))) return false;
    const std::string_view value = part.substr(equals + 1);
    const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    if (!quoted && !is_token(value)) return false;
    at = end;
  }
  return true;
}

bool truthy(std::string_view text) {
  return text == "1" || text == "true";
}

bool wants_pretty(const http::Request& request) {
  const http::Query query = http::Query::parse(request.query);
  if (query.has("pretty")) return truthy(query.get("pretty"));
  const std::string_view agent = request.headers.get("User-Agent");
  for (std::string_view prefix : {"curl", "Wget", "Mozilla/5.0"}) {
    if (agent.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

// The clause's output, when the endpoint can make it.
std::optional<OutputType> serve_clause(const AcceptClause& clause, const OutputOffer& offer) {
  const auto encoding = encoding_of(clause.type);
  if (!encoding) return std::nullopt;
  OutputType output;
  output.encoding = *encoding;
  const std::string_view as = clause.parameter("as");
  const bool half_named = !clause.parameter("g").empty() || !clause.parameter("v").empty();
  if (as.empty() && half_named) return std::nullopt;
  if (as.empty()) {
    if (*encoding == MediaType::Protobuf && !offer.protobuf) return std::nullopt;
    if (*encoding == MediaType::Yaml && !offer.yaml) return std::nullopt;
    return output;
  }
  const std::string_view version = clause.parameter("v");
  if (clause.parameter("g") != "meta.k8s.io" || (version != "v1" && version != "v1beta1")) return std::nullopt;
  output.transform_version = std::string(version);
  if (as == "Table" && offer.table && *encoding != MediaType::Protobuf) {
    output.transform = Transform::Table;
  } else if (as == "PartialObjectMetadata" && offer.metadata) {
    output.transform = Transform::Metadata;
  } else if (as == "PartialObjectMetadataList" && offer.metadata_list) {
    output.transform = Transform::MetadataList;
  } else {
    return std::nullopt;
  }
  return output;
}

std::string supported_types(const OutputOffer& offer) {
  const std::string suffix = offer.yaml ? "" : ";stream=watch";
  std::string text = std::string(kJsonMedia) + suffix;
  if (offer.yaml) text += ", " + std::string(kYamlMedia);
  if (offer.protobuf) text += ", " + std::string(kProtobufMedia) + suffix;
  return text;
}

}  // namespace

std::string OutputType::content_type() const {
  return std::string(media_type_text(encoding));
}

std::string OutputType::stream_content_type() const {
  return encoding == MediaType::Protobuf ? std::string(kProtobufMedia) + ";stream=watch" : content_type();
}

std::optional<MediaType> exact_media_type(std::string_view type) {
  for (const MediaType media : {MediaType::Json, MediaType::Yaml, MediaType::Protobuf}) {
    if (type == media_type_text(media)) return media;
  }
  return std::nullopt;
}

Result<void> check_accept(const http::Request& request, bool watchable) {
  const std::string_view header = request.headers.get("Accept");
  if (trim(header).empty()) return {};
  for (const std::string_view clause : split(header, ',')) {
    const std::string_view type = trim(clause.substr(0, clause.find(';')));
    if (type == "*/*" || exact_media_type(type)) return {};
  }
  OutputOffer watch;
  watch.yaml = false;
  return Error(Reason::NotAcceptable, "406: Not Acceptable\n\nAvailable representations: " + supported_types({}) +
                                          (watchable ? ", " + supported_types(watch) : ""));
}

Result<OutputType> negotiate_output(const http::Request& request, const OutputOffer& offer) {
  const std::string_view header = request.headers.get("Accept");
  OutputType fallback;
  fallback.pretty = wants_pretty(request);
  if (trim(header).empty()) return fallback;
  for (const AcceptClause& clause : parse_accept(header)) {
    if (auto output = serve_clause(clause, offer)) {
      output->pretty = output->encoding == MediaType::Json && fallback.pretty;
      return *output;
    }
  }
  return Error(Reason::NotAcceptable, "only the following media types are accepted: " + supported_types(offer));
}

OutputType negotiate_error(const http::Request& request) {
  const OutputOffer offer;
  OutputType output;
  output.pretty = wants_pretty(request);
  for (const AcceptClause& clause : parse_accept(request.headers.get("Accept"))) {
    // A clause that wants something made of the object is not for errors.
    const bool plain = clause.parameter("as").empty() && clause.parameter("g").empty() && clause.parameter("v").empty();
    const auto encoding = encoding_of(clause.type);
    if (plain && encoding) {
      output.encoding = *encoding;
      output.pretty = output.pretty && *encoding == MediaType::Json;
      return output;
    }
  }
  return output;
}

Result<MediaType> input_encoding(const http::Request& request, bool protobuf) {
  const auto type = parse_media_type(request.headers.get("Content-Type"));
  const bool readable = has_good_parameters(request.headers.get("Content-Type"));
  if (readable && type && (*type != MediaType::Protobuf || protobuf)) return *type;
  const OutputOffer offer;
  return Error(
      Reason::UnsupportedMediaType,
      "the body of the request was in an unknown format - accepted media types include: " + supported_types(offer));
}

}  // namespace coracle::kube::apiserver
