#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "kube/object/object.h"

namespace coracle::sim {

// "ConfigMap default/a": an object as files and charts name it.
std::string object_id(const kube::Object& object);
std::string object_id(std::string_view kind, std::string_view ns, std::string_view name);

// What every owner's source (a file, a commit, a chart) asks for at the moment, and since when: the
// invariants' own book, kept by the scenarios when they change a source.
class Sources {
 public:
  explicit Sources(const Clock& clock) : clock_(clock) {}

  // The owner's source now contains exactly these objects. What it contained before keeps its time.
  void set(const std::string& owner, const std::set<std::string>& objects);
  // Since when this object has been in the owner's source without interruption; nothing if it is not.
  std::optional<Duration> contained_for(const std::string& owner, const std::string& object) const;

 private:
  const Clock& clock_;
  std::map<std::string, std::map<std::string, MonotonicTime>> owners_;
};

}  // namespace coracle::sim
