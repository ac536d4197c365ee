#include <catch2/catch.hpp>

#include "kube/apiserver/internal/json_scan.h"
#include "kube/apiserver/internal/list_options.h"
#include "kube/apiserver/internal/object_filter.h"
#include "kube/apiserver/internal/stored_object.h"
#include "kube/apiserver/internal/watcher.h"

namespace coracle::kube::apiserver {

namespace {

StoredObjectPtr stored(std::string json, store::Revision revision = 7) {
  auto made = StoredObject::make(std::make_shared<const std::string>(std::move(json)), revision);
  REQUIRE(made.ok());
  return std::move(made).value();
}

StoredObjectPtr labelled(std::string name, std::string value, store::Revision revision) {
  return stored("{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"" + name +
                    "\",\"namespace\":\"d\",\"labels\":{\"app\":\"" + value + "\"}},\"spec\":{\"nodeName\":\"n1\"}}",
                revision);
}

std::string whole(const StoredObject& object) {
  std::string text;
  object.append(text, object.type_members());
  return text;
}

ObjectFilter filter_of(const ResourceDescriptor& resource, std::string_view labels, std::string_view fields) {
  auto filter = ObjectFilter::make(resource, "", "", labels, fields);
  REQUIRE(filter.ok());
  return std::move(filter).value();
}

CacheEventPtr change(StoredObjectPtr now, StoredObjectPtr before, store::Revision revision) {
  auto event = std::make_shared<CacheEvent>(std::move(now), std::move(before));
  event->set_revision(revision);
  return event;
}

}  // namespace

TEST_CASE("resourceVersion is spliced in where Go prints it", "[stored_object]") {
  const auto typed = stored(
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"d","uid":"u","generation":2},"spec":{}})");
  CHECK(whole(*typed) == R"({"kind":"Pod","apiVersion":"v1","metadata":)"
                         R"({"name":"a","namespace":"d","uid":"u","resourceVersion":"7","generation":2},"spec":{}})");
  CHECK(typed->name() == "a");
  CHECK(typed->namespace_() == "d");
  CHECK(typed->uid() == "u");
  const auto bare = stored(R"({"kind":"Node","apiVersion":"v1","metadata":{"name":"a"}})");
  CHECK(whole(*bare) == R"({"kind":"Node","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"7"}})");
  const auto custom = stored(R"({"apiVersion":"e/v1","kind":"W","metadata":{"name":"a","uid":"u"},"spec":{"x":"}"}})");
  CHECK(whole(*custom) ==
        R"({"apiVersion":"e/v1","kind":"W","metadata":{"name":"a","resourceVersion":"7","uid":"u"},"spec":{"x":"}"}})");
  std::string untyped;
  bare->append(untyped, "");
  CHECK(untyped == R"({"metadata":{"name":"a","resourceVersion":"7"}})");
  CHECK(whole(*bare->at(9)).find("\"9\"") != std::string::npos);
}

TEST_CASE("values of another form are refused", "[stored_object]") {
  for (const char* text :
       {"", "[]", "{\"kind\":\"Pod\"", R"({"metadata":{"name":"a"},"kind":"Pod","apiVersion":"v1"})",
        R"({"kind":"Pod","apiVersion":"v1","metadata":{}})",
        R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"1"}})", "k8s\0\x0a"}) {
    INFO(text);
    CHECK_FALSE(StoredObject::make(std::make_shared<const std::string>(text), 1).ok());
  }
}

TEST_CASE("keys are ordered as the store orders them", "[stored_object]") {
  CHECK(compare_keys("a", "x", "a-b", "x") > 0);  // "a/x" comes after "a-b/x"
  CHECK(compare_keys("a", "x", "ab", "a") < 0);
  CHECK(compare_keys("a", "x", "a", "y") < 0);
  CHECK(compare_keys("", "x", "", "x") == 0);
}

TEST_CASE("paths are found without building a tree", "[json_scan]") {
  const std::string text = R"({"a":{"b":[1,{"c":"]"}],"d":"x\"y","f\\":"\\\\\"}","g":"\\","h":7},"e":true})";
  CHECK(json_at(text, "a.d") == R"("x\"y")");
  CHECK(json_at(text, "a.g") == R"("\\")");
  CHECK(json_at(text, "a.h") == "7");
  CHECK(json_at(text, "e") == "true");
  CHECK(json_at(R"({"a":"\"})", "a").empty());
  CHECK(json_at(R"({"a":[{"b":1})", "a").empty());
  CHECK(json_at(text, "a.z").empty());
  CHECK(json_at(text, "e.f").empty());
}

