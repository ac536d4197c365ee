#include "kube/apiserver/internal/admission/plugins.h"

#include <utility>

namespace coracle::kube::apiserver {

std::vector<AdmissionPluginPtr> make_admission_plugins(IdentityParts& identity, const Registry& registry,
                                                       const Options& options) {
  const ObjectReader& objects = identity.objects();
  Authorizer& authorizer = identity.authorizer();
  std::vector<AdmissionPluginPtr> plugins;
  plugins.push_back(make_namespace_lifecycle(objects));
  plugins.push_back(make_escalation_check(identity.rbac(), authorizer));
  plugins.push_back(make_limit_ranger(objects));
  plugins.push_back(make_service_account_admission(objects));
  plugins.push_back(make_node_restriction(objects, authorizer));
  plugins.push_back(make_taint_nodes_by_condition());
  plugins.push_back(make_pod_security(objects));
  plugins.push_back(make_priority_admission(objects));
  plugins.push_back(make_default_toleration_seconds());
  plugins.push_back(make_default_storage_class(objects));
  plugins.push_back(make_storage_object_in_use_protection());
  plugins.push_back(make_claim_resize(objects));
  plugins.push_back(make_runtime_class_admission(objects));
  plugins.push_back(make_token_secret_admission(objects, identity.token_authority(), options.server_ca_pem));
  plugins.push_back(make_certificate_approval(authorizer));
  plugins.push_back(make_certificate_signing(authorizer));
  plugins.push_back(make_certificate_subject_restriction());
  plugins.push_back(make_default_ingress_class(objects));
  plugins.push_back(make_pod_topology_labels(objects));
  plugins.push_back(make_app_armor_fields());
  plugins.push_back(make_unenforced_warning());
  plugins.push_back(make_resource_quota(objects, registry));
  return plugins;
}

}  // namespace coracle::kube::apiserver
