#include <git2.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "base/executor.h"
#include "base/files.h"
#include "base/testing/temporary_folder.h"
#include "reconcilers/git/git_mirror.h"
#include "reconcilers/git/internal/git_handles.h"

namespace coracle::reconcilers {
namespace {

constexpr const char* kBranch = "refs/heads/main";
constexpr const char* kMirror = "shop/web.git";

// A repository to fetch from.
class Origin {
 public:
  explicit Origin(const std::string& folder) : url_("file://" + folder) {
    git_libgit2_init();
    git_repository* raw = nullptr;
    REQUIRE(git_repository_init(&raw, folder.c_str(), 1) == 0);
    repository_.reset(raw);
  }
  ~Origin() {
    repository_.reset();
    git_libgit2_shutdown();
  }

  GitRemote remote() const {
    GitRemote remote;
    remote.url = url_;
    return remote;
  }

  // Replaces the branch by one commit with one file, which has no history; answers the commit.
  std::string rewrite(const std::string& content) { return rewrite({{"a.yaml", content}}); }
  std::string rewrite(const std::map<std::string, std::string>& files) {
    std::map<std::string, git_oid> blobs;
    for (const auto& [name, content] : files) {
      REQUIRE(git_blob_create_from_buffer(&blobs[name], repository_.get(), content.data(), content.size()) == 0);
    }
    return commit(make_tree(blobs, GIT_FILEMODE_BLOB));
  }
  // The same with one file below so many levels of folders, each of which holds so many copies of the next.
  std::string rewrite_nested(int levels, int copies) {
    git_oid inner;
    REQUIRE(git_blob_create_from_buffer(&inner, repository_.get(), "x", 1) == 0);
    inner = make_tree({{"a.yaml", inner}}, GIT_FILEMODE_BLOB);
    for (int level = 0; level < levels; ++level) {
      std::map<std::string, git_oid> folders;
      for (int copy = 0; copy < copies; ++copy) folders["d" + std::to_string(copy)] = inner;
      inner = make_tree(folders, GIT_FILEMODE_TREE);
    }
    return commit(inner);
  }

 private:
  git_oid make_tree(const std::map<std::string, git_oid>& entries, git_filemode_t mode) {
    git_oid tree;
    git_treebuilder* builder = nullptr;
    REQUIRE(git_treebuilder_new(&builder, repository_.get(), nullptr) == 0);
    for (const auto& [name, id] : entries) {
      REQUIRE(git_treebuilder_insert(nullptr, builder, name.c_str(), &id, mode) == 0);
    }
    REQUIRE(git_treebuilder_write(&tree, builder) == 0);
    git_treebuilder_free(builder);
    return tree;
  }