TEST_CASE("filters look at labels and fields", "[object_filter]") {
  ResourceDescriptor resource;
  resource.gvk = {"", "v1", "Pod"};
  resource.selectable_fields = {"spec.nodeName"};
  const auto pod = labelled("p", "x", 1);
  CHECK(filter_of(resource, "app in (x,z)", "").matches(*pod));
  CHECK_FALSE(filter_of(resource, "!app", "").matches(*pod));
  CHECK(filter_of(resource, "", "spec.nodeName=n1,metadata.name=p").matches(*pod));
  CHECK_FALSE(filter_of(resource, "", "spec.nodeName!=n1").matches(*pod));
  CHECK_FALSE(filter_of(resource, "", "metadata.name=p,metadata.name=q").matches(*pod));
  const auto unknown = ObjectFilter::make(resource, "", "", "", "foo=1");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().message() == "field label not supported: foo");
}

TEST_CASE("a watcher sees transitions of its selector", "[watcher]") {
  ResourceDescriptor resource;
  resource.gvk = {"", "v1", "Pod"};
  Watcher watcher(filter_of(resource, "app=x", ""));
  const auto in = labelled("p", "x", 1);
  const auto out = labelled("p", "y", 2);
  CHECK(watcher.classify(*change(in, nullptr, 1)) == WatchType::Added);
  CHECK(watcher.classify(*change(in, in, 2)) == WatchType::Modified);
  CHECK(watcher.classify(*change(out, in, 2)) == WatchType::Deleted);
  CHECK(watcher.classify(*change(in, out, 3)) == WatchType::Added);
  CHECK(watcher.classify(*change(nullptr, in, 4)) == WatchType::Deleted);
  CHECK_FALSE(watcher.classify(*change(nullptr, out, 4)));
  CHECK_FALSE(watcher.classify(*change(out, out, 4)));
}

TEST_CASE("a watcher that does not drain is closed", "[watcher]") {
  Watcher watcher{ObjectFilter()};
  const auto event = change(labelled("p", "x", 1), nullptr, 1);
  CHECK(watcher.offer(event));
  CHECK_FALSE(watcher.offer(event));  // woken already
  for (std::size_t i = 0; i < Watcher::kMaxQueue; ++i) watcher.offer(event);
  std::deque<Watcher::Item> items;
  bool open = true;
  watcher.take(items, open);
  CHECK_FALSE(open);
  CHECK(items.empty());
}

TEST_CASE("continue tokens have upstream's form", "[list_options]") {
  ContinueToken token;
  token.revision = 330;
  token.start = std::string("l2\0", 3);
  const std::string text = encode_continue(token);
  CHECK(text == "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MzMwLCJzdGFydCI6ImwyXHUwMDAwIn0");
  auto read = decode_continue(text);
  REQUIRE(read.ok());
  CHECK(read->revision == 330);
  CHECK(read->start == token.start);
  CHECK_FALSE(decode_continue("!").ok());
  token.start = "../secrets/";
  CHECK_FALSE(decode_continue(encode_continue(token)).ok());
}

TEST_CASE("list options that contradict each other are refused", "[list_options]") {
  const auto refused = [](std::string_view query, bool watch) {
    return !read_list_options(http::Query::parse(query), watch).ok();
  };
  CHECK(refused("resourceVersionMatch=Exact", false));
  CHECK(refused("resourceVersionMatch=Exact&resourceVersion=0", false));
  CHECK(refused("resourceVersionMatch=Foo&resourceVersion=1", false));
  CHECK(refused("sendInitialEvents=true", false));
  CHECK(refused("sendInitialEvents=true", true));
  CHECK(refused("resourceVersionMatch=NotOlderThan", true));
  CHECK(refused("limit=x", false));
  CHECK_FALSE(refused("sendInitialEvents=true&resourceVersionMatch=NotOlderThan", true));
  CHECK(read_list_options(http::Query::parse("limit=-3"), false)->limit == 0);
  CHECK(parse_resource_version("18446744073709551615").ok() == false);
}

}  // namespace coracle::kube::apiserver
