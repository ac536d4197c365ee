#pragma once

#include <initializer_list>
#include <string_view>

#include "kube/apiserver/internal/resource.h"
#include "kube/object/field_path.h"

// What admission webhooks and admission policies have in common: which requests they are for. Expressions are not
// compiled here.
namespace coracle::kube::apiserver {

bool contains_text(const Value& list, std::string_view text);
// "if '*' is present, must not specify other <others>"
void check_lonely_wildcard(const Value& list, std::string_view others, const FieldPath& path, FieldErrors& errors);
// A RuleWithOperations.
void check_request_rule(const Value& rule, const FieldPath& path, FieldErrors& errors);
// Where a webhook is: a WebhookClientConfig, also of conversions.
void check_webhook_client(const Value& client, const FieldPath& path, FieldErrors& errors);
// A list of conversion or admission review versions: this server knows one of them, or what is stored is `tolerated`.
bool speaks_known_version(const Value& versions);
void check_review_versions(const Value& versions, bool tolerated, const FieldPath& path, FieldErrors& errors);
void check_match_conditions(const Value& conditions, const FieldPath& path, FieldErrors& errors);

}  // namespace coracle::kube::apiserver
