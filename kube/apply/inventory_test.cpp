#include "kube/apply/inventory.h"

#include <catch2/catch.hpp>

namespace coracle::kube {

TEST_CASE("inventory ids are Flux's") {
  const InventoryEntry web{"shop", "web", "apps", "Deployment", "v1"};
  CHECK(web.id() == "shop_web_apps_Deployment");
  const InventoryEntry role{"", "system:node", "rbac.authorization.k8s.io", "ClusterRole", "v1"};
  CHECK(role.id() == "_system__node_rbac.authorization.k8s.io_ClusterRole");
  const InventoryEntry config{"default", "a", "", "ConfigMap", "v1"};
  CHECK(config.id() == "default_a__ConfigMap");
  CHECK(web.subject() == "Deployment/shop/web");
  CHECK(role.subject() == "ClusterRole/system:node");
  for (const InventoryEntry& entry : {web, role, config}) {
    CHECK(InventoryEntry::parse(entry.id(), entry.version).value() == entry);
  }
}

TEST_CASE("an id that cannot be read is an error that shows it") {
  for (const char* id : {"", "a", "a_b", "a_b_c"}) {
    const Result<InventoryEntry> entry = InventoryEntry::parse(id, "v1");
    INFO(id);
    REQUIRE_FALSE(entry.ok());
    CHECK(entry.error().message().find("\"" + std::string(id) + "\"") != std::string::npos);
  }
}

TEST_CASE("the difference ignores versions and keeps the order") {
  const Inventory before = {{"n", "a", "g", "K", "v1"}, {"n", "b", "g", "K", "v1"}, {"n", "c", "g", "K", "v1"}};
  const Inventory now = {{"n", "b", "g", "K", "v2"}};
  const Inventory stale = inventory_difference(before, now);
  REQUIRE(stale.size() == 2);
  CHECK(stale[0].name == "a");
  CHECK(stale[1].name == "c");
  CHECK(read_inventory(inventory_value(before)).value() == before);
}

}  // namespace coracle::kube
