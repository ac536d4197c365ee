#pragma once

#include <string>
#include <vector>

#include "kube/apiserver/internal/authorization.h"
#include "kube/apiserver/internal/identity/authentication_token.h"
#include "kube/apiserver/internal/subresources.h"

namespace coracle::kube::apiserver {

// The resources that are asked and not stored: SubjectAccessReview and its local and self forms,
// SelfSubjectRulesReview, SelfSubjectReview and TokenReview. The arguments outlive the table.
void add_review_handlers(SubresourceTable& table, Authorizer& authorizer, TokenAuthenticator& tokens);

// The authorizer's attributes of a review's spec. What cannot be read of its selectors is left out, and told in
// `faults` in upstream's words.
Attributes attributes_of_review(const Value& spec, std::vector<std::string>& faults);
// authentication.k8s.io UserInfo.
Value user_info(const Identity& who);

}  // namespace coracle::kube::apiserver
