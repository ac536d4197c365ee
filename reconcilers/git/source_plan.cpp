#include "reconcilers/git/source_plan.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "charts/semver.h"
#include "kube/object/conditions.h"
#include "reconcilers/git/ignore_rules.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::string_view kDereferenced = "^{}";
constexpr std::string_view kDefaultBranch = "master";  // Flux's default, whatever the remote's HEAD says

const GitReference* find_reference(const std::vector<GitReference>& references, std::string_view name) {
  const auto found = std::find_if(references.begin(), references.end(),
                                  [name](const GitReference& reference) { return reference.name == name; });
  return found == references.end() ? nullptr : &*found;
}

Result<ChosenReference> choose_named(const std::vector<GitReference>& references, const std::string& full_name,
                                     std::string_view short_name) {
  const GitReference* found = find_reference(references, full_name);
  if (found == nullptr) return Error(Reason::NotFound, "couldn't find remote ref \"" + full_name + "\"");
  return ChosenReference{found->name, found->commit, std::string(short_name) + "@sha1:" + found->commit};
}

Result<ChosenReference> choose_version(const std::vector<GitReference>& references, const std::string& range_text) {
  Result<charts::VersionRange> range = charts::VersionRange::parse(range_text);
  if (!range.ok()) return Error(Reason::Invalid, "spec.ref.semver: " + range.error().message());
  const GitReference* best = nullptr;
  std::optional<charts::Version> best_version;
  for (const GitReference& reference : references) {
    if (!reference.name.starts_with(kTags)) continue;
    Result<charts::Version> version = charts::Version::parse(std::string_view(reference.name).substr(kTags.size()));
    if (!version.ok() || !range->contains(*version)) continue;
    if (best_version && version->compare(*best_version) <= 0) continue;
    best = &reference;
    best_version = std::move(*version);
  }
  if (best == nullptr) return Error(Reason::NotFound, "no match found for semver: " + range_text);
  return choose_named(references, best->name, std::string_view(best->name).substr(kTags.size()));
}

// What of spec decides, with the revision, what an artifact consists of, and where status says so.
struct Observed {
  std::string_view spec;
  std::string_view status;
};
constexpr std::array<Observed, 2> kObserved = {
    {{"ignore", "observedIgnore"}, {"sparseCheckout", "observedSparseCheckout"}}};

// An artifact is a commit of the mirror, and its path names it. No tarball of it exists: consumers in this process
// read the mirror. So there is no size to tell, and the digest, which Flux's kinds require, is git's own of the
// commit, which covers every file of it.
Value artifact_of(const kube::Object& repository, const ChosenReference& fetched, WallTime now) {
  const std::string path = "gitrepository/" + repository.key().text() + "/" + fetched.commit;
  return Value::object({{"digest", "sha1:" + fetched.commit},
                        {"lastUpdateTime", format_time(now)},
                        {"path", path},
                        {"revision", fetched.revision},
                        {"url", "coracle:///" + path}});
}

bool is_same_artifact(const kube::Object& repository, const Value& artifact) {
  const Value& status = repository["status"];
  constexpr std::string_view kTime = "lastUpdateTime";
  return status["artifact"].without(kTime) == artifact.without(kTime) &&
         std::all_of(kObserved.begin(), kObserved.end(),
                     [&](const Observed& field) { return repository["spec"][field.spec] == status[field.status]; });
}

bool is_below(std::string_view path, std::string_view directory) {
  while (directory.starts_with("./")) directory.remove_prefix(2);
  while (directory.ends_with('/')) directory.remove_suffix(1);
  if (directory.empty() || directory == ".") return true;
  return path.starts_with(directory) && path.size() > directory.size() && path[directory.size()] == '/';
}

}  // namespace

WantedReference WantedReference::of(const kube::Object& repository) {
  const Value& reference = repository["spec"]["ref"];
  const auto text = [&reference](std::string_view field) { return std::string(reference[field].as_string()); };
  return {text("branch"), text("tag"), text("semver"), text("name"), text("commit")};
}

std::string stored_message(const ChosenReference& fetched) {
  return "stored artifact for revision '" + fetched.revision + "'";
}

std::string commit_of_revision(std::string_view revision) {
  return std::string(revision.substr(revision.rfind(':') + 1));
}

