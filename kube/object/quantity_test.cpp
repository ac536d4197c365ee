#include "kube/object/quantity.h"

#include <catch2/catch.hpp>

namespace coracle::kube {
namespace {

std::string canonical(std::string_view text) {
  Result<Quantity> quantity = Quantity::parse(text);
  return quantity.ok() ? quantity->text() : "error: " + quantity.error().message();
}

Quantity quantity(std::string_view text) {
  Result<Quantity> parsed = Quantity::parse(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

struct Form {
  std::string_view in, out;
};

}  // namespace

TEST_CASE("quantities print in canonical form") {
  constexpr Form kForms[] = {
      {"1000m", "1"},
      {"0.5", "500m"},
      {"1500m", "1500m"},
      {"1.5", "1500m"},
      {"1000", "1k"},
      {"1024", "1024"},
      {"1Ki", "1Ki"},
      {"1024Ki", "1Mi"},
      {"1.5Gi", "1536Mi"},
      {"512Mi", "512Mi"},
      {"0.1Ki", "102400m"},
      {"0.5Ki", "512"},
      {"2e3", "2e3"},
      {"1e1", "10"},
      {"12e6", "12e6"},
      {"1E", "1E"},
      {"1000E", "1000E"},
      {"-5", "-5"},
      {"+1k", "1k"},
      {"0.0000000001", "1n"},
      {".5", "500m"},
      {"100.", "100"},
      {"0Gi", "0"},
      {"100n", "100n"},
      {"0.001Mi", "1048576m"},
      {"8Ei", "9223372036854775807"},
      {"1.0000000001", "1000000001n"},
  };
  for (const Form& form : kForms) {
    INFO(form.in);
    CHECK(canonical(form.in) == form.out);
  }
}

TEST_CASE("quantities refuse other texts in upstream's words") {
  const std::string format =
      "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  for (const std::string_view text : {"", "abc", "1x", "1.2.3", "-", "1e3k", "1 Gi"}) CHECK(canonical(text) == format);
  CHECK(canonical("1mi") == "error: unable to parse quantity's suffix");
  CHECK(canonical("1e") == "error: unable to parse quantity's suffix");
  CHECK(canonical(".") == "error: unable to parse numeric part of quantity");
}

TEST_CASE("quantities calculate exactly") {
  CHECK((quantity("100m") + quantity("0.2")).text() == "300m");
  CHECK((quantity("1Gi") - quantity("512Mi")).text() == "512Mi");
  CHECK((quantity("0") + quantity("1Gi")).text() == "1Gi");
  CHECK((quantity("250m") * 4).text() == "1");
  CHECK(quantity("1000m") == quantity("1"));
  CHECK(quantity("1Gi") > quantity("1G"));
  CHECK(quantity("1.1").value() == 2);
  CHECK(quantity("0.0001").milli_value() == 1);
  CHECK(quantity("8E").milli_value() == 9223372036854775807);
  CHECK(quantity("1.0001").rounded_up_to_milli().text() == "1001m");
  CHECK(Quantity::from_value(Value(0.5))->text() == "500m");
  CHECK(Quantity::from_value(Value(2))->text() == "2");
}

}  // namespace coracle::kube
