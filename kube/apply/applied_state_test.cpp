#include "kube/apply/applied_state.h"

#include <catch2/catch.hpp>

#include "base/encoding.h"
#include "base/gzip.h"
#include "base/json/json.h"

namespace coracle::kube {

TEST_CASE("what was applied is remembered packed, without padding, and read plain and padded as well") {
  for (const std::string name : {"a", "ab", "abc", "abcd", "abcde"}) {
    const std::string text = R"({"kind":"ConfigMap","data":{"a":")" + name + R"("}})";
    const Object object(json::read(text).value());
    const std::string packed = encode_applied(object);
    CHECK(packed.find('=') == std::string::npos);
    CHECK(decode_applied(packed).value() == object.tree());
    CHECK(decode_applied(base64_encode(gzip(text))).value() == object.tree());
    CHECK(decode_applied(text).value() == object.tree());
  }
  CHECK_FALSE(decode_applied("%%%").ok());
  CHECK_FALSE(decode_applied("H").ok());
}

TEST_CASE("the record cuts long texts of maps, but for the keys of lists' items") {
  const std::string text(100, 'x'), cut(64, 'x');
  const auto filled = [&](std::string_view form, const std::string& long_text) {
    std::string out;
    for (const char c : form) out += c == '@' ? long_text : c == '!' ? text : std::string(1, c);
    return json::read(out).value();
  };
  constexpr std::string_view kForm =
      R"({"name":"@","data":{"a":"@","n":1},"list":["!"],"items":[{"name":"!","image":"@","in":{"name":"@"},)"
      R"("args":["!"]}]})";
  CHECK(json::write(cut_for_record(filled(kForm, text))) == json::write(filled(kForm, cut)));
  // As Go cuts: by bytes, and each byte of a broken character becomes a replacement character.
  const std::string broken = std::string(62, 'x') + "\xE2\x82\xAC" + "yy";
  const Value value = cut_for_record(Value::object({{"a", broken}}));
  CHECK(value["a"].as_string() == std::string(62, 'x') + "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("the record of a large object is small") {
  std::string noise;
  std::uint32_t state = 1;
  while (noise.size() < 333'000)
    noise += static_cast<char>('!' + (state = state * 1103515245U + 12345U) / 65536U % 90U);
  const Object object(Value::object({{"kind", "ConfigMap"}, {"data", Value::object({{"a", noise}})}}));
  CHECK(encode_applied(object).size() < 1000);
}

}  // namespace coracle::kube
