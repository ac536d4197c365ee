#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// How go-yaml v2 types a scalar that carries no quotes. The reader needs the value, the writer needs
// to know whether a text would read back as something else.
namespace coracle::yaml::internal {

enum class ScalarTag : std::uint8_t { String, Null, Bool, Int, Unsigned, Float, Merge, Timestamp };

struct Scalar {
  ScalarTag tag = ScalarTag::String;
  std::int64_t integer = 0;            // Int; 0 or 1 for Bool
  std::uint64_t unsigned_integer = 0;  // Unsigned: above the range of int64
  double number = 0;                   // Float
};

Scalar resolve_plain(std::string_view text);

// 1:30 and 190:20:30.5, which YAML 1.1 readers other than go-yaml take for numbers of base 60.
bool looks_sexagesimal(std::string_view text);

// A float as Go's strconv prints it with format 'g' and shortest precision of the given width.
std::string format_g(double number, int bits);

// "!!int" as error messages name the tag.
std::string_view tag_name(ScalarTag tag);

}  // namespace coracle::yaml::internal
