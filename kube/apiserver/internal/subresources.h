#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "kube/apiserver/internal/admission/chain.h"
#include "kube/apiserver/internal/request_scope.h"
#include "kube/apiserver/internal/resource.h"
#include "kube/apiserver/internal/resource_store.h"

namespace coracle::kube::apiserver {

// What the handler of a subresource, or of a resource that is not stored, may use.
struct SubresourceCall {
  RequestScope& scope;
  const ResourceDescriptor& resource;
  std::string_view subresource;  // "" for resources that are not stored (reviews, bindings)
  ResourceStore& store;
  const AdmissionChain& admission;
};
using SubresourceHandler = std::function<Result<http::Response>(SubresourceCall&)>;

// Who answers which subresource: filled while the server is assembled, constant afterwards.
// status, scale and finalize are generic and need no entry.
class SubresourceTable {
 public:
  void add(std::string group, std::string resource, std::string subresource, SubresourceHandler handler) {
    handlers_[{std::move(group), std::move(resource), std::move(subresource)}] = std::move(handler);
  }
  const SubresourceHandler* find(std::string_view group, std::string_view resource,
                                 std::string_view subresource) const {
    auto found = handlers_.find(std::make_tuple(std::string(group), std::string(resource), std::string(subresource)));
    return found == handlers_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::tuple<std::string, std::string, std::string>, SubresourceHandler> handlers_;
};

}  // namespace coracle::kube::apiserver
