#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"

namespace coracle::http::internal {

// Fields that the transport writes itself or that belong to one connection; a handler's are ignored.
bool transport_field(std::string_view name);
// A field that may stand on the wire: no line can be smuggled in through it.
bool writable_field(std::string_view name, std::string_view value);
// Whether answers with this status to this method carry a body.
bool carries_body(int status, std::string_view method);
// "Not Found"
std::string_view status_text(int status);

enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

// The head of an HTTP/1.1 answer.
std::string http1_head(const Response& response, Framing framing, std::uint64_t length, bool keep_alive,
                       std::string_view date);

}  // namespace coracle::http::internal
