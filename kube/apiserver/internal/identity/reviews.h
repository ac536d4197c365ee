#pragma once

#include "kube/apiserver/internal/authorization.h"
#include "kube/apiserver/internal/identity/authentication_token.h"
#include "kube/apiserver/internal/subresources.h"

namespace coracle::kube::apiserver {

// The resources that are asked and not stored: SubjectAccessReview and its local and self forms,
// SelfSubjectRulesReview, SelfSubjectReview and TokenReview. The arguments outlive the table.
void add_review_handlers(SubresourceTable& table, Authorizer& authorizer, TokenAuthenticator& tokens);

// The authorizer's attributes of a review's spec.
Attributes attributes_of_review(const Value& spec);
// authentication.k8s.io UserInfo.
Value user_info(const Identity& who);

}  // namespace coracle::kube::apiserver