Result<ChosenReference> choose_reference(const WantedReference& wanted, const std::vector<GitReference>& references) {
  if (references.empty()) return Error(Reason::Gone, "git repository is empty");
  if (!wanted.commit.empty()) {
    if (!wanted.branch.empty()) TRY(choose_named(references, std::string(kHeads) + wanted.branch, wanted.branch));
    const std::string prefix = wanted.branch.empty() ? "" : wanted.branch + "@";
    const std::string reference = wanted.branch.empty() ? "" : std::string(kHeads) + wanted.branch;
    return ChosenReference{reference, wanted.commit, prefix + "sha1:" + wanted.commit};
  }
  if (!wanted.name.empty()) {
    // References are listed with the commits that tags point to, which is what the suffix asks for.
    std::string_view name = wanted.name;
    if (name.starts_with(kTags) && name.ends_with(kDereferenced)) name.remove_suffix(kDereferenced.size());
    return choose_named(references, std::string(name), wanted.name);
  }
  if (!wanted.semver.empty()) return choose_version(references, wanted.semver);
  if (!wanted.tag.empty()) return choose_named(references, std::string(kTags) + wanted.tag, wanted.tag);
  const std::string branch = wanted.branch.empty() ? std::string(kDefaultBranch) : wanted.branch;
  return choose_named(references, std::string(kHeads) + branch, branch);
}

std::optional<std::string> unsupported_source_field(const kube::Object& repository) {
  const Value& spec = repository["spec"];
  if (spec["url"].as_string().starts_with("ssh://")) return "spec.url: ssh:// is not built in yet";
  const std::string_view provider = spec["provider"].as_string();
  if (!provider.empty() && provider != "generic") {
    return "spec.provider: \"" + std::string(provider) + "\" is not built in yet, only generic";
  }
  for (const std::string_view field : {"serviceAccountName", "verify", "include", "recurseSubmodules"}) {
    if (!is_zero(spec[field])) return "spec." + std::string(field) + " is not built in yet";
  }
  return std::nullopt;
}

std::string mirror_name(const kube::ObjectKey& key) {
  return key.namespace_ + "/" + key.name + ".git";
}

std::string stored_commit_text(std::string_view subject) {
  constexpr std::size_t kMaxCharacters = 50;
  std::size_t end = 0;
  for (std::size_t characters = 0; end < subject.size() && characters < kMaxCharacters; ++characters) {
    end += decode_rune(subject.substr(end)).length;
  }
  return "stored artifact for commit '" + std::string(subject.substr(0, end)) + (end < subject.size() ? "..." : "") +
         "'";
}

Value plan_source_status(const kube::Object& repository, const SourceAttempt& attempt, WallTime now) {
  const Value& before = repository["status"];
  const std::int64_t generation = repository.generation();
  const FluxOutcome& outcome = attempt.outcome;
  Value::ObjectBuilder status(before);
  if (is_final(outcome)) status.set("observedGeneration", generation);
  set_handled_request(status, repository);
  Value conditions = plan_flux_conditions(before["conditions"], outcome, generation, now);
  const bool failed = outcome.kind == FluxOutcome::Kind::Failed || outcome.kind == FluxOutcome::Kind::Stalled;
  conditions = with_flux_condition(conditions, failed, {"FetchFailed", "True", outcome.reason, outcome.message},
                                   generation, now);
  if (attempt.fetched) {
    conditions = with_flux_condition(conditions, true,
                                     {"ArtifactInStorage", "True", "Succeeded", stored_message(*attempt.fetched)},
                                     generation, now);
    const Value artifact = artifact_of(repository, *attempt.fetched, now);
    if (!is_same_artifact(repository, artifact)) status.set("artifact", artifact);
    for (const Observed& field : kObserved) {
      const Value& value = repository["spec"][field.spec];
      if (value.is_null()) {
        status.remove(field.status);
      } else {
        status.set(field.status, value);
      }
    }
  } else if (!attempt.stored) {
    // What was fetched before stays applicable while a source cannot be reached, unless it is lost.
    conditions = kube::without_condition(conditions, "ArtifactInStorage");
    status.remove("artifact");
  }
  status.set("conditions", conditions);
  return std::move(status).build();
}

PathFilter artifact_filter(const kube::Object& repository, const std::vector<GitFile>& ignore_files) {
  const auto checked_out = [sparse = repository["spec"]["sparseCheckout"]](std::string_view path) {
    return sparse.empty() || std::any_of(sparse.items().begin(), sparse.items().end(),
                                         [path](const Value& item) { return is_below(path, item.as_string()); });
  };
  // In Flux's order, the last counts: the repository's own rules by directory, then those of spec. The defaults are
  // for those who say nothing.
  IgnoreRules said;
  for (const GitFile& file : ignore_files) {
    const std::size_t slash = file.path.rfind('/');
    if (checked_out(file.path)) {
      said.add(file.content, slash == std::string::npos ? "" : std::string_view(file.path).substr(0, slash));
    }
  }
  said.add(repository["spec"]["ignore"].as_string());
  IgnoreRules unsaid;
  unsaid.add_version_control();
  if (said.empty()) unsaid.add_defaults();
  return [checked_out, said = std::move(said), unsaid = std::move(unsaid)](std::string_view path) {
    return checked_out(path) && !said.decides(path).value_or(unsaid.ignores(path));
  };
}

}  // namespace coracle::reconcilers
