#include "kube/object/int_or_string.h"

#include <optional>
#include <string>

#include "base/json/json.h"
#include "base/text.h"

namespace coracle::kube {

Result<std::int64_t> scaled_value(const Value& int_or_percent, std::int64_t total, Rounding rounding) {
  if (int_or_percent.is_int()) return int_or_percent.as_int();
  if (int_or_percent.is_null()) return bad_request("nil value for IntOrString");
  if (!int_or_percent.is_string()) {
    return bad_request("invalid value for IntOrString: invalid type: neither int nor percentage");
  }
  const std::string_view text = int_or_percent.as_string();
  if (text.empty() || text.back() != '%') {
    return bad_request("invalid value for IntOrString: invalid type: string is not a percentage");
  }
  const auto percent = parse_signed_int(text.substr(0, text.size() - 1));
  if (!percent) {
    std::string quoted;
    json::write_string(quoted, text);
    return bad_request("invalid value for IntOrString: invalid value " + quoted + ": not a whole number");
  }
  const __int128 product = static_cast<__int128>(*percent) * total;
  __int128 quotient = product / 100;
  const __int128 rest = product % 100;
  if (rounding == Rounding::Up && rest > 0) ++quotient;
  if (rounding == Rounding::Down && rest < 0) --quotient;
  return static_cast<std::int64_t>(quotient);
}

}  // namespace coracle::kube
