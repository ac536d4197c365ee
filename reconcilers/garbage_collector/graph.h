#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kube/client/parameters.h"
#include "kube/object/object.h"

namespace coracle::reconcilers {

// What the garbage collector knows of one object.
struct GraphNode {
  kube::ResourceRef resource;
  kube::ObjectKey key;
  std::string uid;
  std::vector<kube::OwnerReference> owners;
  bool deleting = false;
  bool foreground = false;  // has the finalizer foregroundDeletion
  bool orphan = false;      // has the finalizer orphan

  bool deleting_dependents() const { return deleting && foreground; }
  bool blocks(std::string_view owner_uid) const;
  // Whether a change from the other to this one concerns nobody.
  bool stands_like(const GraphNode& other) const;
};

// Objects by uid and who owns whom. Thread-safe.
class OwnerGraph {
 public:
  // Answers the uids whose situation changed: the object, and when it stands differently to its
  // dependents (it is going, or gone), those too; owners that wait for it as well.
  std::vector<std::string> apply(const kube::ResourceRef& resource, const kube::Object& object);
  std::vector<std::string> remove(const kube::Object& object);

  std::optional<GraphNode> find(std::string_view uid) const;
  std::vector<GraphNode> dependents(std::string_view owner_uid) const;
  std::size_t size() const;

 private:
  struct UidHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view uid) const { return std::hash<std::string_view>{}(uid); }
  };

  void link(const GraphNode& node);
  void unlink(const GraphNode& node);
  void add_dependents(std::string_view uid, std::vector<std::string>& changed) const;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, GraphNode, UidHash, std::equal_to<>> nodes_;
  std::map<std::string, std::set<std::string>, std::less<>> dependents_;  // by owner's uid, seen or not
};

}  // namespace coracle::reconcilers
