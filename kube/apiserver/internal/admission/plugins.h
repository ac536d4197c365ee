#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kube/apiserver/internal/admission.h"
#include "kube/apiserver/internal/authorization.h"
#include "kube/apiserver/internal/identity/identity_parts.h"
#include "kube/apiserver/internal/object_reader.h"
#include "kube/apiserver/internal/registry.h"

namespace coracle::kube::apiserver {

using AdmissionPluginPtr = std::unique_ptr<AdmissionPlugin>;

// Every built-in plug-in in upstream's order (ResourceQuota last). The arguments outlive the plug-ins.
std::vector<AdmissionPluginPtr> make_admission_plugins(IdentityParts& identity, const Registry& registry,
                                                       const Options& options);

// One by one, under upstream's names. References outlive the plug-in.
AdmissionPluginPtr make_namespace_lifecycle(const ObjectReader& objects);
AdmissionPluginPtr make_limit_ranger(const ObjectReader& objects);
AdmissionPluginPtr make_service_account_admission(const ObjectReader& objects);
AdmissionPluginPtr make_node_restriction(const ObjectReader& objects, Authorizer& authorizer);
AdmissionPluginPtr make_taint_nodes_by_condition();
AdmissionPluginPtr make_pod_security(const ObjectReader& objects);
AdmissionPluginPtr make_priority_admission(const ObjectReader& objects);
AdmissionPluginPtr make_default_toleration_seconds();
AdmissionPluginPtr make_default_storage_class(const ObjectReader& objects);
AdmissionPluginPtr make_storage_object_in_use_protection();
AdmissionPluginPtr make_claim_resize(const ObjectReader& objects);
AdmissionPluginPtr make_runtime_class_admission(const ObjectReader& objects);
AdmissionPluginPtr make_certificate_approval(Authorizer& authorizer);
AdmissionPluginPtr make_certificate_signing(Authorizer& authorizer);
AdmissionPluginPtr make_certificate_subject_restriction();
AdmissionPluginPtr make_default_ingress_class(const ObjectReader& objects);
AdmissionPluginPtr make_pod_topology_labels(const ObjectReader& objects);
AdmissionPluginPtr make_resource_quota(const ObjectReader& objects, const Registry& registry);

// Not plug-ins of upstream, where they are part of the registry of RBAC kinds: nobody may grant what
// they do not hold (verbs "escalate" and "bind" allow it).
AdmissionPluginPtr make_escalation_check(RbacAuthorizer& rbac, Authorizer& authorizer);
// AppArmor profiles that annotations of a new pod ask for become fields.
AdmissionPluginPtr make_app_armor_fields();
// Webhook configurations and admission policies are stored and not called: whoever writes one is told so.
AdmissionPluginPtr make_unenforced_warning();
// Secrets of type kubernetes.io/service-account-token.
AdmissionPluginPtr make_token_secret_admission(const ObjectReader& objects, const TokenAuthority& authority,
                                               std::string ca_pem);

}  // namespace coracle::kube::apiserver
