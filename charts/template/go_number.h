#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace coracle::charts {

// strconv.ParseInt and ParseUint with base 0 (prefixes 0x, 0o, 0b, 0 and underscores) or another
// base; nothing when the text is no such number or does not fit 64 bits.
std::optional<std::int64_t> parse_go_int(std::string_view text, int base = 0);
std::optional<std::uint64_t> parse_go_uint(std::string_view text, int base = 0);
// What strconv.ParseInt with base 10 answers beside its error: the nearest number of 64 bits, 0 where there is none.
std::int64_t parse_saturating_int(std::string_view text);
// strconv.ParseFloat: decimal, hexadecimal with exponent, underscores, inf and nan.
std::optional<double> parse_go_float(std::string_view text);

}  // namespace coracle::charts
