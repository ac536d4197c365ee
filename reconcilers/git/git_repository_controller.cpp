#include "reconcilers/git/git_repository_controller.h"

#include <utility>

#include "base/encoding.h"
#include "kube/client/resources.h"
#include "kube/controller/event_recorder.h"
#include "kube/controller/identity.h"
#include "kube/object/conditions.h"
#include "reconcilers/git/flux_status.h"
#include "reconcilers/git/source_plan.h"

namespace coracle::reconcilers {
namespace {

constexpr std::string_view kSourceManager = "source-controller";
constexpr Duration kDefaultFetchTimeout = std::chrono::seconds(60);
constexpr Duration kDefaultFetchInterval = std::chrono::minutes(1);

std::string secret_text(const Value& secret, std::string_view key) {
  Result<std::string> text = base64_decode(secret["data"][key].as_string());
  return text.ok() ? std::move(*text) : std::string();
}

std::string proxy_url(const Value& secret) {
  const std::string address = secret_text(secret, "address");
  const std::string user = secret_text(secret, "username");
  const std::size_t scheme = address.find("://");
  if (user.empty() || scheme == std::string::npos) return address;
  return address.substr(0, scheme + 3) + http::percent_encode(user) + ":" +
         http::percent_encode(secret_text(secret, "password")) + "@" + address.substr(scheme + 3);
}

class GitRepositoryReconciler : public kube::Reconciler {
 public:
  GitRepositoryReconciler(const kube::ControllerDeps& deps, const kube::Store& repositories, GitMirror& mirror)
      : client_(deps.client),
        repositories_(repositories),
        mirror_(mirror),
        log_(deps.log.named("source-controller")),
        events_(deps.client, std::string(kSourceManager), log_) {}

  Result<kube::Done> reconcile(const Context& context, const kube::ObjectKey& key) override {
    const std::optional<kube::Object> repository = repositories_.get(key);
    if (!repository) return kube::Done{};
    if (repository->deleting()) return finish(context, *repository);
    TRY(set_flux_finalizer(context, client_, kube::resources::git_repositories(), *repository, true, kSourceManager));
    if ((*repository)["spec"]["suspend"].as_bool()) {
      TRY(write_flux_status(context, client_, kube::resources::git_repositories(), *repository,
                            plan_suspended_status(*repository), kSourceManager));
      return kube::Done{};
    }

    if (const std::optional<std::string> field = unsupported_source_field(*repository)) {
      TRY(report_failure(context, *repository, {FluxOutcome::Kind::Stalled, "Unsupported", *field}));
      return kube::Done{};
    }
    Result<ChosenReference> fetched = fetch(context, *repository);
    if (!fetched.ok()) {
      TRY(report_failure(context, *repository, failure(fetched.error())));
      if (fetched.error().reason() == Reason::BadRequest || fetched.error().reason() == Reason::Invalid) {
        return kube::Done{};
      }
      return fetched.error();
    }
    TRY(report(context, *repository, {{FluxOutcome::Kind::Ready, "Succeeded", stored_message(*fetched)}, *fetched}));
    return kube::Done{spec_interval(*repository, "interval", kDefaultFetchInterval)};
  }

 private:
  Result<kube::Done> finish(const Context& context, const kube::Object& repository) {
    TRY(mirror_.forget(context, mirror_name(repository.key())));
    TRY(set_flux_finalizer(context, client_, kube::resources::git_repositories(), repository, false, kSourceManager));
    return kube::Done{};
  }

  static FluxOutcome failure(const Error& error) {
    switch (error.reason()) {
      case Reason::BadRequest:
        return {FluxOutcome::Kind::Stalled, "URLInvalid", error.message()};
      case Reason::Invalid:
        return {FluxOutcome::Kind::Stalled, "InvalidReference", error.message()};
      case Reason::Gone:
        return {FluxOutcome::Kind::Failed, "EmptyGitRepository", error.message()};
      case Reason::Unauthorized:
        return {FluxOutcome::Kind::Failed, "AuthenticationFailed", error.message()};
      default:
        return {FluxOutcome::Kind::Failed, "GitOperationFailed", error.message()};
    }
  }

  Result<Value> secret(const Context& context, const kube::Object& repository, std::string_view field) const {
    const std::string name(repository["spec"][field]["name"].as_string());
    if (name.empty()) return Value();
    Result<kube::Object> found =
        client_.get(context, kube::resources::secrets(), {std::string(repository.namespace_()), name});
    if (found.ok()) return found->tree();
    return Error(Reason::Unauthorized, "spec." + std::string(field) + ": " + found.error().message());
  }

