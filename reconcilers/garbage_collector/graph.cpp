#include "reconcilers/garbage_collector/graph.h"

#include <algorithm>
#include <utility>

namespace coracle::reconcilers {
namespace {

GraphNode make_node(const kube::ResourceRef& resource, const kube::Object& object) {
  GraphNode node;
  node.resource = resource;
  node.key = object.key();
  node.uid = object.uid();
  node.owners = object.owner_references();
  node.deleting = object.deleting();
  node.foreground = object.has_finalizer("foregroundDeletion");
  node.orphan = object.has_finalizer("orphan");
  return node;
}

}  // namespace

bool GraphNode::blocks(std::string_view owner_uid) const {
  return std::any_of(owners.begin(), owners.end(), [owner_uid](const kube::OwnerReference& owner) {
    return owner.uid == owner_uid && owner.block_owner_deletion;
  });
}

// Most writes change neither owners nor a deletion.
bool GraphNode::stands_like(const GraphNode& other) const {
  return owners.empty() && other.owners.empty() && !deleting && !other.deleting;
}

void OwnerGraph::link(const GraphNode& node) {
  for (const kube::OwnerReference& owner : node.owners) dependents_[owner.uid].insert(node.uid);
}

void OwnerGraph::unlink(const GraphNode& node) {
  for (const kube::OwnerReference& owner : node.owners) {
    const auto found = dependents_.find(owner.uid);
    if (found == dependents_.end()) continue;
    found->second.erase(node.uid);
    if (found->second.empty()) dependents_.erase(found);
  }
}

void OwnerGraph::add_dependents(std::string_view uid, std::vector<std::string>& changed) const {
  const auto found = dependents_.find(uid);
  if (found != dependents_.end()) changed.insert(changed.end(), found->second.begin(), found->second.end());
}

std::vector<std::string> OwnerGraph::apply(const kube::ResourceRef& resource, const kube::Object& object) {
  GraphNode node = make_node(resource, object);
  std::lock_guard lock(mutex_);
  std::vector<std::string> changed;
  if (!node.owners.empty() || node.deleting) changed.push_back(node.uid);
  const auto known = nodes_.find(node.uid);
  if (known != nodes_.end() && node.stands_like(known->second)) return changed;
  const bool was_deleting_dependents = known != nodes_.end() && known->second.deleting_dependents();
  if (node.deleting_dependents() && !was_deleting_dependents) add_dependents(node.uid, changed);
  if (known != nodes_.end()) {
    // An owner that waits may go on when a dependent stops blocking it.
    for (const kube::OwnerReference& owner : known->second.owners) changed.push_back(owner.uid);
    unlink(known->second);
  }
  link(node);
  std::string uid = node.uid;
  nodes_.insert_or_assign(std::move(uid), std::move(node));
  return changed;
}

std::vector<std::string> OwnerGraph::remove(const kube::Object& object) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> changed;
  const auto known = nodes_.find(object.uid());
  if (known == nodes_.end()) return changed;
  for (const kube::OwnerReference& owner : known->second.owners) changed.push_back(owner.uid);
  unlink(known->second);
  nodes_.erase(known);
  add_dependents(object.uid(), changed);
  return changed;
}

std::optional<GraphNode> OwnerGraph::find(std::string_view uid) const {
  std::lock_guard lock(mutex_);
  const auto found = nodes_.find(uid);
  if (found == nodes_.end()) return std::nullopt;
  return found->second;
}

std::vector<GraphNode> OwnerGraph::dependents(std::string_view owner_uid) const {
  std::lock_guard lock(mutex_);
  std::vector<GraphNode> nodes;
  const auto found = dependents_.find(owner_uid);
  if (found == dependents_.end()) return nodes;
  for (const std::string& uid : found->second) {
    if (const auto node = nodes_.find(uid); node != nodes_.end()) nodes.push_back(node->second);
  }
  return nodes;
}

std::size_t OwnerGraph::size() const {
  std::lock_guard lock(mutex_);
  return nodes_.size();
}

}  // namespace coracle::reconcilers
