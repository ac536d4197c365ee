#include "kube/apply/deletion.h"

namespace coracle::kube {
namespace {

constexpr Duration kGonePoll = std::chrono::milliseconds(100);

}  // namespace

Result<void> remove_and_wait(const Context& context, const Client& client, const ResourceRef& resource,
                             const ObjectKey& key, const std::string& uid) {
  Result<void> removed = client.remove(context, resource, key, {.propagation = "Background", .uid = uid});
  if (!removed.ok()) {
    if (removed.error().reason() == Reason::NotFound) return {};
    return removed;
  }
  while (true) {
    const Result<Object> found = client.get(context, resource, key);
    if (!found.ok()) {
      if (found.error().reason() == Reason::NotFound) return {};
      return found.error();
    }
    if (Result<void> slept = context.sleep(kGonePoll); !slept.ok()) {
      return slept.error().in("waiting until " + resource.kind + " " + key.text() + " is deleted");
    }
  }
}

}  // namespace coracle::kube
