#include "reconcilers/git/ignore_rules.h"

#include <catch2/catch.hpp>

namespace coracle::reconcilers {

TEST_CASE("a rule with many stars takes no longer than others") {
  IgnoreRules rules;
  std::string stars;
  for (int i = 0; i < 11; ++i) stars += "*a";
  rules.add(stars + "*b\n**/" + stars + "*b/**\n");
  CHECK_FALSE(rules.ignores(std::string(40, 'a')));
  CHECK_FALSE(rules.ignores("folder/" + std::string(40, 'a') + "/file"));
  CHECK(rules.ignores(std::string(40, 'a') + "b"));
}

TEST_CASE("patterns with slashes match from the start; two stars are any directories") {
  const auto ignored = [](std::string_view pattern, std::string_view path) {
    IgnoreRules rules;
    rules.add(pattern);
    return rules.ignores(path);
  };
  CHECK(ignored("**/b.yaml", "a/x/b.yaml"));
  CHECK(ignored("**/b.yaml", "b.yaml"));
  CHECK(ignored("a/**", "a/b/c"));
  CHECK(ignored("a/**/c", "a/c"));
  CHECK(ignored("a/**/c", "a/b/b/c"));
  CHECK(ignored("/apps/*", "apps/x/y.yaml"));
  CHECK_FALSE(ignored("apps/*.yaml", "x/apps/y.yaml"));
  CHECK_FALSE(ignored("/apps/**/*.md", "apps/x/y.yaml"));
  CHECK(ignored("/apps/**/*.md", "apps/x/y.md"));
}

TEST_CASE("the last rule wins, inside an ignored directory as well") {
  IgnoreRules rules;
  rules.add("# comment\n*.md\n!README.md\n/top\nbuild/\nsub/only.yaml\n!build/kept.yaml\n");
  CHECK(rules.ignores("a.md"));
  CHECK(rules.ignores("deep/a.md"));
  CHECK_FALSE(rules.ignores("deep/README.md"));
  CHECK(rules.ignores("top"));
  CHECK_FALSE(rules.ignores("deep/top"));
  CHECK(rules.ignores("x/build/kept.yaml"));
  CHECK_FALSE(rules.ignores("build/kept.yaml"));
  CHECK(rules.ignores("build/other.yaml"));
  CHECK_FALSE(rules.ignores("build"));
  CHECK(rules.ignores("sub/only.yaml"));
  CHECK_FALSE(rules.ignores("x/sub/only.yaml"));

  IgnoreRules only;
  only.add("/*\n!/clusters/prod\n");
  CHECK(only.ignores("clusters/test/a.yaml"));
  CHECK_FALSE(only.ignores("clusters/prod/deep/a.yaml"));
}

TEST_CASE("rules of a directory count below it; defaults leave pipelines out") {
  IgnoreRules rules;
  CHECK(rules.empty());
  rules.add_version_control();
  rules.add_defaults();
  rules.add("secret.yaml\n/local.yaml\r\n", "apps");
  CHECK(rules.ignores(".github/workflows/ci.yaml"));
  CHECK(rules.ignores("deep/.sops.yaml"));
  CHECK(rules.ignores("deep/.gitignore"));
  CHECK(rules.ignores("apps/x/secret.yaml"));
  CHECK_FALSE(rules.ignores("secret.yaml"));
  CHECK(rules.ignores("apps/local.yaml"));
  CHECK_FALSE(rules.ignores("apps/x/local.yaml"));
  CHECK_FALSE(rules.ignores("apps/deployment.yaml"));
}

}  // namespace coracle::reconcilers
