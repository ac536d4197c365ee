#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "base/files.h"
#include "base/json/json.h"
#include "base/yaml/yaml.h"
#include "kube/apiserver/testing/test_server.h"

// Plays tests/golden/api/*.yaml. tests/golden/replay.py plays the same files against any other API server.
namespace coracle::kube::apiserver::testing {

namespace {

constexpr std::size_t kMaxCaseFile = 1 << 20;

using Variables = std::map<std::string, std::string>;

std::string substitute(std::string text, const Variables& variables) {
  for (const auto& [name, value] : variables) {
    const std::string mark = "${" + name + "}";
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

Value substitute_tree(const Value& tree, const Variables& variables) {
  if (tree.is_string()) return substitute(std::string(tree.as_string()), variables);
  if (tree.is_array()) {
    Value::ArrayBuilder out;
    for (const Value& item : tree.items()) out.add(substitute_tree(item, variables));
    return std::move(out).build();
  }
  if (!tree.is_object()) return tree;
  Value::ObjectBuilder out;
  for (const Value::Member& member : tree.members()) out.append(member.key, substitute_tree(member.value, variables));
  return std::move(out).build();
}

// Is everything that is expected there? "*" is any value, "has: x" a text that contains x, null means absent.
bool covers(const Value& actual, const Value& expected, const std::string& path, std::string& problem) {
  const auto differ = [&] {
    problem = path + ": expected " + json::write(expected) + ", got " + json::write(actual);
    return false;
  };
  if (expected.is_null()) return actual.is_null() || differ();
  if (expected.is_object()) {
    if (!actual.is_object()) return differ();
    return std::all_of(expected.members().begin(), expected.members().end(), [&](const Value::Member& member) {
      return covers(actual[member.key], member.value, path + "." + member.key, problem);
    });
  }
  if (expected.is_array()) {
    if (!actual.is_array() || actual.size() != expected.size()) return differ();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (!covers(actual.at(i), expected.at(i), path + "[" + std::to_string(i) + "]", problem)) return false;
    }
    return true;
  }
  const std::string_view text = expected.as_string();
  if (text == "*") return !actual.is_null() || differ();
  if (text.starts_with("has: ")) return actual.as_string().find(text.substr(5)) != std::string_view::npos || differ();
  return actual == expected || differ();
}

const Value& at_dotted(const Value& tree, std::string_view path) {
  const Value* at = &tree;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    const std::string_view step = path.substr(0, dot);
    const bool index =
        !step.empty() && std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
    at = index && at->is_array() ? &at->at(std::stoul(std::string(step))) : &(*at)[step];
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return *at;
}

class Player {
 public:
  explicit Player(TestServer& server) : server_(server) {}

  void play(const Value& step) {
    if (step.contains("events")) return play_events(step);
    const std::string request = substitute(std::string(step["request"].as_string()), variables_);
    INFO(request);
    const std::string method = request.substr(0, request.find(' '));
    const std::string target = request.substr(request.find(' ') + 1);
    http::Headers headers;
    for (const auto& header : step["headers"].members()) headers.add(header.key, std::string(header.value.as_string()));
    if (step.contains("watch")) {
      watches_[std::string(step["watch"].as_string())] = server_.watch(target, headers);
      return;
    }
    std::string body;
    const Value& given = step["body"];
    if (given.is_string()) body = substitute(std::string(given.as_string()), variables_);
    if (given.is_object() || given.is_array()) body = json::write(substitute_tree(given, variables_));
    const auto answer = server_.request(method, target, body, headers, step["user"].as_string());
    INFO(answer.body);
    CHECK(answer.status == step["status"].as_int(200));
    if (step["text"].is_string()) CHECK(answer.body == step["text"].as_string());
    std::string problem;
    if (!covers(answer.tree, substitute_tree(step["expect"], variables_), "", problem) && step.contains("expect")) {
      FAIL_CHECK(problem);
    }
    for (const auto& header : step["answer_headers"].members()) {
      const Value actual = answer.headers.has(header.key) ? Value(answer.headers.get(header.key)) : Value();
      if (!covers(actual, header.value, header.key, problem)) FAIL_CHECK(problem);
    }
    for (const auto& save : step["save"].members()) {
      const Value& value = at_dotted(answer.tree, save.value.as_string());
      variables_[save.key] = value.is_string() ? std::string(value.as_string()) : json::write(value);
    }
  }

 private:
  void play_events(const Value& step) {
    auto& watch = watches_[std::string(step["events"].as_string())];
    REQUIRE(watch != nullptr);
    for (const Value& expected : step["expect"].items()) {
      const Value event = watch->next();
      std::string problem;
      if (!covers(event, substitute_tree(expected, variables_), "event", problem)) FAIL_CHECK(problem);
    }
  }

  TestServer& server_;
  Variables variables_;
  std::map<std::string, std::unique_ptr<TestServer::Watch>> watches_;
};

}  // namespace

TEST_CASE("golden API cases answer as upstream does", "[golden]") {
  const std::string folder = std::string(CORACLE_SOURCE_DIR) + "/tests/golden/api";
  const auto files = list_directory(folder);
  REQUIRE(files.ok());
  for (const DirectoryEntry& entry : *files) {
    const std::string& file = entry.name;
    auto text = read_file(folder + "/" + file, kMaxCaseFile);
    REQUIRE(text.ok());
    auto cases = yaml::read_all(*text);
    REQUIRE(cases.ok());
    for (const yaml::Document& document : *cases) {
      INFO(file << ": " << document.value["name"].as_string());
      TestServer::run([&](TestServer& server) {
        Player player(server);
        for (const Value& step : document.value["steps"].items()) player.play(step);
      });
    }
  }
}

}  // namespace coracle::kube::apiserver::testing
