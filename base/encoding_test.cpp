#include "base/encoding.h"

#include <catch2/catch.hpp>

namespace coracle {

TEST_CASE("base64 follows RFC 4648 and refuses what it does not know") {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    CHECK(base64_encode(plain) == encoded);
    CHECK(base64_decode(encoded).value() == plain);
  }
  CHECK(base64url_encode("\xfb\xff") == "-_8");
  CHECK(base64url_decode("-_8").value() == "\xfb\xff");
  CHECK(base64url_decode("-_8=").value() == "\xfb\xff");
  for (const std::string_view bad : {"Zg", "Zg=", "Z===", "Zh==", "Zm9v\n", "-_8=", "Zm=v", "===="}) {
    INFO(bad);
    CHECK_FALSE(base64_decode(bad).ok());
  }
  CHECK_FALSE(base64url_decode("a").ok());
  CHECK_FALSE(base64url_decode("ab/=").ok());
}

TEST_CASE("hexadecimal text has two digits a byte") {
  CHECK(hex_encode(std::string("\x00\xff\x10", 3)) == "00ff10");
}

}  // namespace coracle