  std::string commit(const git_oid& tree) {
    git_oid commit;
    git_tree* raw_tree = nullptr;
    REQUIRE(git_tree_lookup(&raw_tree, repository_.get(), &tree) == 0);
    const git::Handle<git_tree> owned_tree(raw_tree);
    git_signature* author = nullptr;
    REQUIRE(git_signature_new(&author, "t", "t@example.com", 1'700'000'000, 0) == 0);
    REQUIRE(git_commit_create_v(&commit, repository_.get(), nullptr, author, author, nullptr, "change", raw_tree, 0) ==
            0);
    git_signature_free(author);
    git_reference* reference = nullptr;
    REQUIRE(git_reference_create(&reference, repository_.get(), kBranch, &commit, 1, nullptr) == 0);
    git_reference_free(reference);
    std::string hex(GIT_OID_HEXSZ, '0');
    git_oid_fmt(hex.data(), &commit);
    return hex;
  }

  const std::string url_;
  git::Handle<git_repository> repository_;
};

struct Fixture {
  testing::TemporaryFolder folder;
  const std::unique_ptr<Executor> executor = make_thread_executor();
  const Context context{*executor};
  Origin origin{folder.path() + "/origin"};
  const std::string mirrors = folder.path() + "/mirrors";
  const std::string path = mirrors + "/" + kMirror;
  const std::unique_ptr<GitMirror> mirror = make_git_mirror(*executor, mirrors, {folder.path()});

  Result<void> fetch() const { return mirror->fetch(context, kMirror, origin.remote(), {kBranch}); }
  bool has(const std::string& commit) const { return mirror->has_commit(context, kMirror, commit).value(); }
  std::size_t packs() const {
    const auto entries = list_directory(path + "/objects/pack").value();
    return static_cast<std::size_t>(std::count_if(
        entries.begin(), entries.end(), [](const DirectoryEntry& entry) { return entry.name.ends_with(".pack"); }));
  }
};

bool all_files(std::string_view) {
  return true;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "what was fetched can be read until it is forgotten") {
  const std::string commit = origin.rewrite("one");
  const auto references = mirror->list(context, origin.remote()).value();
  REQUIRE(references.size() == 1);
  CHECK(references[0].name == kBranch);
  CHECK(references[0].commit == commit);
  CHECK_FALSE(has(commit));
  REQUIRE(fetch().ok());
  CHECK(has(commit));
  const auto files = mirror->read_files(context, kMirror, commit, "", all_files).value();
  REQUIRE(files.size() == 1);
  CHECK(files[0].content == "one");
  REQUIRE(mirror->forget(context, kMirror).ok());
  CHECK_FALSE(has(commit));
  CHECK_FALSE(file_exists(path));
}

TEST_CASE_METHOD(Fixture, "a file that nobody wants may be as large as it likes") {
  const std::string commit =
      origin.rewrite({{"a.yaml", "one"}, {"demo.mp4", std::string((std::size_t{16} << 20) + 1, 'x')}});
  REQUIRE(fetch().ok());
  const auto manifests = [](std::string_view path) { return path.ends_with(".yaml"); };
  const auto files = mirror->read_files(context, kMirror, commit, "", manifests).value();
  REQUIRE(files.size() == 1);
  CHECK(files[0].path == "a.yaml");
  const auto refused = mirror->read_files(context, kMirror, commit, "", all_files);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason() == Reason::RequestEntityTooLarge);
  CHECK(refused.error().message() == "demo.mp4: the file is larger than 16 MiB, which is more than can be applied");
}

TEST_CASE_METHOD(Fixture, "local repositories elsewhere are not read") {
  const auto elsewhere = make_git_mirror(*executor, mirrors, {folder.path() + "/other"});
  const auto refused = elsewhere->fetch(context, kMirror, origin.remote(), {kBranch});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason() == Reason::BadRequest);
}

TEST_CASE_METHOD(Fixture, "the rest of an interrupted start gives way") {
  const std::string commit = origin.rewrite("one");
  REQUIRE(make_directories(path + "/objects", 0700).ok());
  CHECK_FALSE(has(commit));
  REQUIRE(fetch().ok());
  CHECK(has(commit));
}

TEST_CASE_METHOD(Fixture, "a mirror that the system cannot open is kept") {
  const std::string commit = origin.rewrite("one");
  REQUIRE(fetch().ok());
  REQUIRE(rename_file(path + "/HEAD", path + "/kept").ok());
  REQUIRE(make_link("HEAD", path + "/HEAD").ok());  // too many levels of links
  const Result<void> refused = fetch();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().reason() == Reason::Unavailable);
  CHECK_FALSE(mirror->has_commit(context, kMirror, commit).ok());
  REQUIRE(rename_file(path + "/kept", path + "/HEAD").ok());
  CHECK(has(commit));
}

TEST_CASE_METHOD(Fixture, "a mirror that has grown is made anew, and what left the branch goes") {
  const std::string first = origin.rewrite("first");
  std::string last = first;
  REQUIRE(fetch().ok());
  constexpr std::size_t kManyPacks = 64;
  for (std::size_t count = 0; count < kManyPacks; ++count) {
    CHECK(has(first));
    last = origin.rewrite(std::to_string(count));
    REQUIRE(fetch().ok());
  }
  CHECK(packs() == 1);
  CHECK(has(last));
  CHECK_FALSE(has(first));
  CHECK(list_directory(mirrors + "/shop")->size() == 1);
}

TEST_CASE_METHOD(Fixture, "a mirror that cannot be made anew is added to") {
  const std::string first = origin.rewrite("first");
  REQUIRE(fetch().ok());
  // The same pack under many names is more of them than a mirror should have.
  std::string pack;
  const std::vector<DirectoryEntry> entries = list_directory(path + "/objects/pack").value();
  for (const DirectoryEntry& entry : entries) {
    if (entry.name.ends_with(".pack")) pack = path + "/objects/pack/" + entry.name;
  }
  for (int count = 0; count < 64; ++count) {
    REQUIRE(make_link(pack, path + "/objects/pack/pack-" + std::to_string(count) + ".pack").ok());
  }
  const std::string second = origin.rewrite("second");
  GitRemote gone = origin.remote();
  gone.url = "file://" + mirrors;
  CHECK_FALSE(mirror->fetch(context, kMirror, gone, {kBranch}).ok());
  CHECK(has(first));
  CHECK_FALSE(file_exists(path + ".new"));
  REQUIRE(fetch().ok());
  CHECK(has(first));
  CHECK(has(second));
}

TEST_CASE_METHOD(Fixture, "a mirror that was about to be replaced when the power went is found") {
  const std::string commit = origin.rewrite("one");
  REQUIRE(fetch().ok());
  REQUIRE(rename_file(path, path + ".old").ok());
  CHECK(has(commit));
  CHECK(file_exists(path));
}

TEST_CASE_METHOD(Fixture, "folders without end are refused") {
  const std::string deep = origin.rewrite_nested(20'000, 1);
  REQUIRE(fetch().ok());
  const auto too_deep = mirror->read_files(context, kMirror, deep, "", all_files);
  REQUIRE_FALSE(too_deep.ok());
  CHECK(too_deep.error().message().find("deep") != std::string::npos);

  const std::string wide = origin.rewrite_nested(11, 10);
  REQUIRE(fetch().ok());
  for (const auto& found : {mirror->find_files(context, kMirror, wide, ".sourceignore"),
                            mirror->read_files(context, kMirror, wide, "", [](std::string_view) { return false; })}) {
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().message().find("files and folders") != std::string::npos);
  }
}

}  // namespace coracle::reconcilers
