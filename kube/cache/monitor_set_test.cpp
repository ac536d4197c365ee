#include "kube/cache/monitor_set.h"

#include <atomic>
#include <catch2/catch.hpp>

#include "base/sync.h"
#include "kube/client/resources.h"

namespace coracle::kube {
namespace {

class QuietSource : public http::BodySource {
 public:
  State pull(std::vector<http::Bytes>&, std::size_t) override { return State::Pending; }
  void on_ready(std::function<void()>) override {}
};

// A list of each resource has one object of that name; watches stay silent.
class OneOfEach : public Transport {
 public:
  Result<http::Response> send(const Context&, const http::Request& request) override {
    if (http::Query::parse(request.query).has("watch")) {
      http::Response response;
      response.source = std::make_unique<QuietSource>();
      return response;
    }
    ++lists;
    const std::string name = request.path.substr(request.path.rfind('/') + 1);
    return http::Response::text(200, R"({"kind":"PartialObjectMetadataList","metadata":{"resourceVersion":"1"},)"
                                     R"("items":[{"metadata":{"name":")" +
                                         name + R"(","namespace":"n","resourceVersion":"1"}}]})");
  }

  std::atomic<int> lists = 0;
};

struct Fixture {
  const std::unique_ptr<Executor> executor = make_thread_executor();
  const Context context = Context(*executor).with_timeout(std::chrono::seconds(30));
  OneOfEach transport;
  const Client client{transport};
  Queue<std::string> seen{*executor, 100};
  InformerSet informers{context, client, Logger(null_log_sink(), "test")};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a monitor set follows what it is told to and hands over what it leaves") {
  MonitorSet monitors(informers, [this](const ResourceRef& resource, const std::optional<Object>& before,
                                        const std::optional<Object>& after) {
    seen.push(resource.gvr.resource + (before ? " -" + std::string(before->name()) : std::string()) +
              (after ? " +" + std::string(after->name()) : std::string()));
  });
  CHECK(monitors.synced());

  monitors.add(resources::config_maps());
  monitors.add(resources::config_maps());
  CHECK(seen.pop(context).value() == "configmaps +configmaps");
  monitors.replace({resources::config_maps(), resources::secrets()});
  CHECK(seen.pop(context).value() == "secrets +secrets");
  CHECK(monitors.synced());

  monitors.replace({resources::secrets()});
  CHECK(seen.pop(context).value() == "configmaps -configmaps");
  monitors.replace({resources::config_maps(), resources::secrets()});
  CHECK(seen.pop(context).value() == "configmaps +configmaps");

  monitors.stop();
  monitors.add(resources::config_maps());
  monitors.replace({resources::secrets()});
  CHECK(monitors.synced());
  seen.push("nothing else");
  CHECK(seen.pop(context).value() == "nothing else");
}

TEST_CASE_METHOD(Fixture, "monitors share informers with each other and with who follows all of a resource") {
  Informer& config_maps = informers.get(resources::config_maps());
  informers.get(resources::secrets(), {.label_selector = "owner=helm"});
  informers.start();
  REQUIRE(informers.wait_synced(context).ok());
  CHECK(informers.monitor(resources::config_maps()).get() == &config_maps);

  const auto hear = [this](const std::string& who) {
    return [this, who](const ResourceRef& resource, const std::optional<Object>& before, const std::optional<Object>&) {
      seen.push(who + (before ? " -" : " +") + resource.gvr.resource);
    };
  };
  MonitorSet one(informers, hear("one"));
  MonitorSet other(informers, hear("other"));
  one.add(resources::config_maps());
  CHECK(seen.pop(context).value() == "one +configmaps");
  CHECK(one.synced());
  one.add(resources::secrets());
  CHECK(seen.pop(context).value() == "one +secrets");
  const int lists = transport.lists;
  other.add(resources::secrets());
  CHECK(seen.pop(context).value() == "other +secrets");
  CHECK(transport.lists == lists);

  // One that leaves hears of no more; the other goes on.
  one.replace({});
  CHECK(seen.pop(context).value() == "one -configmaps");
  CHECK(seen.pop(context).value() == "one -secrets");
  const auto shared = informers.monitor(resources::secrets());
  CHECK(transport.lists == lists);
  other.stop();
  CHECK(shared->store().size() == 1);
}

}  // namespace coracle::kube
