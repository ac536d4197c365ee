#include <catch2/catch.hpp>
#include <set>

#include "base/gzip.h"
#include "base/http/websocket.h"
#include "base/json/json.h"
#include "kube/apiserver/testing/test_server.h"
#include "kube/codec/codec.h"
#include "kube/codec/protobuf.h"
#include "kube/codec/watch_event.h"

// What cannot be told as a plain sequence of requests: time, other encodings, other users.
namespace coracle::kube::apiserver::testing {

namespace {

constexpr std::string_view kMaps = "/api/v1/namespaces/default/configmaps";

std::string config_map(const std::string& name, const std::string& value = "v") {
  return R"({"metadata":{"name":")" + name + R"("},"data":{"k":")" + value + R"("}})";
}

}  // namespace

TEST_CASE("a quiet watch gets bookmarks and ends at its time", "[api]") {
  TestServer::run([](TestServer& server) {
    auto watch =
        server.watch(std::string(kMaps) + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=150&resourceVersion=" +
                     std::to_string(server.store().current_revision()));
    REQUIRE(watch != nullptr);
    CHECK(watch->next().is_null());
    server.advance(std::chrono::seconds(61));
    const Value bookmark = watch->next();
    CHECK(bookmark["type"].as_string() == "BOOKMARK");
    CHECK(bookmark["object"]["kind"].as_string() == "ConfigMap");
    CHECK(bookmark["object"]["metadata"]["resourceVersion"].as_string() ==
          std::to_string(server.store().current_revision()));
    server.advance(std::chrono::seconds(60));
    CHECK(watch->next()["type"].as_string() == "BOOKMARK");
    CHECK_FALSE(watch->ended());
    server.advance(std::chrono::seconds(40));
    while (!watch->next().is_null()) continue;
    CHECK(watch->ended());
  });
}

TEST_CASE("watches end before a stop, and so do those that begin then", "[api]") {
  TestServer::run([](TestServer& server) {
    const auto before = server.watch("/api/v1/configmaps?watch=1&resourceVersion=0&labelSelector=a%3Db");
    CHECK(before->next().is_null());
    CHECK(!before->ended());
    server.server().end_watches();
    CHECK(before->next().is_null());
    CHECK(before->ended());
    const auto later = server.watch("/api/v1/configmaps?watch=1&labelSelector=a%3Db");
    CHECK(later->next().is_null());
    CHECK(later->ended());
    CHECK(server.request("GET", "/api/v1/configmaps?labelSelector=a%3Db").status == 200);
  });
}

TEST_CASE("a watch from a compacted revision ends with Expired", "[api]") {
  TestServer::run([](TestServer& server) {
    const store::Revision old = server.store().current_revision();
    server.request("POST", kMaps, config_map("a"));
    server.request("DELETE", std::string(kMaps) + "/a");
    REQUIRE(server.request("GET", kMaps).status == 200);
    server.request("POST", kMaps, config_map("b"));
    REQUIRE(server.store().compact(server.context(), server.store().current_revision()).ok());
    auto watch = server.watch(std::string(kMaps) + "?watch=1&resourceVersion=" + std::to_string(old));
    const Value event = watch->next();
    CHECK(event["type"].as_string() == "ERROR");
    CHECK(event["object"]["reason"].as_string() == "Expired");
    CHECK(event["object"]["code"].as_int() == 410);
    const auto list = server.request(
        "GET", std::string(kMaps) + "?resourceVersionMatch=Exact&resourceVersion=" + std::to_string(old));
    CHECK(list.status == 410);
    CHECK(list.tree["message"].as_string() == "The resourceVersion for the provided list is too old.");
  });
}

TEST_CASE("a chunked list whose revision is compacted goes on inconsistently", "[api]") {
  TestServer::run([](TestServer& server) {
    for (const char* name : {"a", "b", "c"}) server.request("POST", kMaps, config_map(name));
    const auto first = server.request("GET", std::string(kMaps) + "?limit=1");
    const std::string token(first.tree["metadata"]["continue"].as_string());
    server.request("POST", kMaps, config_map("d"));
    server.request("POST", kMaps, config_map("e"));
    REQUIRE(server.request("GET", kMaps).status == 200);  // the cache moves on
    REQUIRE(server.store().compact(server.context(), server.store().current_revision()).ok());
    const auto expired = server.request("GET", std::string(kMaps) + "?limit=1&continue=" + token);
    CHECK(expired.status == 410);
    const std::string next(expired.tree["metadata"]["continue"].as_string());
    REQUIRE_FALSE(next.empty());
    const auto rest = server.request("GET", std::string(kMaps) + "?continue=" + next);
    CHECK(rest.status == 200);
    std::set<std::string> names;
    for (const Value& item : rest.tree["items"].items()) names.emplace(item["metadata"]["name"].as_string());
    CHECK(names.count("a") == 0);
    CHECK(names.count("b") == 1);
    CHECK(names.count("e") == 1);
  });
}

TEST_CASE("a chunked list expires with its revision even when nothing of it has changed", "[api]") {
  TestServer::run([](TestServer& server) {
    for (const char* name : {"a", "b", "c"}) server.request("POST", kMaps, config_map(name));
    const auto first = server.request("GET", std::string(kMaps) + "?limit=1");
    const std::string target =
        std::string(kMaps) + "?limit=1&continue=" + std::string(first.tree["metadata"]["continue"].as_string());
    CHECK(server.request("GET", target).status == 200);
    server.request("POST", "/api/v1/namespaces", R"({"metadata":{"name":"other"}})");
    REQUIRE(server.store().compact(server.context(), server.store().current_revision()).ok());
    const auto expired = server.request("GET", target);
    CHECK(expired.status == 410);
    CHECK(expired.tree["reason"].as_string() == "Expired");
    const std::string next(expired.tree["metadata"]["continue"].as_string());
    const auto second = server.request("GET", std::string(kMaps) + "?limit=1&continue=" + next);
    REQUIRE(second.status == 200);
    CHECK(second.tree["items"].at(0)["metadata"]["name"].as_string() == "b");
    CHECK(second.tree["metadata"]["resourceVersion"] != first.tree["metadata"]["resourceVersion"]);
  });
}

TEST_CASE("a long list is made while it is read, and says the same", "[api]") {
  TestServer::run([](TestServer& server) {
    const std::string value(40'000, 'x');
    for (int i = 0; i < 10; ++i) server.request("POST", kMaps, config_map("c" + std::to_string(i), value));
    const http::Headers partial = {{"Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}};
    for (const http::Headers& headers : {http::Headers(), partial}) {
      const http::Response stream = server.raw("GET", kMaps, {}, headers);
      REQUIRE(stream.source != nullptr);
      CHECK(stream.headers.get("Content-Type") == "application/json");
      std::vector<http::Bytes> pieces;
      auto state = stream.source->pull(pieces, 64 * 1024);
      CHECK(pieces.front()->size() < 128 * 1024);
      // What changes while it is read does not show.
      server.request("DELETE", std::string(kMaps) + "/c9");
      while (state == http::BodySource::State::More) state = stream.source->pull(pieces, 64 * 1024);
      std::string text;
      for (const http::Bytes& piece : pieces) text += *piece;
      const auto tree = json::read(text);
      REQUIRE(tree.ok());
      CHECK(text.ends_with("]}\n"));
      REQUIRE((*tree)["items"].size() == 10);
      CHECK((*tree)["items"].at(9)["metadata"]["name"].as_string() == "c9");
      server.request("POST", kMaps, config_map("c9", value));
      const Value again = server.request("GET", kMaps, {}, headers).tree;
      CHECK(again["items"].at(8) == (*tree)["items"].at(8));
      CHECK(again["kind"] == (*tree)["kind"]);
      // What is laid out, or one page of it, is complete at once.
      CHECK(server.raw("GET", std::string(kMaps) + "?pretty=true", {}, headers).source == nullptr);
      const http::Response page = server.raw("GET", std::string(kMaps) + "?limit=5", {}, headers);
      CHECK(page.source == nullptr);
      CHECK((*json::read(page.body_text()))["items"].size() == 5);
    }
  });
}

TEST_CASE("a list that travels is compressed whole", "[api]") {
  TestServer::run([](TestServer& server) {
    for (int i = 0; i < 10; ++i) {
      server.request("POST", kMaps, config_map("c" + std::to_string(i), std::string(40'000, 'x')));
    }
    http::Request request;
    request.method = "GET";
    request.path = kMaps;
    request.headers.set("Accept-Encoding", "gzip");
    request.peer.address = "192.0.2.1";
    const http::Response far = server.server().handler().handle(server.context(), request);
    CHECK(far.source == nullptr);
    CHECK(far.headers.get("Content-Encoding") == "gzip");
    const auto text = gunzip(far.body_text(), 1 << 20U);
    REQUIRE(text.ok());
    CHECK(*text == server.request("GET", kMaps).body);
    request.headers.set("Accept-Encoding", "identity");
    CHECK(server.server().handler().handle(server.context(), request).source != nullptr);
  });
}

TEST_CASE("protobuf clients get and send protobuf", "[api]") {
  TestServer::run([](TestServer& server) {
    server.request("POST", kMaps, config_map("a"));
    const http::Headers accept = {{"Accept", "application/vnd.kubernetes.protobuf"}};
    const auto got = server.request("GET", std::string(kMaps) + "/a", {}, accept);
    CHECK(got.headers.get("Content-Type") == "application/vnd.kubernetes.protobuf");
    REQUIRE(has_envelope(got.body));
    const auto envelope = read_envelope(got.body);
    REQUIRE(envelope.ok());
    CHECK(envelope->kind == "ConfigMap");
    const http::Headers sending = {{"Content-Type", "application/vnd.kubernetes.protobuf"}};
    CHECK(server.request("PUT", std::string(kMaps) + "/a", got.body, sending).status == 200);
    const auto list = server.request("GET", kMaps, {}, accept);
    CHECK(read_envelope(list.body)->kind == "ConfigMapList");
    const auto missing = server.request("GET", std::string(kMaps) + "/zz", {}, accept);
    CHECK(missing.status == 404);
    CHECK(read_envelope(missing.body)->kind == "Status");
  });
}

TEST_CASE("a watch may be asked for over WebSocket", "[api]") {
  TestServer::run([](TestServer& server) {
    namespace websocket = http::websocket;
    server.request("POST", kMaps, config_map("a"));
    const http::Headers asking = {{"Connection", "Upgrade, Upgrade"},
                                  {"Upgrade", "websocket"},
                                  {"Sec-WebSocket-Version", "13"},
                                  {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};
    const std::string target = std::string(kMaps) + "?watch=1&timeoutSeconds=30&fieldSelector=metadata.name=a";
    const auto frames = [&](http::Response& response, http::BodySource::State expected) {
      std::vector<http::Bytes> pieces;
      auto state = http::BodySource::State::More;
      while (state == http::BodySource::State::More) state = response.duplex->pull(pieces, 65536);
      CHECK(state == expected);
      std::string text;
      for (const http::Bytes& piece : pieces) text += *piece;
      return text;
    };
    const auto begin = [&](const http::Headers& headers) {
      http::Response response = server.raw("GET", target, {}, headers);
      REQUIRE(response.status == 101);
      REQUIRE(response.duplex != nullptr);
      response.duplex->on_ready([] {});
      return response;
    };
    // One event is one message, the very bytes that it is on a stream.
    http::Response stream = server.raw("GET", target);
    std::vector<http::Bytes> events;
    stream.source->on_ready([] {});
    stream.source->pull(events, 65536);
    REQUIRE(events.size() == 1);
    http::Response text = begin(asking);
    CHECK(frames(text, http::BodySource::State::Pending) ==
          websocket::frame_header(websocket::Opcode::Text, events[0]->size()) + *events[0]);

    http::Headers protobuf = asking;
    protobuf.add("Accept", "application/vnd.kubernetes.protobuf");
    http::Response binary = begin(protobuf);
    frames(binary, http::BodySource::State::Pending);
    // A change beside a stream in the same encoding, which has a length before it.
    http::Response framed = server.raw("GET", target, {}, {{"Accept", "application/vnd.kubernetes.protobuf"}});
    framed.source->on_ready([] {});
    framed.source->pull(events, 65536);
    server.request("DELETE", std::string(kMaps) + "/a");
    server.settle();
    events.clear();
    framed.source->pull(events, 65536);
    REQUIRE(events.size() == 1);
    const std::string event = events[0]->substr(4);
    CHECK(read_protobuf_watch_event(event)->type == "DELETED");
    CHECK(frames(binary, http::BodySource::State::Pending) ==
          websocket::frame_header(websocket::Opcode::Binary, event.size()) + event);

    server.advance(std::chrono::seconds(31));
    CHECK(frames(text, http::BodySource::State::End).ends_with(close_frame(websocket::CloseCode::Normal)));
  });
}

TEST_CASE("only a watch switches to WebSocket, with a subprotocol that is no token", "[api]") {
  TestServer::run([](TestServer& server) {
    http::Headers asking = {{"Connection", "Upgrade"},
                            {"Upgrade", "websocket"},
                            {"Sec-WebSocket-Version", "13"},
                            {"Sec-WebSocket-Key", "a"}};
    const std::string watch = std::string(kMaps) + "?watch=1";
    CHECK(server.request("GET", kMaps, {}, asking).status == 200);
    CHECK_FALSE(server.raw("GET", watch, {}, asking).headers.has("Sec-WebSocket-Protocol"));
    asking.set("Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.dG9rZW4, first, second");
    CHECK(server.raw("GET", watch, {}, asking).headers.get("Sec-WebSocket-Protocol") == "first");
    // What is wrong with the watch is said before the switch.
    CHECK(server.request("GET", watch + "&resourceVersion=x", {}, asking).status == 500);
    CHECK(server.request("GET", watch, {}, asking, "alice").status == 403);
    asking.set("Sec-WebSocket-Version", "8");
    CHECK(server.request("GET", watch, {}, asking).status == 400);
  });
}

TEST_CASE("who has no rights is told so", "[api]") {
  TestServer::run([](TestServer& server) {
    const auto answer = server.request("GET", std::string(kMaps) + "/a", {}, {}, "alice");
    CHECK(answer.status == 403);
    CHECK(answer.tree["message"].as_string() ==
          "configmaps \"a\" is forbidden: User \"alice\" cannot get resource \"configmaps\" in API group \"\" in the "
          "namespace \"default\"");
    CHECK(server.request("GET", "/healthz", {}, {}, "alice").status == 200);
  });
}

TEST_CASE("the metrics count requests, and mistakes of the server itself", "[api]") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server.request("GET", std::string(kMaps) + "/nobody").status == 404);
    const std::string text = server.request("GET", "/metrics").body;
    CHECK(text.find("apiserver_request_total{code=\"404\"") != std::string::npos);
    CHECK(text.find("\n# TYPE coracle_bugs gauge\ncoracle_bugs 0\n") != std::string::npos);
    CHECK(server.request("GET", "/metrics", {}, {}, "alice").status == 403);
  });
}

TEST_CASE("what clients invent does not become a label of the metrics", "[api]") {
  TestServer::run([](TestServer& server) {
    for (const std::string path : {"/api/v1/inventions", "/api/v1/namespaces/default/configmaps/a/invention",
                                   "/apis/invention.example.com/v1/things", "/invention", "/openapi/v3/invention"}) {
      server.request("GET", path);
      server.request("GET", path, {}, {}, "alice");
      server.request("INVENTION", path, {}, {}, "alice");
    }
    server.request("GET", std::string(kMaps) + "/a", {}, {}, "alice");
    const std::string text = server.request("GET", "/metrics").body;
    CHECK(text.find("nvention") == std::string::npos);
    CHECK(text.find("INVENTION") == std::string::npos);
    CHECK(text.find("{code=\"403\",component=\"apiserver\",dry_run=\"\",group=\"\",resource=\"configmaps\"") !=
          std::string::npos);
  });
}

TEST_CASE("writers of one object take turns", "[api]") {
  TestServer::run([](TestServer& server) {
    server.request("POST", kMaps, config_map("a"));
    int done = 0;
    constexpr int kWriters = 8;
    for (int writer = 0; writer < kWriters; ++writer) {
      server.executor().post(Lane::Worker, [&server, &done, writer] {
        const std::string patch = R"({"data":{"w)" + std::to_string(writer) + R"(":"x"}})";
        const auto answer = server.request("PATCH", std::string(kMaps) + "/a", patch,
                                           {{"Content-Type", "application/merge-patch+json"}});
        CHECK(answer.status == 200);
        ++done;
      });
    }
    while (done < kWriters) server.settle();
    CHECK(server.request("GET", std::string(kMaps) + "/a").tree["data"].size() == kWriters + 1);
  });
}

TEST_CASE("generated names that collide are generated again", "[api]") {
  TestServer::run([](TestServer& server) {
    std::set<std::string> names;
    for (int i = 0; i < 20; ++i) {
      const auto answer = server.request("POST", kMaps, R"({"metadata":{"generateName":"g-"}})");
      CHECK(answer.status == 201);
      names.insert(std::string(answer.tree["metadata"]["name"].as_string()));
    }
    CHECK(names.size() == 20);
  });
}

TEST_CASE("a body that is too large is refused", "[api]") {
  TestServer::run([](TestServer& server) {
    const auto answer = server.request("POST", kMaps, config_map("a", std::string(3145728, 'x')));
    CHECK(answer.status == 413);
    CHECK(answer.tree["message"].as_string() == "Request entity too large: limit is 3145728");
    // The transport refuses it earlier still.
    const http::Response refused = server.server().handler().refusal(413, "too large");
    CHECK(json::read(refused.body_text()).value() == answer.tree);
  });
}

TEST_CASE("objects that are computed show in every representation", "[api]") {
  TestServer::run([](TestServer& server) {
    REQUIRE(server
                .request("POST", "/apis/apps/v1/namespaces/default/deployments", R"({"metadata":{"name":"web"},
      "spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","image":"i"}]}}}})")
                .status == 201);
    http::Headers table;
    table.set("Accept", "application/json;as=Table;g=meta.k8s.io;v=v1");
    const std::string scale = "/apis/apps/v1/namespaces/default/deployments/web/scale";
    CHECK(server.request("GET", scale).tree["spec"]["replicas"].as_int() == 3);
    const auto scales = server.request("GET", scale, "", table);
    CHECK(json::write(scales.tree["rows"].at(0)["cells"]) == R"(["web",3,0,"0s"])");
    CHECK(scales.tree["columnDefinitions"].at(1)["name"].as_string() == "Desired");

