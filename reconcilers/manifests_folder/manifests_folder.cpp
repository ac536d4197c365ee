#include "reconcilers/manifests_folder/manifests_folder.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/not_found.h"
#include "base/text.h"
#include "base/tls/crypto.h"
#include "kube/apply/manifest.h"
#include "kube/apply/owner_set.h"
#include "kube/client/resources.h"
#include "kube/controller/event_recorder.h"
#include "kube/controller/identity.h"
#include "reconcilers/manifests_folder/folder_scan.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kNamespace = "kube-system";
constexpr std::string_view kGvksAnnotation = "addon.k3s.cattle.io/gvks";
constexpr std::string_view kComponent = "deploy";
constexpr std::size_t kMaxManifest = 16 * 1024 * 1024;
// A failed file is tried again, and a change that no notification told of is found, after this time: the watch does
// not follow links.
constexpr Duration kRescan = std::chrono::seconds(15);
const kube::ObjectKey kWholeFolder{"", "folder"};

std::string quoted(std::string_view path) {
  return "\"" + std::string(path) + "\"";
}

std::vector<kube::GroupVersionKind> known_kinds(const kube::Object& addon) {
  std::vector<kube::GroupVersionKind> kinds;
  for (const std::string_view text : split(addon.annotation(kGvksAnnotation), ';')) {
    // An entry that cannot be read names no kind that could be pruned.
    if (Result<kube::GroupVersionKind> gvk = kube::parse_gvk_text(text); gvk.ok()) kinds.push_back(*gvk);
  }
  return kinds;
}

std::string kinds_text(const std::vector<kube::GroupVersionKind>& kinds) {
  std::vector<std::string> texts;
  for (const kube::GroupVersionKind& gvk : kinds) texts.push_back(kube::gvk_text(gvk));
  return join(texts, ";");
}

class ManifestsFolder : public kube::Reconciler, public kube::ManagedController {
 public:
  ManifestsFolder(const kube::ControllerDeps& deps, FileSystem& files, ManifestsFolderOptions options)
      : files_(files),
        options_(std::move(options)),
        client_(deps.client),
        log_(deps.log.named("manifests")),
        applier_(deps.client, deps.mapper, std::string(kComponent), log_),
        events_(deps.client, std::string(kComponent), log_),
        controller_(kube::as_master(deps.context, "system:k3s-supervisor"), *this,
                    {.name = "manifests-folder", .concurrency = 1, .lane = Lane::Blocking}, log_) {}

  ~ManifestsFolder() override { watch_.reset(); }

  void start() override {
    Result<std::unique_ptr<FileWatch>> watch =
        files_.watch_tree(options_.folder, [this] { controller_.enqueue(kWholeFolder); });
    if (watch.ok()) {
      watch_ = std::move(*watch);
    } else {
      log_.warning("cannot watch the folder: changes are seen later, raise fs.inotify.max_user_watches",
                   {{"folder", options_.folder}, {"error", watch.error()}});
    }
    controller_.enqueue(kWholeFolder);
    controller_.start();
  }

  bool idle() const override { return controller_.at_rest(); }

