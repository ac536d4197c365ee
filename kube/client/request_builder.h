#pragma once

#include <string>
#include <string_view>

#include "base/http/message.h"
#include "kube/client/parameters.h"

// Builds whole HTTP requests and sends nothing, so that every byte a client sends can be tested.
namespace coracle::kube {

// "/apis/apps/v1/namespaces/default/deployments/web/scale"; an empty namespace means all of them.
std::string resource_path(const ResourceRef& resource, std::string_view ns, std::string_view name = {},
                          std::string_view subresource = {});

http::Request get_request(const ResourceRef& resource, const ObjectKey& key);
http::Request list_request(const ResourceRef& resource, std::string_view ns, const ListParameters& parameters);
// Answers are one {"type","object"} a line.
http::Request watch_request(const ResourceRef& resource, std::string_view ns, const ListParameters& parameters);
http::Request create_request(const ResourceRef& resource, const ObjectKey& key, std::string_view subresource,
                             const Object& object, const WriteParameters& parameters);
http::Request update_request(const ResourceRef& resource, const ObjectKey& key, std::string_view subresource,
                             const Object& object, const WriteParameters& parameters);
http::Request patch_request(const ResourceRef& resource, const ObjectKey& key, std::string_view subresource,
                            PatchType type, const Value& patch, const WriteParameters& parameters);
http::Request delete_request(const ResourceRef& resource, const ObjectKey& key, const DeleteParameters& parameters);
http::Request delete_collection_request(const ResourceRef& resource, std::string_view ns, const ListParameters& which,
                                        const DeleteParameters& parameters);
http::Request raw_get_request(std::string_view path, std::string_view accept);

}  // namespace coracle::kube
