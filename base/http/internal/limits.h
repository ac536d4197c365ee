#pragma once

#include <cstddef>

// What both versions of HTTP count alike.
namespace coracle::http::internal {

// What a source is asked for at a time.
inline constexpr std::size_t kPullBytes = 64 * 1024;
// What a header field counts beside its text (RFC 9113 6.5.2).
inline constexpr std::size_t kFieldOverheadBytes = 32;

}  // namespace coracle::http::internal
