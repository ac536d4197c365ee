#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/log.h"
#include "kube/cache/store.h"
#include "kube/client/client.h"

namespace coracle::kube {

struct InformerOptions {
  std::string namespace_ = {};  // empty: all
  std::string label_selector = {};
  std::string field_selector = {};
  bool metadata_only = false;  // objects are PartialObjectMetadata
  std::map<std::string, IndexFunction, std::less<>> indexes = {};
};

// Keeps a Store equal to what the server has, managedFields aside, which are large and decide nothing here:
// lists, watches, lists again when the watch breaks or falls too far behind. Holds no thread: events are
// moved by short Delivery tasks, lists run on the Blocking lane.
class Informer {
 public:
  // Called on a Delivery task after the store has changed; must not wait. `before` is empty for new
  // objects, `after` for deleted ones. Objects of the first list arrive as new.
  using Handler = std::function<void(const std::optional<Object>& before, const std::optional<Object>& after)>;

  Informer(const Context& context, const Client& client, ResourceRef resource, InformerOptions options, Logger log);
  ~Informer();  // stops
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  // What the store holds already arrives as new before this returns. Answers what remove_handler() takes; most stay
  // for good.
  unsigned add_handler(Handler handler);
  // Waits for a running handler. With `hand_over`, what the store holds arrives as deleted before this returns.
  void remove_handler(unsigned which, bool hand_over);
  void start();
  // Ends the watch and waits for running tasks; the store keeps its last content.
  void stop();

  const Store& store() const;
  const ResourceRef& resource() const;

 private:
  class Reflector;
  std::shared_ptr<Reflector> reflector_;
};

}  // namespace coracle::kube
