#pragma once

#include <string>
#include <string_view>

#include "base/http/message.h"

// Documents that clients keep and ask for again by their ETag (RFC 9110, section 8.8.3).
namespace coracle::kube::apiserver::http_answers {

// SHA-512 of the content in upper-case hexadecimal digits, without quotes.
std::string etag_of(std::string_view content);
// Does If-None-Match name it?
bool is_known(const http::Request& request, std::string_view etag);
// 304 when the client has it, else the document.
http::Response with_etag(const http::Request& request, const http::Bytes& body, const std::string& etag,
                         std::string_view content_type);

}  // namespace coracle::kube::apiserver::http_answers
