#include "kube/schema/internal/formats.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace coracle::kube {

namespace {

struct FormatCase {
  std::string_view format;
  std::vector<std::string> good, bad;
};

// Every verdict is that of a Kubernetes 1.36 API server on an object with such a field.
const FormatCase kCases[] = {
    {"hostname",
     {"a", "a-", "a.co", "1", "a--b.com", "xn--a.com", "é.com", "☃.com", "日本", "$", "a+b.com", "example.london",
      std::string(63, 'a'), std::string(63, 'a') + ".com"},
     {"", "-a", "A.b", "a.c", "1.1", "127.0.0.1", "a-b-c", "a--b", "a.b-", "a_b", "a..b", "a.com.", "a.☃☃", "①.com",
      "a.co1", "*.a.com", "a.-com", std::string(64, 'a'), std::string(64, 'a') + ".com"}},
    {"email",
     {"a@b", "a+b@c.d", "é@b.c", "A <a@b.c>", "<a@b>", "\"x y\"@b.c", "\"é\" <a@b>", "x.y <a@b>", "a b <c@d>", " a@b ",
      "a@b (comment)", "a@[1.2.3.4]", "G: a@b;", "\"\\\"a\"@b", "a@b_c"},
     {"",      "a",      "@b",     "a@",           "x y@b.c", "a@b c", "a@b,c@d",      "a.@b",
      ".a@b",  "a..b@c", "a@b.",   "a@.b",         "a@b..c",  "\"a@b", "a\\@b",        "a@b>",
      "a@b@c", "a,b@c",  "a(x)@b", "a@[IPv6:::1]", "\"\"@b",  "<a@b",  "G: a@b, c@d;", "G: ;"}},
    {"uri",
     {"http://a",
      "/a",
      "/a b",
      "http://a/b c",
      "http://a?b c",
      "*",
      "a:b",
      "a:",
      "http:",
      "//a",
      "http://[::1]:80",
      "http://[fe80::1%25en0]",
      "http://u:p@h",
      "http://u@h@i",
      "mailto:x@y",
      "/%20",
      "/é",
      "http://a:",
      "http:%zz",
      "http://a\"b",
      "/a:b"},
     {"",
      "a",
      "a/b",
      "#a",
      "?x",
      ":a",
      "1http://a",
      "+a:b",
      "a_b:c",
      "a/b:c",
      "http://a b",
      "http://[::1",
      "http://a:b",
      "http://a:80a",
      "http://[a]",
      "http://[::1]a",
      "http://[fe80::1%en0]",
      "/%",
      "/%zz",
      "http://a/%",
      "http://a%20b",
      "http://%41",
      "http://a^b",
      "http://a\\b",
      "/\t",
      "/\x7f",
      "http://u p@h"}},
    {"date", {"2026-02-28", "2020-02-29", "0000-01-01"}, {"", "2026-02-30", "2019-02-29", "2020-1-2", "2020-01-02 "}},
    {"date-time",
     {"2026-02-28T01:02:03.5Z", "2020-01-02t03:04:05z", "2020-01-02T03:04:05,1Z", "2020-01-02T03:04:05+99:99",
      "2020-01-02T03:04:05ZTx"},
     {"", "T", "2026-02-28", "2020-01-02 03:04:05Z", "2020-01-02T03:04:05", "2020-01-02T24:00:00Z",
      "2020-01-02T23:59:60Z", "2020-02-30T00:00:00Z", "2020-01-02T03:04Z", "2020-01-02T03:04:05.Z"}},
    {"duration",
     {"1h30m", "-1s", "0", ".5s", "1h 1m", "2 days", "1 sec", "1 mins", "1D", "1 DAYS", "1dayx", "1 µs", "foo 1s",
      "1s foo", "1hour2minutes", "1e3s"},
     {"", "soon", "1", "1 foo", "seconds", "1wkk", "1y", "1 hx", "99999999999999999999d", "9223372036854775808ns"}},
    {"ipv4",
     {"1.2.3.4", "01.2.3.4", "001.002.003.004", "::ffff:1.2.3.4", "::1.2.3.4"},
     {"", "::1", "1.2.3", "1.2.3.256", "1.2.3.", "1.2..4", "1.2.3.4/8", "0x1.2.3.4"}},
    {"ipv6", {"::1", "::ffff:1.2.3.4"}, {"", "1.2.3.4", "fe80::1%eth0", "::00001", "::01.2.3.4"}},
    {"cidr", {"10.0.0.0/8", "01.2.3.4/8", "::/0"}, {"", "10.0.0.0/33", "1.2.3.4", "1.2.3.4/", "1.2.3.4/-1"}},
    {"mac",
     {"00:1b:63:84:45:e6", "00-1B-63-84-45-E6", "001b.6384.45e6", "001b638445e6", "01:23:45:67:89:ab:cd:ef"},
     {"", "00:1b:63", "00:1b-63:84:45:e6", "01:23:45:67:89:ab:cd", "0123-4567-89ab", "01:23:45:67:89:ag"}},
    {"uuid", {"A5D2B6E0-1c3b-4f6e-9d1a-0123456789ab", "12345678123412341234123456789abc"}, {"", "a5d2"}},
    {"byte", {"AAEC", "YQ==", "YR==", "YWJ="}, {"", "?", "YQ=", "YQ", "YQ==\n", "YW_-"}},
    {"bsonobjectid", {"0123456789ABCDEF01234567"}, {"", "0123456789abcdef0123456"}},
    {"hexcolor", {"#fff", "ffffff"}, {"", "#ff", "##fff"}},
    {"rgbcolor", {"rgb(0,0,0)", "rgb( 1 , 2 , 3 )"}, {"", "rgb(256,0,0)", "RGB(0,0,0)", "rgb(01,0,0)"}},
    {"isbn", {"978-0321751041", "0321751043", "080442957X"}, {"", "978-0321751042", "080442957x"}},
    {"isbn10", {"0321751043"}, {"0321751044"}},
    {"creditcard", {"4111 1111 1111 1111", "4111x111111111111"}, {"", "4111 1111 1111 1112", "0000000000000000"}},
    {"ssn", {"123-45-6789", "123 45 6789"}, {"", "123456789", "123-456789", "1234-56-789"}},
    {"password", {"", "x"}, {}},
    {"k8s-short-name", {"abc-1"}, {"", "Abc", "a.b"}},
    {"k8s-long-name", {"abc.d-1"}, {"", "abc..d"}},
    {"something-else", {"anything"}, {}},
};

}  // namespace

TEST_CASE("formats judge as upstream does") {
  for (const FormatCase& row : kCases) {
    CAPTURE(row.format);
    for (const std::string& text : row.good) {
      CAPTURE(text);
      CHECK(internal::matches_format(row.format, text));
    }
    for (const std::string& text : row.bad) {
      CAPTURE(text);
      CHECK_FALSE(internal::matches_format(row.format, text));
    }
  }
}

}  // namespace coracle::kube
