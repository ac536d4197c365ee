#include "kube/cache/informer.h"

#include <catch2/catch.hpp>
#include <deque>
#include <mutex>

#include "base/sync.h"

namespace coracle::kube {
namespace {

const ResourceRef kConfigMaps{{"", "v1", "configmaps"}, "ConfigMap", true};

std::string config_map(std::string_view name, int version) {
  return R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":")" + std::string(name) +
         R"(","namespace":"n","resourceVersion":")" + std::to_string(version) + "\"}}";
}

// What the scripted server sends on one watch; the test feeds it.
struct Feed {
  std::mutex mutex;
  std::deque<std::string> lines;
  bool ended = false;
  std::function<void()> wake;

  void send(std::string line) {
    std::function<void()> call;
    {
      std::lock_guard lock(mutex);
      lines.push_back(std::move(line));
      call = wake;
    }
    if (call) call();
  }
  void end() {
    std::function<void()> call;
    {
      std::lock_guard lock(mutex);
      ended = true;
      call = wake;
    }
    if (call) call();
  }
};

class FeedSource : public http::BodySource {
 public:
  explicit FeedSource(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
  State pull(std::vector<http::Bytes>& out, std::size_t) override {
    std::lock_guard lock(feed_->mutex);
    if (feed_->lines.empty()) return feed_->ended ? State::End : State::Pending;
    out.push_back(http::bytes(feed_->lines.front()));
    feed_->lines.pop_front();
    return State::More;
  }
  void on_ready(std::function<void()> wake) override {
    std::lock_guard lock(feed_->mutex);
    feed_->wake = std::move(wake);
  }

 private:
  std::shared_ptr<Feed> feed_;
};

class FeedTransport : public Transport {
 public:
  Result<http::Response> send(const Context&, const http::Request& request) override {
    std::lock_guard lock(mutex);
    const http::Query query = http::Query::parse(request.query);
    if (!query.has("watch")) {
      ++lists;
      return http::Response::text(200, R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":")" +
                                           std::to_string(list_version) + "\"},\"items\":[" + items + "]}");
    }
    watched_from.emplace_back(query.get("resourceVersion"));
    http::Response response;
    response.source = std::make_unique<FeedSource>(feeds.at(watched_from.size() - 1));
    return response;
  }

  std::mutex mutex;
  int lists = 0;
  int list_version = 10;
  std::string items;
  std::vector<std::string> watched_from;
  std::vector<std::shared_ptr<Feed>> feeds{std::make_shared<Feed>(), std::make_shared<Feed>(),
                                           std::make_shared<Feed>()};
};

// "-old+new" for each change.
Informer::Handler tell(Queue<std::string>& seen) {
  return [&seen](const std::optional<Object>& before, const std::optional<Object>& after) {
    seen.push((before ? "-" + std::string(before->name()) : std::string()) +
              (after ? "+" + std::string(after->name()) : std::string()));
  };
}

}  // namespace

TEST_CASE("an informer lists, follows the watch and survives its ends") {
  auto executor = make_thread_executor();
  const Context context = Context(*executor).with_timeout(std::chrono::seconds(30));
  FeedTransport transport;
  transport.items = config_map("a", 7);
  const Client client(transport);
  Informer informer(context, client, kConfigMaps, {}, Logger(null_log_sink(), "test"));
  Queue<std::string> seen(*executor, 100);
  informer.add_handler(tell(seen));
  informer.start();
  REQUIRE(informer.store().wait_synced(context).ok());
  CHECK(seen.pop(context).value() == "+a");

  // Events may arrive cut anywhere.
  const std::string line = R"({"type":"MODIFIED","object":)" + config_map("a", 11) + "}\n";
  transport.feeds[0]->send(line.substr(0, 20));
  transport.feeds[0]->send(line.substr(20));
  CHECK(seen.pop(context).value() == "-a+a");
  transport.feeds[0]->send(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"15"}}})"
                           "\n");
  REQUIRE(informer.store().wait_for(context, "15").ok());

  // A clean end goes on where the bookmark stood, without a new list.
  transport.feeds[0]->end();
  transport.feeds[1]->send(R"({"type":"DELETED","object":)" + config_map("a", 16) + "}\n");
  CHECK(seen.pop(context).value() == "-a");
  {
    std::lock_guard lock(transport.mutex);
    CHECK(transport.lists == 1);
    CHECK(transport.watched_from == std::vector<std::string>{"10", "15"});
    transport.list_version = 40;
    transport.items = config_map("b", 30);
  }

  // An expired watch lists again.
  transport.feeds[1]->send(R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired",)"
                           R"("message":"too old resource version"}})"
                           "\n");
  CHECK(seen.pop(context).value() == "+b");
  REQUIRE(informer.store().wait_for(context, "40").ok());
  CHECK(informer.store().get({"n", "b"}).has_value());
}

TEST_CASE("a handler that comes late hears of what is there, one that goes of what it leaves") {
  auto executor = make_thread_executor();
  const Context context = Context(*executor).with_timeout(std::chrono::seconds(30));
  FeedTransport transport;
  transport.items = config_map("a", 7);
  const Client client(transport);
  Informer informer(context, client, kConfigMaps, {}, Logger(null_log_sink(), "test"));
  informer.start();
  REQUIRE(informer.store().wait_synced(context).ok());
  Queue<std::string> seen(*executor, 100);
  const unsigned which = informer.add_handler(tell(seen));
  CHECK(seen.pop(context).value() == "+a");
  transport.feeds[0]->send(R"({"type":"ADDED","object":)" + config_map("b", 11) + "}\n");
  CHECK(seen.pop(context).value() == "+b");
  informer.remove_handler(which, true);
  CHECK(seen.pop(context).value() == "-a");
  CHECK(seen.pop(context).value() == "-b");
  transport.feeds[0]->send(R"({"type":"DELETED","object":)" + config_map("b", 12) + "}\n");
  REQUIRE(informer.store().wait_for(context, "12").ok());
  informer.remove_handler(which, true);
  seen.push("nothing else");
  CHECK(seen.pop(context).value() == "nothing else");
}

TEST_CASE("an informer keeps no managedFields") {
  auto executor = make_thread_executor();
  const Context context = Context(*executor).with_timeout(std::chrono::seconds(30));
  const auto with_fields = [](const std::string& name, int version) {
    std::string text = config_map(name, version);
    const std::string_view metadata = R"("metadata":{)";
    return text.insert(text.find(metadata) + metadata.size(), R"("managedFields":[{"manager":"m"}],)");
  };
  FeedTransport transport;
  transport.items = with_fields("listed", 7);
  const Client client(transport);
  Informer informer(context, client, kConfigMaps, {}, Logger(null_log_sink(), "test"));
  informer.start();
  transport.feeds[0]->send(R"({"type":"ADDED","object":)" + with_fields("watched", 11) + "}\n");
  REQUIRE(informer.store().wait_for(context, "11").ok());
  for (const std::string name : {"listed", "watched"}) {
    const std::optional<Object> kept = informer.store().get({"n", name});
    REQUIRE(kept);
    CHECK(kept->metadata()["managedFields"].is_null());
  }
}

}  // namespace coracle::kube