  Result<GitRemote> remote(const Context& context, const kube::Object& repository) const {
    GitRemote remote;
    remote.url = repository["spec"]["url"].as_string();
    ASSIGN_OR_RETURN(const Value credentials, secret(context, repository, "secretRef"));
    remote.username = secret_text(credentials, "username");
    remote.password = secret_text(credentials, "password");
    remote.bearer_token = secret_text(credentials, "bearerToken");
    remote.ca_pem = secret_text(credentials, "ca.crt");
    if (remote.ca_pem.empty()) remote.ca_pem = secret_text(credentials, "caFile");
    remote.certificate_pem = secret_text(credentials, "tls.crt");
    remote.key_pem = secret_text(credentials, "tls.key");
    ASSIGN_OR_RETURN(const Value proxy, secret(context, repository, "proxySecretRef"));
    remote.proxy = proxy_url(proxy);
    return remote;
  }

  // One question to the remote; nothing is fetched when the commit is here already.
  Result<ChosenReference> fetch(const Context& context, const kube::Object& repository) {
    const Context bounded = context.with_timeout(spec_duration(repository, "timeout", kDefaultFetchTimeout));
    const std::string name = mirror_name(repository.key());
    ASSIGN_OR_RETURN(const GitRemote from, remote(bounded, repository));
    ASSIGN_OR_RETURN(const std::vector<GitReference> references, mirror_.list(bounded, from));
    ASSIGN_OR_RETURN(ChosenReference chosen, choose_reference(WantedReference::of(repository), references));
    ASSIGN_OR_RETURN(const bool here, mirror_.has_commit(bounded, name, chosen.commit));
    if (here) return chosen;
    std::vector<std::string> wanted;
    for (const GitReference& reference : references) {
      const bool branch = reference.name.starts_with("refs/heads/");
      if (reference.name == chosen.reference || (chosen.reference.empty() && branch)) wanted.push_back(reference.name);
    }
    TRY(mirror_.fetch(bounded, name, from, wanted));
    ASSIGN_OR_RETURN(const bool arrived, mirror_.has_commit(bounded, name, chosen.commit));
    if (!arrived) return Error(Reason::NotFound, "the repository has no commit " + chosen.commit);
    return chosen;
  }

  Result<void> report_failure(const Context& context, const kube::Object& repository, FluxOutcome outcome) {
    const std::string revision(repository["status"]["artifact"]["revision"].as_string());
    // A mirror that cannot be looked at is not lost.
    const bool stored =
        mirror_.has_commit(context, mirror_name(repository.key()), commit_of_revision(revision)).value_or(true);
    return report(context, repository, {std::move(outcome), std::nullopt, stored});
  }

  Result<void> report(const Context& context, const kube::Object& repository, const SourceAttempt& attempt) {
    const Value status = plan_source_status(repository, attempt, context.clock().wall());
    const bool fresh = attempt.fetched && status["artifact"] != repository["status"]["artifact"];
    const FluxOutcome& outcome = attempt.outcome;
    TRY(write_flux_status(context, client_, kube::resources::git_repositories(), repository, status, kSourceManager));
    const bool recovered =
        attempt.fetched && kube::condition_is_true(repository["status"]["conditions"], "FetchFailed");
    if (fresh || recovered) {
      const Value& artifact = status["artifact"];
      const std::string mirror = mirror_name(repository.key());
      ASSIGN_OR_RETURN(const std::string subject, mirror_.subject(context, mirror, attempt.fetched->commit));
      const kube::EventAnnotations annotations = {
          {"source.toolkit.fluxcd.io/revision", std::string(artifact["revision"].as_string())},
          {"source.toolkit.fluxcd.io/digest", std::string(artifact["digest"].as_string())}};
      events_.record(context, repository, kube::EventType::Normal, fresh ? "NewArtifact" : outcome.reason,
                     stored_commit_text(subject), annotations);
    }
    if (fresh) {
      log_.info("fetched a revision",
                {{"repository", repository.key().text()}, {"revision", attempt.fetched->revision}});
    } else if (outcome.kind == FluxOutcome::Kind::Failed || outcome.kind == FluxOutcome::Kind::Stalled) {
      events_.record(context, repository, kube::EventType::Warning, outcome.reason, outcome.message);
    }
    return {};
  }

  const kube::Client& client_;
  const kube::Store& repositories_;
  GitMirror& mirror_;
  Logger log_;
  kube::EventRecorder events_;
};

}  // namespace

std::unique_ptr<kube::ManagedController> make_git_repository_controller(const kube::ControllerDeps& deps,
                                                                        GitMirror& mirror) {
  kube::Informer& repositories = deps.informers.get(kube::resources::git_repositories());
  auto controller = std::make_unique<kube::SimpleController>(
      kube::as_master(deps.context, "system:k3s-supervisor"),
      std::make_unique<GitRepositoryReconciler>(deps, repositories.store(), mirror),
      kube::ControllerOptions{.name = "gitrepository-controller",
                              .concurrency = 2,
                              .lane = Lane::Blocking,
                              .retry = {std::chrono::milliseconds(750), std::chrono::minutes(15)}},
      deps.log);
  kube::Controller& queue = controller->controller();
  repositories.add_handler(
      [&queue](const std::optional<kube::Object>& before, const std::optional<kube::Object>& after) {
        if (after && asks_for_work(before, *after)) queue.enqueue(after->key());
      });
  return controller;
}

}  // namespace coracle::reconcilers
