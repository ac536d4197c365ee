#include "reconcilers/manifests_folder/folder_scan.h"

#include <catch2/catch.hpp>

namespace coracle::reconcilers {

TEST_CASE("the scan finds manifests in order and knows what is skipped") {
  auto executor = make_thread_executor();
  auto files = make_memory_file_system(*executor);
  for (const char* folder : {"/m/sub/deep", "/elsewhere/linked", "/m/.hidden"})
    REQUIRE(files->make_directories(folder, 0755).ok());
  for (const char* file : {"/m/b.yaml", "/m/a.YML", "/m/sub/c.json", "/m/sub/deep/d.yaml", "/m/.dot.yaml",
                           "/m/note.txt", "/m/.hidden/x.yaml", "/m/sub/b.yaml.skip", "/m/sub/.dot", "/m/sub/note.txt",
                           "/elsewhere/e.yaml", "/elsewhere/linked/f.yaml"}) {
    REQUIRE(files->write_file_atomic(file, "x", 0600).ok());
  }
  REQUIRE(files->make_link("/elsewhere", "/m/link").ok());
  REQUIRE(files->make_link("/elsewhere", "/m/sub/link").ok());
  REQUIRE(files->make_link("/nowhere", "/m/broken.yaml").ok());

  const FolderScan scan = scan_manifests(*files, "/m").value();
  std::string paths;
  for (const ManifestFile& file : scan.files) paths += file.path + (file.below_link ? "* " : " ");
  CHECK(paths == "/m/a.YML /m/b.yaml /m/link/e.yaml* /m/link/linked/f.yaml* /m/sub/c.json /m/sub/deep/d.yaml ");
  CHECK(scan.skipped_names == std::set<std::string>{"b.yaml"});
  CHECK(scan.others.size() == 3);  // the files of sub that are no manifests
  CHECK(scan.has_links);
  CHECK_FALSE(scan_manifests(*files, "/m/sub/deep")->has_links);
  CHECK_FALSE(scan_manifests(*files, "/missing").ok());
}

TEST_CASE("an Addon is called by the file's name up to the first dot") {
  CHECK(ManifestFile{"/m/metrics.v1.yaml", {}, 0, false}.addon_name() == "metrics");
  CHECK(ManifestFile{"/m/sub/ccm.yaml", {}, 0, false}.addon_name() == "ccm");
}

TEST_CASE("--disable matches base names and paths of directories from the folder on") {
  const std::vector<std::string> disabled = {"traefik", "metrics-server", "outer/inner"};
  CHECK(is_disabled("/m", "/m/traefik.yaml", disabled));
  CHECK(is_disabled("/m", "/m/other/traefik.JSON", disabled));
  CHECK(is_disabled("/m", "/m/metrics-server/service.yaml", disabled));
  CHECK(is_disabled("/m", "/m/metrics-server/deep/readme.txt", disabled));
  CHECK(is_disabled("/m", "/m/outer/inner/service.yaml", disabled));
  CHECK_FALSE(is_disabled("/m", "/m/traefik-config.yaml", disabled));
  CHECK_FALSE(is_disabled("/m", "/m/traefik.txt", disabled));
  CHECK_FALSE(is_disabled("/m", "/m/other/service.yaml", disabled));
  CHECK_FALSE(is_disabled("/m", "/m/outer/metrics-server/service.yaml", disabled));
  CHECK_FALSE(is_disabled("/m", "/m/outer/service.yaml", disabled));
}

}  // namespace coracle::reconcilers
