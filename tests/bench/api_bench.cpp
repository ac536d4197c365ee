// Loads a running server over HTTPS and prints requests per second and latencies:
//   api_bench URL CA CERTIFICATE KEY [OBJECTS] [CLIENTS]
// Reads PEM files. Works in the namespace "default" on ConfigMaps named "bench-*", which it deletes again.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/files.h"
#include "base/http/client.h"
#include "base/task_group.h"
#include "base/text.h"

namespace {

using coracle::Context;
using coracle::Lane;
using coracle::Result;
using std::chrono::steady_clock;

constexpr std::size_t kPayload = 1024;
constexpr std::size_t kMaxPem = 1024 * 1024;
constexpr const char* kCollection = "/api/v1/namespaces/default/configmaps";

struct Load {
  std::string url;
  coracle::http::ClientOptions options;
  std::size_t objects = 3000;
  std::size_t clients = 16;
};

struct Step {
  const char* name;
  const char* method;
  std::function<std::string(std::size_t)> path;
  std::function<std::string(std::size_t)> body;
  const char* content_type = "application/json";
  std::size_t requests = 0;
};

coracle::http::Request make_request(const Step& step, std::size_t number) {
  coracle::http::Request request;
  request.method = step.method;
  if (step.body) {
    request.body = step.body(number);
    request.headers.add("Content-Type", step.content_type);
  }
  return request;
}

// One client's share of a step; answers the latencies of its successes.
std::vector<double> run_share(const Context& context, const Load& load, coracle::http::Client& client, const Step& step,
                              std::size_t first) {
  std::vector<double> milliseconds;
  for (std::size_t i = first; i < step.requests; i += load.clients) {
    const auto begin = steady_clock::now();
    Result<coracle::http::Response> response = client.send(context, load.url + step.path(i), make_request(step, i));
    const std::chrono::duration<double, std::milli> took = steady_clock::now() - begin;
    if (response.ok() && response->status < 300) milliseconds.push_back(took.count());
  }
  return milliseconds;
}

void run_step(const Context& context, const Load& load, const Step& step) {
  std::vector<std::vector<double>> shares(load.clients);
  const auto begin = steady_clock::now();
  {
    coracle::TaskGroup group(context);
    for (std::size_t i = 0; i < load.clients; ++i) {
      group.spawn(Lane::Blocking, [&, i](const Context& task) {
        const auto client = coracle::http::make_client(load.options);
        shares[i] = run_share(task, load, *client, step, i);
      });
    }
    group.join();
  }
  const std::chrono::duration<double> took = steady_clock::now() - begin;
  std::vector<double> all;
  for (const std::vector<double>& share : shares) all.insert(all.end(), share.begin(), share.end());
  std::sort(all.begin(), all.end());
  if (all.empty()) {
    std::printf("%-16s every request failed\n", step.name);
    return;
  }
  const auto quantile = [&all](double q) {
    return all[static_cast<std::size_t>(q * static_cast<double>(all.size() - 1))];
  };
  std::printf("%-16s %8.0f/s   p50 %7.2f ms   p99 %7.2f ms   failed %zu\n", step.name,
              static_cast<double>(all.size()) / took.count(), quantile(0.5), quantile(0.99),
              step.requests - all.size());
}

std::string name_of(std::size_t number) {
  return "bench-" + std::to_string(number);
}
std::string path_of(std::size_t number) {
  return std::string(kCollection) + "/" + name_of(number);
}

std::string object_of(std::size_t number) {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name_of(number) +
         R"(","labels":{"bench":"yes","tenth":")" + std::to_string(number % 10) + R"("}},"data":{"payload":")" +
         std::string(kPayload, 'x') + "\"}}";
}

std::vector<Step> steps_of(const Load& load) {
  const auto collection = [](const char* query) {
    return [query](std::size_t) { return std::string(kCollection) + query; };
  };
  constexpr std::size_t kLists = 100;
  return {
      {.name = "create", .method = "POST", .path = collection(""), .body = object_of, .requests = load.objects},
      {.name = "get", .method = "GET", .path = path_of, .body = {}, .requests = load.objects},
      {.name = "list", .method = "GET", .path = collection(""), .body = {}, .requests = kLists},
      {.name = "list by label",
       .method = "GET",
       .path = collection("?labelSelector=tenth%3D3"),
       .body = {},
       .requests = kLists * 3},
      {.name = "merge patch",
       .method = "PATCH",
       .path = path_of,
       .body = [](std::size_t number) { return R"({"data":{"n":")" + std::to_string(number) + "\"}}"; },
       .content_type = "application/merge-patch+json",
       .requests = load.objects},
      {.name = "delete", .method = "DELETE", .path = path_of, .body = {}, .requests = load.objects},
  };
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: api_bench URL CA CERTIFICATE KEY [OBJECTS] [CLIENTS]\n");
    return 2;
  }
  Load load;
  load.url = argv[1];
  for (const auto& [field, file] :
       {std::pair(&load.options.ca_pem, argv[2]), std::pair(&load.options.certificate_pem, argv[3]),
        std::pair(&load.options.key_pem, argv[4])}) {
    Result<std::string> text = coracle::read_file(file, kMaxPem);
    if (!text.ok()) {
      std::fprintf(stderr, "api_bench: %s\n", text.error().message().c_str());
      return 1;
    }
    *field = std::move(*text);
  }
  if (argc > 5) load.objects = coracle::parse_int<std::size_t>(argv[5]).value_or(load.objects);
  if (argc > 6) load.clients = coracle::parse_int<std::size_t>(argv[6]).value_or(load.clients);

  coracle::ThreadLimits limits;
  limits.blocking = static_cast<unsigned>(load.clients) + 1;
  const auto executor = coracle::make_thread_executor(limits);
  for (const Step& step : steps_of(load)) run_step(Context(*executor), load, step);
  return 0;
}
