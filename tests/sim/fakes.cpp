#include "tests/sim/fakes.h"

#include <algorithm>
#include <utility>

#include "base/tls/crypto.h"
#include "charts/testing/packed_chart.h"

namespace coracle::sim {
namespace {

constexpr unsigned kSourceFails = 80;
constexpr Duration kLongestAnswer = std::chrono::seconds(2);
constexpr std::size_t kCommitDigits = 40;

}  // namespace

std::string FakeGit::push(std::map<std::string, std::string> files) {
  std::string all = head_;
  for (const auto& [path, content] : files) all += path + '\0' + content;
  head_ = crypto::sha256_hex(all).substr(0, kCommitDigits);
  commits_[head_] = std::move(files);
  return head_;
}

Result<void> FakeGit::ask_remote(const Context& context, std::string_view about) {
  TRY(context.sleep(faults_.some(kLongestAnswer)));
  if (!faults_.happens(Fault::SourceFailure, kSourceFails, "git-remote", about)) return {};
  return unavailable("injected: the remote cannot be reached");
}

Result<std::vector<reconcilers::GitReference>> FakeGit::list(const Context& context, const reconcilers::GitRemote&) {
  TRY(ask_remote(context, "list"));
  return std::vector<reconcilers::GitReference>{{std::string(kBranch), head_}};
}

Result<void> FakeGit::fetch(const Context& context, const std::string& mirror, const reconcilers::GitRemote&,
                            const std::vector<std::string>& references) {
  TRY(ask_remote(context, "fetch"));
  if (std::find(references.begin(), references.end(), kBranch) != references.end()) mirrors_[mirror].insert(head_);
  return {};
}

Result<bool> FakeGit::has_commit(const Context&, const std::string& mirror, const std::string& commit) {
  return mirrors_[mirror].contains(commit);
}

Result<void> FakeGit::check_commit(const std::string& mirror, const std::string& commit) {
  if (mirrors_[mirror].contains(commit)) return {};
  return Error(Reason::NotFound, "no commit " + commit + " in " + mirror);
}

Result<std::string> FakeGit::subject(const Context&, const std::string& mirror, const std::string& commit) {
  TRY(check_commit(mirror, commit));
  return std::string("change");
}

Result<std::vector<reconcilers::GitFile>> FakeGit::read_files(const Context&, const std::string& mirror,
                                                              const std::string& commit, const std::string& directory,
                                                              const reconcilers::PathFilter& wanted) {
  TRY(check_commit(mirror, commit));
  std::vector<reconcilers::GitFile> files;
  const std::string prefix = directory.empty() ? "" : directory + "/";
  bool there = directory.empty();
  for (const auto& [path, content] : commits_[commit]) {
    if (!path.starts_with(prefix)) continue;
    there = true;
    if (wanted(path)) files.push_back({path, content});
  }
  if (!there) return Error(Reason::NotFound, "no directory " + directory);
  return files;
}

Result<std::vector<reconcilers::GitFile>> FakeGit::find_files(const Context&, const std::string& mirror,
                                                              const std::string& commit, const std::string& name) {
  TRY(check_commit(mirror, commit));
  std::vector<reconcilers::GitFile> files;
  for (const auto& [path, content] : commits_[commit]) {
    if (path == name || path.ends_with("/" + name)) files.push_back({path, content});
  }
  return files;
}

Result<void> FakeGit::forget(const Context&, const std::string& mirror) {
  mirrors_.erase(mirror);
  return {};
}

void FakeCharts::publish(const std::string& version, const std::map<std::string, std::string>& files) {
  std::vector<charts::ChartFile> members;
  for (const auto& [path, content] : files) members.push_back({"demo/" + path, content});
  archives_[version] = charts::testing::packed_chart(members);
}

Result<std::string> FakeCharts::fetch(const Context& context, const reconcilers::ChartLocation& location) {
  TRY(context.sleep(faults_.some(kLongestAnswer)));
  if (faults_.happens(Fault::SourceFailure, kSourceFails, "chart-repository", location.source.version)) {
    return unavailable("injected: the repository cannot be reached");
  }
  const auto archive = archives_.find(location.source.version);
  if (archive == archives_.end()) return Error(Reason::NotFound, "no chart of version " + location.source.version);
  return archive->second;
}

}  // namespace coracle::sim
