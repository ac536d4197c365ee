#pragma once

#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "kube/client/client.h"

namespace coracle::reconcilers {

struct Leftover {
  kube::ResourceRef resource;
  kube::ObjectKey key;
};

// What k3s keeps beside a HelmChart for its Jobs: a running one would install against us, and its
// binding makes a service account cluster-admin. https://docs.k3s.io/add-ons/helm
std::vector<Leftover> k3s_leftovers(const kube::ObjectKey& chart);

// Deletes them, with the Jobs' pods.
Result<void> remove_k3s_leftovers(const Context& context, const kube::Client& client, const kube::ObjectKey& chart);

}  // namespace coracle::reconcilers
