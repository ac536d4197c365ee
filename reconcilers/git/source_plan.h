#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kube/object/object.h"
#include "reconcilers/git/flux_status.h"
#include "reconcilers/git/git_mirror.h"

// The pure half of the GitRepository reconciler.
namespace coracle::reconcilers {

// What spec.ref asks for. Of several fields the later one of Flux's order counts: branch, tag, semver,
// name, commit.
struct WantedReference {
  std::string branch = {};
  std::string tag = {};
  std::string semver = {};
  std::string name = {};
  std::string commit = {};
  static WantedReference of(const kube::Object& repository);
};

// The reference to fetch, and the revision as artifacts name it ("main@sha1:<commit>").
struct ChosenReference {
  std::string reference;  // "refs/heads/main"; empty: every branch, to find a commit in
  std::string commit;
  std::string revision;
};
// What conditions and events say of it once it is here.
std::string stored_message(const ChosenReference& fetched);
// The commit that a revision ends with; empty when there is none.
std::string commit_of_revision(std::string_view revision);
// NotFound says what the remote does not have, Gone that it has nothing at all; Invalid that a version range is none.
Result<ChosenReference> choose_reference(const WantedReference& wanted, const std::vector<GitReference>& references);

// The first field of spec that is not built in, with what it asks for; nothing when all can be honoured.
std::optional<std::string> unsupported_source_field(const kube::Object& repository);

// Where the mirror of an object lies; the same for the same namespace and name only.
std::string mirror_name(const kube::ObjectKey& key);

// The name of the files of a repository that say what of it is left out.
inline constexpr std::string_view kIgnoreFile = ".sourceignore";
// Which files are in the artifact: all but what spec.sparseCheckout and the rules leave out, those of `ignore_files`
// (all of the repository, by path), spec.ignore, or Flux's defaults where neither says anything.
PathFilter artifact_filter(const kube::Object& repository, const std::vector<GitFile>& ignore_files);

// How events tell of a new artifact, by the first line of its commit's message.
std::string stored_commit_text(std::string_view subject);

// What an attempt found: nothing in `fetched` when it failed, and `stored` says whether the mirror still has the commit
// of the artifact in status.
struct SourceAttempt {
  FluxOutcome outcome;
  std::optional<ChosenReference> fetched = {};
  bool stored = false;
};
// The status after an attempt: conditions, artifact and what of spec it was made with. The artifact stays as it is
// while nothing changes that it consists of.
Value plan_source_status(const kube::Object& repository, const SourceAttempt& attempt, WallTime now);

}  // namespace coracle::reconcilers
