#include "kube/apply/deletion.h"

#include "base/not_found.h"

namespace coracle::kube {
namespace {

constexpr Duration kGonePoll = std::chrono::milliseconds(100);

}  // namespace

Result<void> remove_in_background(const Context& context, const Client& client, const ResourceRef& resource,
                                  const ObjectKey& key, const std::string& uid) {
  return even_if_gone(client.remove(context, resource, key, {.propagation = "Background", .uid = uid}));
}

Result<void> wait_until_removed(const Context& context, const Client& client, const ResourceRef& resource,
                                const ObjectKey& key) {
  while (true) {
    ASSIGN_OR_RETURN(const std::optional<Object> found, if_there(client.get(context, resource, key)));
    if (!found) return {};
    if (Result<void> slept = context.sleep(kGonePoll); !slept.ok()) {
      return slept.error().in("waiting until " + resource.kind + " " + key.text() + " is deleted");
    }
  }
}

Result<void> remove_and_wait(const Context& context, const Client& client, const ResourceRef& resource,
                             const ObjectKey& key, const std::string& uid) {
  TRY(remove_in_background(context, client, resource, key, uid));
  return wait_until_removed(context, client, resource, key);
}

}  // namespace coracle::kube
