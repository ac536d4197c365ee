#include "daemon/reconcilers.h"

#include <utility>

#include "daemon/builtin_controllers.h"
#include "daemon/bundled_definitions.h"
#include "daemon/gitops_setup.h"
#include "kube/apply/applier.h"
#include "kube/client/transport.h"
#include "kube/controller/identity.h"
#include "kube/controller/manager.h"
#include "reconcilers/git/git_repository_controller.h"
#include "reconcilers/git/kustomization_controller.h"
#include "reconcilers/helm/chart_fetcher.h"
#include "reconcilers/helm/helm_controller.h"
#include "reconcilers/manifests_folder/manifests_folder.h"

namespace coracle::daemon {
namespace {

constexpr std::string_view kSupervisorUser = "system:k3s-supervisor";
constexpr std::string_view kControllerManagerUser = "system:kube-controller-manager";
// User agents, which name the managers of what is written: readers know the work of the controller manager by its.
constexpr std::string_view kOwnAgent = "coracle";
constexpr std::string_view kControllerManagerAgent = "kube-controller-manager";

class RunningReconcilers : public Reconcilers {
 public:
  RunningReconcilers(const Context& context, http::Handler& api, const Logger& log)
      : context_(context),
        log_(log),
        transport_(kube::make_handler_transport(api)),
        client_(*transport_, std::string(kOwnAgent)),
        controller_client_(*transport_, std::string(kControllerManagerAgent)),
        mapper_(client_),
        applier_(client_, mapper_, log.named("bundle")),
        chart_fetcher_(reconcilers::make_http_chart_fetcher(context.executor())),
        informers_(kube::as_user(context, kControllerManagerUser), controller_client_, log.named("informer")),
        manager_(informers_) {}

  Result<void> start(const ServerSettings& settings, const Certificates& certificates, std::string api_address,
                     FileSystem& files) {
    const Context master = kube::as_master(context_, kSupervisorUser);
    std::vector<std::string_view> definitions = {"crds/helm.", "crds/k3s."};
    if (!settings.disable_gitops) definitions.insert(definitions.end(), {"crds/kustomize.", "crds/source."});
    TRY(apply_definitions(master, applier_, definitions));
    if (Result<void> made = set_up_gitops(master, applier_, files, settings.gitops); !made.ok()) {
      log_.warning("cannot set up the gitops repository: mend the setting and start again", {{"error", made.error()}});
    }
    const kube::ControllerDeps deps{context_, client_, mapper_, informers_, log_};
    if (!settings.disable_controllers) {
      const kube::ControllerDeps builtin{context_, controller_client_, mapper_, informers_, log_};
      for (const ControllerGroup& group : builtin_controllers()) {
        for (auto& controller : group.make(builtin, certificates.server_ca_pem)) manager_.add(std::move(controller));
      }
    }
    manager_.add(reconcilers::make_manifests_folder(deps, files, {settings.layout.manifests(), settings.disable}));
    if (!settings.disable_gitops) {
      mirror_ = reconcilers::make_git_mirror(deps.context.executor(), settings.layout.git_mirrors(),
                                             settings.gitops_local_roots);
      manager_.add(reconcilers::make_git_repository_controller(deps, *mirror_));
      manager_.add(reconcilers::make_kustomization_controller(deps, *mirror_));
    }
    if (!settings.disable_helm_controller) {
      manager_.add(reconcilers::make_helm_controller(deps, *chart_fetcher_,
                                                     {std::move(api_address), certificates.server_ca_pem}));
    }
    return manager_.start(context_);
  }

 private:
  const Context context_;
  const Logger log_;
  std::unique_ptr<kube::Transport> transport_;
  const kube::Client client_;
  const kube::Client controller_client_;
  kube::RestMapper mapper_;
  const kube::Applier applier_;
  std::unique_ptr<reconcilers::GitMirror> mirror_;
  const std::unique_ptr<reconcilers::ChartFetcher> chart_fetcher_;
  kube::InformerSet informers_;
  kube::Manager manager_;
};

}  // namespace

Result<std::unique_ptr<Reconcilers>> start_reconcilers(const Context& context, http::Handler& api, FileSystem& files,
                                                       const ServerSettings& settings, const Certificates& certificates,
                                                       std::string api_address, const Logger& log) {
  auto reconcilers = std::make_unique<RunningReconcilers>(context, api, log);
  TRY(reconcilers->start(settings, certificates, std::move(api_address), files));
  return std::unique_ptr<Reconcilers>(std::move(reconcilers));
}

}  // namespace coracle::daemon
