#pragma once

#include <cstddef>
#include <cstdint>

// The bits of a frame's first two bytes (RFC 6455 5.2).
namespace coracle::http::websocket::internal {

inline constexpr unsigned kFinalBit = 0x80;
inline constexpr unsigned kReservedBits = 0x70;
inline constexpr unsigned kOpcodeBits = 0x0f;
inline constexpr unsigned kMaskedBit = 0x80;
// Lengths up to it stand in the second byte itself; the two numbers after it say how many more bytes they take.
inline constexpr std::size_t kMaxShortLength = 125;
inline constexpr unsigned kTwoByteLength = 126;
inline constexpr unsigned kEightByteLength = 127;
inline constexpr std::uint64_t kMaxTwoByteLength = 0xffff;

}  // namespace coracle::http::websocket::internal