    const std::string components = "/api/v1/componentstatuses";
    const auto list = server.request("GET", components);
    CHECK(list.tree["kind"].as_string() == "ComponentStatusList");
    CHECK(list.tree["items"].at(0)["metadata"]["name"].as_string() == "etcd-0");
    CHECK(server.request("GET", components + "/etcd-0").tree["conditions"].at(0)["status"].as_string() == "True");
    CHECK(server.request("GET", components + "/other").status == 404);
    CHECK(server.request("GET", components + "?fieldSelector=metadata.name%3Dother").tree["items"].empty());
    CHECK(server.request("DELETE", components + "/etcd-0").status == 405);
    const auto shown = server.request("GET", components, "", table);
    CHECK(json::write(shown.tree["rows"].at(0)["cells"]) == R"(["etcd-0","Healthy","ok",""])");
  });
}

TEST_CASE("one object of a namespaced resource is asked for in its namespace", "[api]") {
  TestServer::run([](TestServer& server) {
    CHECK(server.request("GET", "/api/v1/configmaps/a").status == 404);
    CHECK(server.request("DELETE", "/api/v1/configmaps/a").status == 404);
    CHECK(server.request("POST", "/api/v1/configmaps", config_map("a")).status == 405);
  });
}

TEST_CASE("values that upstream stored as protobuf are read", "[api]") {
  TestServer::run([](TestServer& server) {
    const auto tree = json::read(R"({"kind":"ConfigMap","apiVersion":"v1","metadata":)"
                                 R"({"name":"old","namespace":"default","uid":"u"},"data":{"k":"v"}})");
    const KindSchema* kind = find_builtin_kind("", "v1", "ConfigMap");
    auto bytes = encode(*tree, MediaType::Protobuf, *kind->schema);
    REQUIRE(bytes.ok());
    auto written = server.store().create(server.context(), "/registry/configmaps/default/old",
                                         std::make_shared<const std::string>(std::move(bytes).value()));
    REQUIRE(written.ok());
    CHECK(server.request("GET", std::string(kMaps) + "/old").tree["data"]["k"].as_string() == "v");
    const auto list = server.request("GET", std::string(kMaps) + "?fieldSelector=metadata.name%3Dold");
    CHECK(list.tree["items"].size() == 1);
    const auto patched = server.request("PATCH", std::string(kMaps) + "/old", R"({"data":{"l":"m"}})",
                                        {{"Content-Type", "application/merge-patch+json"}});
    CHECK(patched.status == 200);
    CHECK(patched.tree["data"].size() == 2);
  });
}

}  // namespace coracle::kube::apiserver::testing
