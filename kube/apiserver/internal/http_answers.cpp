#include "kube/apiserver/internal/http_answers.h"

#include <algorithm>

#include "base/text.h"
#include "base/tls/crypto.h"

namespace coracle::kube::apiserver::http_answers {

std::string etag_of(std::string_view content) {
  std::string etag = crypto::sha512_hex(content);
  std::transform(etag.begin(), etag.end(), etag.begin(),
                 [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
  return etag;
}

bool is_known(const http::Request& request, std::string_view etag) {
  for (std::string_view candidate : split(request.headers.get("If-None-Match"), ',')) {
    candidate = trim(candidate);
    if (candidate.starts_with("W/")) candidate.remove_prefix(2);
    if (candidate.size() >= 2 && candidate.front() == '"') candidate = candidate.substr(1, candidate.size() - 2);
    if (candidate == etag || candidate == "*") return true;
  }
  return false;
}

http::Response with_etag(const http::Request& request, const http::Bytes& body, const std::string& etag,
                         std::string_view content_type) {
  http::Response response;
  response.headers.set("Content-Type", std::string(content_type));
  response.headers.set("ETag", "\"" + etag + "\"");
  if (is_known(request, etag)) {
    response.status = 304;
    return response;
  }
  response.body.push_back(body);
  return response;
}

}  // namespace coracle::kube::apiserver::http_answers
