#include "reconcilers/git/internal/local_repository.h"

#include <git2.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/testing/temporary_folder.h"
#include "reconcilers/git/internal/git_handles.h"

namespace coracle::reconcilers::git {
namespace {

// Repositories inside and outside a root.
struct Fixture {
  Fixture() {
    git_libgit2_init();
    REQUIRE(make_directories(root, 0755).ok());
    for (const std::string& path : {outside, inside}) make(path);
  }
  ~Fixture() { git_libgit2_shutdown(); }

  static void make(const std::string& path) {
    git_repository* raw = nullptr;
    REQUIRE(git_repository_init(&raw, path.c_str(), 0) == 0);
    const Handle<git_repository> repository(raw);
  }
  static void write(const std::string& path, const std::string& text) {
    REQUIRE(make_directories(parent_path(path), 0755).ok());
    REQUIRE(write_file_atomic(path, text, 0644).ok());
  }
  Result<void> check(const std::string& path) const { return check_local_repository(path, {root}); }
  bool is_outside(const std::string& path) const {
    const Result<void> checked = check(path);
    return !checked.ok() && checked.error().message().find("gitops-local-root") != std::string::npos;
  }

  testing::TemporaryFolder folder;
  const std::string root = folder.path() + "/root";
  const std::string inside = root + "/inside";
  const std::string outside = folder.path() + "/outside";
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a local repository lies below a root") {
  CHECK(check(inside).ok());
  CHECK(check(inside + "/.git").ok());
  CHECK(is_outside(outside));
  CHECK_FALSE(check(root + "/nothing").ok());
  CHECK(check(root).ok());
}

TEST_CASE_METHOD(Fixture, "what a local repository points to lies below a root, too") {
  SECTION("a .git file") {
    write(root + "/file/.git", "gitdir: " + outside + "/.git\n");
    CHECK(is_outside(root + "/file"));
    write(root + "/near/.git", "gitdir: " + inside + "/.git\n");
    CHECK(check(root + "/near").ok());
  }
  SECTION("links") {
    REQUIRE(make_directories(root + "/link", 0755).ok());
    REQUIRE(::symlink((outside + "/.git").c_str(), (root + "/link/.git").c_str()) == 0);
    CHECK(is_outside(root + "/link"));
    write(outside + "/pack", "");
    REQUIRE(::symlink((outside + "/pack").c_str(), (inside + "/.git/objects/pack/a.pack").c_str()) == 0);
    CHECK(is_outside(inside));
  }
  SECTION("alternates") {
    make(root + "/other");
    const std::string alternates = inside + "/.git/objects/info/alternates";
    write(alternates, "# near\n../../../other/.git/objects\n");
    CHECK(check(inside).ok());
    write(root + "/other/.git/objects/info/alternates", outside + "/.git/objects\n");
    CHECK(is_outside(inside));
    write(root + "/other/.git/objects/info/alternates", inside + "/.git/objects\n");
    CHECK(check(inside).error().message().find("borrow") != std::string::npos);
  }
}

}  // namespace coracle::reconcilers::git