  // One pass over the folder. A file that fails does not stop the others.
  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey&) override {
    ASSIGN_OR_RETURN(const FolderScan scan, scan_manifests(files_, options_.folder));
    forget_others(scan);
    bool all_applied = remove_disabled_others(scan);
    for (const ManifestFile& file : scan.files) {
      TRY(context.check());
      // What the settings disable goes, whether or not somebody has marked it to be skipped.
      const bool disabled = is_disabled(options_.folder, file.path, options_.disabled);
      if (!disabled && scan.skipped_names.contains(std::string(file_name(file.path)))) continue;
      // A disabled file that is not unlinked stays as it is.
      if ((!disabled || file.below_link) && !looks_changed(file)) continue;
      if (!disabled && (waits(context, file) || is_half_written(context, file))) {
        all_applied = false;
        continue;
      }
      Result<void> done = disabled ? disable(context, file) : deploy(context, file);
      if (done.ok()) {
        seen_[file.path] = {file.modified, file.size};
        failed_.erase(file.path);
        continue;
      }
      all_applied = false;
      note_failure(context, file, done.error());
    }
    if (all_applied) forced_ = false;
    return all_applied && !scan.has_links ? kube::Done{} : kube::Done{kRescan};
  }

 private:
  struct Seen {
    bool operator==(const Seen&) const = default;
    WallTime modified;
    std::uint64_t size = 0;
  };
  struct Failure {
    Seen seen;
    std::string error;
    MonotonicTime again_at;
  };

  // A file that comes back is looked at again, whatever its time says. What may be half-way stays so meanwhile: an
  // editor's way of saving a file is to take it away and put another in its place.
  void forget_others(const FolderScan& scan) {
    std::set<std::string_view> there;
    for (const ManifestFile& file : scan.files) there.insert(file.path);
    const auto gone = [&there](const auto& entry) { return !there.contains(entry.first); };
    std::erase_if(seen_, gone);
    std::erase_if(failed_, gone);
    std::erase_if(open_since_, gone);
  }

  // Files of systems that fix all times at the epoch always count as changed; the checksum decides.
  bool looks_changed(const ManifestFile& file) const {
    const auto seen = seen_.find(file.path);
    return seen == seen_.end() || file.modified.time_since_epoch() <= std::chrono::seconds(1) ||
           seen->second.modified != file.modified || seen->second.size != file.size;
  }

  // Whether a file that failed is still the same and its time has not come: others may change meanwhile.
  bool waits(const Context& context, const ManifestFile& file) const {
    const auto failed = failed_.find(file.path);
    return failed != failed_.end() && failed->second.seen == Seen{file.modified, file.size} &&
           context.clock().monotonic() < failed->second.again_at;
  }

  // A file that was truncated to be written anew would lose all its objects. Who keeps a file open for longer than a
  // rescan is not writing it anew.
  bool is_half_written(const Context& context, const ManifestFile& file) {
    if (!files_.is_being_written(file.path)) {
      open_since_.erase(file.path);
      return false;
    }
    const MonotonicTime now = context.clock().monotonic();
    return now < open_since_.emplace(file.path, now).first->second + kRescan;
  }

  // The same failure again is no news.
  void note_failure(const Context& context, const ManifestFile& file, const Error& error) {
    Failure& failure = failed_[file.path];
    if (failure.error != error.message()) {
      log_.warning("cannot apply a manifest, will try again", {{"file", file.path}, {"error", error}});
    } else {
      log_.debug("still cannot apply a manifest", {{"file", file.path}});
    }
    failure = {{file.modified, file.size}, error.message(), context.clock().monotonic() + kRescan};
  }

  static kube::OwnerSet owner_set(const std::string& name) {
    return {"", {"k3s.cattle.io", "v1", "Addon"}, {std::string(kNamespace), name}};
  }

  Result<kube::Object> ensure_addon(const Context& context, const ManifestFile& file) {
    const kube::ObjectKey key{std::string(kNamespace), file.addon_name()};
    Result<kube::Object> addon = client_.get(context, kube::resources::addons(), key);
    if (addon.ok() || addon.error().reason() != Reason::NotFound) return addon;
    const kube::Object fresh(
        Value::object({{"apiVersion", "k3s.cattle.io/v1"},
                       {"kind", "Addon"},
                       {"metadata", Value::object({{"name", key.name}, {"namespace", key.namespace_}})},
                       {"spec", Value::object({{"source", file.path}})}}));
    return client_.create(context, kube::resources::addons(), fresh, {.field_manager = std::string(kComponent)});
  }

  // Before anything is made, the Addon names its kinds: what happens to this process or its next write, objects of a
  // kind that has left the file again are still found and pruned. Answers what the Addon then names.
  Result<std::vector<kube::GroupVersionKind>> note_kinds(const Context& context, const kube::Object& addon,
                                                         const std::vector<kube::Object>& objects) {
    std::vector<kube::GroupVersionKind> kinds = known_kinds(addon);
    const std::size_t known = kinds.size();
    for (const kube::Object& object : objects) {
      if (std::find(kinds.begin(), kinds.end(), object.gvk()) == kinds.end()) kinds.push_back(object.gvk());
    }
    if (kinds.size() == known) return kinds;
    const Value annotations = Value::object({{kGvksAnnotation, kinds_text(kinds)}});
    TRY(client_.patch(context, kube::resources::addons(), addon.key(), kube::PatchType::Merge,
                      Value::object({{"metadata", Value::object({{"annotations", annotations}})}}),
                      {.field_manager = std::string(kComponent)}));
    return kinds;
  }

  void warn(const Context& context, const kube::Object& addon, std::string_view reason, const std::string& deed,
            const ManifestFile& file, const Error& error) {
    events_.record(context, addon, kube::EventType::Warning, reason,
                   deed + " manifest at " + quoted(file.path) + " failed: " + error.message());
  }

  Result<void> deploy(const Context& context, const ManifestFile& file) {
    ASSIGN_OR_RETURN(const kube::Object addon, ensure_addon(context, file));
    Result<std::string> content = files_.read_file(file.path, kMaxManifest);
    if (!content.ok()) {
      warn(context, addon, "ReadManifestFailed", "Read", file, content.error());
      return content.error();
    }
    const std::string checksum = crypto::sha256_hex(*content);
    const bool trusted = !forced_ && !unfinished_.contains(file.path);
    if (trusted && addon["spec"]["checksum"].as_string() == checksum) return {};

    Result<std::vector<kube::Object>> objects = kube::parse_manifest(*content, {.strict = false});
    if (!objects.ok()) {
      warn(context, addon, "ParseManifestFailed", "Parse", file, objects.error());
      return objects.error();
    }
    ASSIGN_OR_RETURN(const std::vector<kube::GroupVersionKind> known, note_kinds(context, addon, *objects));
    unfinished_.insert(file.path);
    events_.record(context, addon, kube::EventType::Normal, "ApplyingManifest",
                   "Applying manifest at " + quoted(file.path));
    Result<std::vector<kube::GroupVersionKind>> kinds =
        applier_.apply(context, owner_set(file.addon_name()), std::move(*objects), known);
    if (!kinds.ok()) {
      warn(context, addon, "ApplyManifestFailed", "Applying", file, kinds.error());
      return kinds.error();
    }
    const Value patch = Value::object(
        {{"metadata", Value::object({{"annotations", Value::object({{kGvksAnnotation, kinds_text(*kinds)}})}})},
         {"spec", Value::object({{"source", file.path}, {"checksum", checksum}})}});
    TRY(client_.patch(context, kube::resources::addons(), addon.key(), kube::PatchType::Merge, patch,
                      {.field_manager = std::string(kComponent)}));
    unfinished_.erase(file.path);
    events_.record(context, addon, kube::EventType::Normal, "AppliedManifest",
                   "Applied manifest at " + quoted(file.path));
    log_.info("applied a manifest", {{"file", file.path}});
    return {};
  }

  // Takes away what else is in a disabled directory. False when something could not be removed.
  bool remove_disabled_others(const FolderScan& scan) {
    bool all_removed = true;
    for (const std::string& path : scan.others) {
      if (!is_disabled(options_.folder, path, options_.disabled)) continue;
      const Result<void> removed = files_.remove_file(path);
      if (removed.ok()) {
        log_.info("removed a file of a disabled directory", {{"file", path}});
      } else {
        log_.warning("cannot remove a file of a disabled directory, will try again",
                     {{"file", path}, {"error", removed.error()}});
        all_removed = false;
      }
    }
    return all_removed;
  }

  // What the Addon names, and what the file holds, whose Addon may have been deleted. A file that cannot be read adds
  // nothing: it goes all the same.
  std::vector<kube::GroupVersionKind> kinds_to_prune(const std::optional<kube::Object>& addon,
                                                     const ManifestFile& file) {
    std::vector<kube::GroupVersionKind> kinds;
    if (addon) kinds = known_kinds(*addon);
    const Result<std::string> content = files_.read_file(file.path, kMaxManifest);
    if (!content.ok()) return kinds;
    const Result<std::vector<kube::Object>> objects = kube::parse_manifest(*content, {.strict = false});
    if (!objects.ok()) return kinds;
    for (const kube::Object& object : *objects) {
      if (std::find(kinds.begin(), kinds.end(), object.gvk()) == kinds.end()) kinds.push_back(object.gvk());
    }
    return kinds;
  }

  // Prunes everything that the file had brought, and removes file and Addon.
  Result<void> disable(const Context& context, const ManifestFile& file) {
    const kube::ObjectKey key{std::string(kNamespace), file.addon_name()};
    ASSIGN_OR_RETURN(const std::optional<kube::Object> addon,
                     if_there(client_.get(context, kube::resources::addons(), key)));
    if (addon) {
      events_.record(context, *addon, kube::EventType::Normal, "DeletingManifest",
                     "Deleting manifest at " + quoted(file.path));
    }
    TRY(applier_.apply(context, owner_set(key.name), {}, kinds_to_prune(addon, file)));
    if (!file.below_link) TRY(files_.remove_file(file.path));
    if (addon) TRY(even_if_gone(client_.remove(context, kube::resources::addons(), key)));
    log_.info("removed a disabled manifest", {{"file", file.path}});
    return {};
  }

  FileSystem& files_;
  const ManifestsFolderOptions options_;
  const kube::Client& client_;
  Logger log_;
  const kube::OwnerSetApplier applier_;
  kube::EventRecorder events_;
  // Touched by the one reconcile at a time.
  std::map<std::string, Seen> seen_;
  std::map<std::string, Failure> failed_;
  std::map<std::string, MonotonicTime> open_since_;  // files that somebody has open for writing
  bool forced_ = true;                               // until one pass has applied everything
  // Files whose objects may be half-way to another content than the one whose checksum the Addon has.
  std::set<std::string> unfinished_;
  std::unique_ptr<FileWatch> watch_;
  kube::Controller controller_;
};

}  // namespace

std::unique_ptr<kube::ManagedController> make_manifests_folder(const kube::ControllerDeps& deps, FileSystem& files,
                                                               ManifestsFolderOptions options) {
  return std::make_unique<ManifestsFolder>(deps, files, std::move(options));
}

}  // namespace coracle::reconcilers
