#include "reconcilers/git/ignore_rules.h"

#include <catch2/catch.hpp>

namespace coracle::reconcilers {

TEST_CASE("globs stop at slashes unless they are double") {
  CHECK(matches_glob("*.yaml", "a.yaml"));
  CHECK_FALSE(matches_glob("*.yaml", "a/b.yaml"));
  CHECK(matches_glob("**/b.yaml", "a/x/b.yaml"));
  CHECK(matches_glob("**/b.yaml", "b.yaml"));
  CHECK(matches_glob("a/**", "a/b/c"));
  CHECK(matches_glob("a/**/c", "a/c"));
  CHECK(matches_glob("a/**/c", "a/b/b/c"));
  CHECK(matches_glob("[a-c]?.[!x]", "b1.y"));
  CHECK_FALSE(matches_glob("[a-c]?.[!x]", "b1.x"));
  CHECK(matches_glob("\\*", "*"));
  CHECK_FALSE(matches_glob("\\*", "a"));
}

TEST_CASE("the last rule wins, but not inside an ignored directory") {
  IgnoreRules rules;
  rules.add("# comment\n*.md\n!README.md\n/top\nbuild/\nsub/only.yaml\n!build/kept.yaml\n");
  CHECK(rules.ignores("a.md"));
  CHECK(rules.ignores("deep/a.md"));
  CHECK_FALSE(rules.ignores("deep/README.md"));
  CHECK(rules.ignores("top"));
  CHECK_FALSE(rules.ignores("deep/top"));
  CHECK(rules.ignores("x/build/kept.yaml"));
  CHECK(rules.ignores("build/kept.yaml"));
  CHECK_FALSE(rules.ignores("build"));
  CHECK(rules.ignores("sub/only.yaml"));
  CHECK_FALSE(rules.ignores("x/sub/only.yaml"));
}

TEST_CASE("rules of a directory count below it; defaults leave pipelines out") {
  IgnoreRules rules;
  rules.add_defaults();
  rules.add("secret.yaml\n/local.yaml\n", "apps");
  CHECK(rules.ignores(".github/workflows/ci.yaml"));
  CHECK(rules.ignores("deep/.sops.yaml"));
  CHECK(rules.ignores("apps/x/secret.yaml"));
  CHECK_FALSE(rules.ignores("secret.yaml"));
  CHECK(rules.ignores("apps/local.yaml"));
  CHECK_FALSE(rules.ignores("apps/x/local.yaml"));
  CHECK_FALSE(rules.ignores("apps/deployment.yaml"));
}

}  // namespace coracle::reconcilers
