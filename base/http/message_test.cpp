#include "base/http/message.h"

#include <catch2/catch.hpp>

namespace coracle::http {
namespace {

TEST_CASE("header names compare without case") {
  Headers headers{{"Accept", "a"}, {"X-One", "1"}, {"accept", "b"}};
  CHECK(headers.get("ACCEPT") == "a");
  CHECK(headers.all("Accept") == std::vector<std::string_view>{"a", "b"});
  CHECK(headers.get("missing").empty());
  CHECK_FALSE(headers.has("Accep"));
  headers.set("aCCept", "c");
  CHECK(headers.all("accept") == std::vector<std::string_view>{"c"});
  CHECK(headers.fields().front().first == "Accept");
  headers.set("new", "n");
  CHECK(headers.get("New") == "n");
  headers.remove("X-ONE");
  CHECK_FALSE(headers.has("x-one"));
}

TEST_CASE("queries keep order, repetition and odd spellings") {
  const Query query = Query::parse("labelSelector=a%3Db%2Cc+d&watch&&watch=1&x=%zz&y=%4&=v");
  CHECK(query.get("labelSelector") == "a=b,c d");
  CHECK(query.has("watch"));
  CHECK(query.get("watch").empty());
  CHECK(query.all("watch") == std::vector<std::string_view>{"", "1"});
  CHECK(query.get("x") == "%zz");
  CHECK(query.get("y") == "%4");
  CHECK(query.get("") == "v");
  CHECK(Query::parse("").empty());

  Query made;
  made.add("a b", "c&d=e/%");
  made.add("f", "");
  CHECK(made.encode() == "a%20b=c%26d%3De%2F%25&f=");
  CHECK(Query::parse(made.encode()).get("a b") == "c&d=e/%");
}

TEST_CASE("percent coding goes both ways") {
  CHECK(percent_encode("AZaz09-._~/ \xc3") == "AZaz09-._~%2F%20%C3");
  CHECK(percent_decode("a%2fb%2F+").value() == "a/b/+");
  for (const std::string_view bad : {"%", "%4", "%4g", "abc%", "%-1"}) CHECK_FALSE(percent_decode(bad).ok());
}

TEST_CASE("a text response is one segment") {
  Response response = Response::text(404, "no");
  response.body.push_back(bytes("ne"));
  CHECK(response.status == 404);
  CHECK(response.headers.get("content-type") == "text/plain; charset=utf-8");
  CHECK(response.body_text() == "none");
}

TEST_CASE("the text of a body is read from its source, unless that would have to be waited for") {
  class Pieces : public BodySource {
   public:
    explicit Pieces(bool waits) : waits_(waits) {}
    State pull(std::vector<Bytes>& out, std::size_t) override {
      out.push_back(bytes(std::to_string(next_)));
      return ++next_ == 3 ? State::End : State::More;
    }
    void on_ready(std::function<void()>) override {}
    bool waits() const override { return waits_; }

   private:
    const bool waits_;
    int next_ = 0;
  };
  Response response;
  response.source = std::make_unique<Pieces>(false);
  CHECK(response.body_text() == "012");
  response.source = std::make_unique<Pieces>(true);
  CHECK(response.body_text().empty());
}

}  // namespace
}  // namespace coracle::http
