#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "reconcilers/git/git_mirror.h"
#include "reconcilers/helm/chart_fetcher.h"
#include "tests/sim/faults.h"

namespace coracle::sim {

// A remote repository with one branch, and the mirrors of it on this node: those outlive crashes, as a
// disk does.
class FakeGit : public reconcilers::GitMirror {
 public:
  static constexpr std::string_view kBranch = "refs/heads/main";

  explicit FakeGit(Faults& faults) : faults_(faults) {}

  // Makes these files the branch's new commit, whose name is answered.
  std::string push(std::map<std::string, std::string> files);
  const std::string& head() const { return head_; }

  Result<std::vector<reconcilers::GitReference>> list(const Context& context,
                                                      const reconcilers::GitRemote& remote) override;
  Result<void> fetch(const Context& context, const std::string& mirror, const reconcilers::GitRemote& remote,
                     const std::vector<std::string>& references) override;
  Result<bool> has_commit(const Context& context, const std::string& mirror, const std::string& commit) override;
  Result<std::string> subject(const Context& context, const std::string& mirror, const std::string& commit) override;
  Result<std::vector<reconcilers::GitFile>> read_files(const Context& context, const std::string& mirror,
                                                       const std::string& commit, const std::string& directory,
                                                       const reconcilers::PathFilter& wanted) override;
  Result<std::vector<reconcilers::GitFile>> find_files(const Context& context, const std::string& mirror,
                                                       const std::string& commit, const std::string& name) override;
  Result<void> forget(const Context& context, const std::string& mirror) override;

 private:
  Result<void> check_commit(const std::string& mirror, const std::string& commit);

  Result<void> ask_remote(const Context& context, std::string_view about);

  Faults& faults_;
  std::map<std::string, std::map<std::string, std::string>> commits_;
  std::string head_;
  std::map<std::string, std::set<std::string>> mirrors_;
};

// Charts by version, as an HTTP repository would send them.
class FakeCharts : public reconcilers::ChartFetcher {
 public:
  explicit FakeCharts(Faults& faults) : faults_(faults) {}

  // `files` by their path in the chart's folder, Chart.yaml among them.
  void publish(const std::string& version, const std::map<std::string, std::string>& files);
  Result<std::string> fetch(const Context& context, const reconcilers::ChartLocation& location) override;

 private:
  Faults& faults_;
  std::map<std::string, std::string> archives_;
};

}  // namespace coracle::sim
