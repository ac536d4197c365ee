#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kube/apiserver/internal/generic_store.h"
#include "kube/apiserver/internal/list_options.h"
#include "kube/apiserver/internal/object_encoder.h"
#include "kube/apiserver/internal/object_filter.h"

namespace coracle::kube::apiserver {

// What a list request asks for, decided.
struct ListPlan {
  ListOptions options;
  std::string start;          // first key, relative to the prefix
  store::Revision exact = 0;  // the state at this revision; 0: the newest
  store::Revision not_older = 0;
  bool linearizable = false;  // everything that was acknowledged before
  std::int64_t limit = 0;
  bool continued = false;
};

Result<ListPlan> plan_list(const http::Query& query);

// Objects of the chunk and what is told about the rest.
struct ListChunk {
  std::vector<StoredObjectPtr> objects;
  ListMeta meta;
};

// Expired when the state that the plan asks for did not survive compaction.
Result<ListChunk> read_list_chunk(const Context& context, GenericStore& store, const ResourceDescriptor& resource,
                                  const ObjectFilter& filter, const ListPlan& plan);

}  // namespace coracle::kube::apiserver
