#include "tests/sim/fakes.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/tls/crypto.h"

namespace coracle::sim {
namespace {

constexpr unsigned kSourceFails = 80;
constexpr Duration kLongestAnswer = std::chrono::seconds(2);
constexpr std::size_t kCommitDigits = 40;
constexpr std::size_t kTarBlock = 512;

// The header of one regular file (POSIX ustar).
std::string tar_header(const std::string& path, std::size_t size) {
  std::string header(kTarBlock, '\0');
  const auto put = [&header](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  char octal[12];
  std::snprintf(octal, sizeof octal, "%011zo", size);
  put(0, path);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal);
  put(136, "00000000000");
  put(148, "        ");
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  put(148, std::string(checksum) + '\0' + " ");
  return header;
}

std::string pack_chart(const std::string& name, const std::map<std::string, std::string>& files) {
  std::string tar;
  for (const auto& [path, content] : files) {
    tar += tar_header(name + "/" + path, content.size()) + content;
    tar.resize((tar.size() + kTarBlock - 1) / kTarBlock * kTarBlock);
  }
  tar.resize(tar.size() + 2 * kTarBlock);
  return crypto::gzip(tar);
}

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

Result<std::string> FakeGit::subject(const Context&, const std::string& mirror, const std::string& commit) {
  if (!mirrors_[mirror].contains(commit)) return Error(Reason::NotFound, "no commit " + commit + " in " + mirror);
  return std::string("change");
}

Result<std::vector<reconcilers::GitFile>> FakeGit::read_files(const Context&, const std::string& mirror,
                                                              const std::string& commit, const std::string& directory) {
  if (!mirrors_[mirror].contains(commit)) return Error(Reason::NotFound, "no commit " + commit + " in " + mirror);
  std::vector<reconcilers::GitFile> files;
  const std::string prefix = directory.empty() ? "" : directory + "/";
  for (const auto& [path, content] : commits_[commit]) {
    if (path.starts_with(prefix)) files.push_back({path, content});
  }
  if (files.empty() && !directory.empty()) return Error(Reason::NotFound, "no directory " + directory);
  return files;
}

Result<std::vector<reconcilers::GitFile>> FakeGit::find_files(const Context&, const std::string& mirror,
                                                              const std::string& commit, const std::string& name) {
  if (!mirrors_[mirror].contains(commit)) return Error(Reason::NotFound, "no commit " + commit + " in " + mirror);
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
  archives_[version] = pack_chart("demo", files);
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
