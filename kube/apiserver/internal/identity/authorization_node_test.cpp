#include <catch2/catch.hpp>

#include "kube/apiserver/internal/identity/authorization_node.h"
#include "kube/apiserver/internal/identity/identity_test_support.h"

namespace coracle::kube::apiserver {
namespace {

using testing::person;
using testing::TestCluster;

struct NodeCase {
  const char* verb;
  const char* group;
  const char* resource;
  const char* subresource;
  const char* namespace_;
  const char* name;
  const char* field_selector;
  const char* refusal;  // null: allowed
};

Attributes node_attributes(const NodeCase& row) {
  Attributes what;
  what.verb = row.verb;
  what.group = row.group;
  what.resource = row.resource;
  what.subresource = row.subresource;
  what.namespace_ = row.namespace_;
  what.name = row.name;
  what.field_selector = row.field_selector;
  return what;
}

void put_node_objects(TestCluster& cluster) {
  cluster.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p1","namespace":"a"},"spec":{"nodeName":"n1",
    "serviceAccountName":"robot","imagePullSecrets":[{"name":"pull"}],
    "containers":[{"name":"c","env":[{"name":"E","valueFrom":{"secretKeyRef":{"name":"env","key":"k"}}}],
      "envFrom":[{"configMapRef":{"name":"from"}}]}],
    "initContainers":[{"name":"i","envFrom":[{"secretRef":{"name":"init"}}]}],
    "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"data"}},{"name":"s","secret":{"secretName":"vol"}},
      {"name":"p","projected":{"sources":[{"configMap":{"name":"proj"}},{"secret":{"name":"projs"}}]}},
      {"name":"scratch","ephemeral":{}}]}})");
  cluster.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p2","namespace":"a"},"spec":{"nodeName":"n2",
    "serviceAccountName":"other","volumes":[{"name":"s","secret":{"secretName":"theirs"}}]}})");
  cluster.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"mirror","namespace":"a",
    "annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{"nodeName":"n1",
    "volumes":[{"name":"s","secret":{"secretName":"stolen"}}]}})");
  cluster.put(R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data","namespace":"a"},
    "spec":{"volumeName":"pv1"}})");
  cluster.put(R"({"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"pv1"},
    "spec":{"claimRef":{"namespace":"a","name":"data"},
      "csi":{"nodePublishSecretRef":{"namespace":"sys","name":"csi"}}}})");
  cluster.put(R"({"apiVersion":"storage.k8s.io/v1","kind":"VolumeAttachment","metadata":{"name":"va1"},
    "spec":{"nodeName":"n1"}})");
  cluster.put(R"({"apiVersion":"resource.k8s.io/v1","kind":"ResourceSlice","metadata":{"name":"mine"},
    "spec":{"nodeName":"n1"}})");
  cluster.put(R"({"apiVersion":"resource.k8s.io/v1","kind":"ResourceSlice","metadata":{"name":"theirs"},
    "spec":{"nodeName":"n2"}})");
  cluster.put(R"({"apiVersion":"resource.k8s.io/v1","kind":"ResourceSlice","metadata":{"name":"nobodys"},
    "spec":{"allNodes":true}})");
}

constexpr const char* kUnrelated = "no relationship found between node 'n1' and this object";

constexpr const char* kLeases = "coordination.k8s.io";
const NodeCase kNodeCases[] = {
    {"get", "", "secrets", "", "a", "pull", "", nullptr},
    {"get", "", "secrets", "", "a", "env", "", nullptr},
    {"get", "", "secrets", "", "a", "init", "", nullptr},
    {"watch", "", "secrets", "", "a", "vol", "", nullptr},
    {"get", "", "secrets", "", "a", "projs", "", nullptr},
    {"get", "", "secrets", "", "sys", "csi", "", nullptr},
    {"get", "", "secrets", "", "a", "theirs", "", kUnrelated},
    {"get", "", "secrets", "", "a", "stolen", "", kUnrelated},
    {"get", "", "secrets", "", "b", "pull", "", kUnrelated},
    {"list", "", "secrets", "", "a", "", "", "No Object name found"},
    {"list", "", "secrets", "", "", "", "", "can only read namespaced object of this type"},
    {"delete", "", "secrets", "", "a", "pull", "", "can only read resources of this type"},
    {"get", "", "configmaps", "", "a", "from", "", nullptr},
    {"get", "", "configmaps", "", "a", "proj", "", nullptr},
    {"get", "", "persistentvolumeclaims", "", "a", "data", "", nullptr},
    {"get", "", "persistentvolumeclaims", "", "a", "p1-scratch", "", nullptr},
    {"patch", "", "persistentvolumeclaims", "status", "a", "data", "", nullptr},
    {"get", "", "persistentvolumeclaims", "status", "a", "data", "", "can only get/update/patch this type"},
    {"list", "", "persistentvolumeclaims", "", "a", "", "", "can only get individual resources of this type"},
    {"get", "", "persistentvolumes", "", "", "pv1", "", nullptr},
    {"get", "", "persistentvolumes", "", "", "pv2", "", kUnrelated},
    {"get", "storage.k8s.io", "volumeattachments", "", "", "va1", "", nullptr},
    {"get", "storage.k8s.io", "volumeattachments", "", "", "va2", "", kUnrelated},
    {"get", "", "serviceaccounts", "", "a", "robot", "", nullptr},
    {"create", "", "serviceaccounts", "token", "a", "robot", "", nullptr},
    {"create", "", "serviceaccounts", "token", "a", "other", "", kUnrelated},
    {"list", "", "serviceaccounts", "", "a", "robot", "", "can only create tokens for individual service accounts"},
    {"create", "", "serviceaccounts", "", "a", "robot", "", "can only create token subresource of serviceaccount"},
    {"get", "", "pods", "", "a", "p1", "", nullptr},
    {"get", "", "pods", "", "a", "p2", "", kUnrelated},
    {"list", "", "pods", "", "", "", "spec.nodeName=n1", nullptr},
    {"list", "", "pods", "", "", "", "spec.nodeName=n2", "can only list/watch pods with spec.nodeName field selector"},
    {"list", "", "pods", "", "", "", "", "can only list/watch pods with spec.nodeName field selector"},
    {"create", "", "pods", "", "a", "", "", nullptr},
    {"patch", "", "pods", "status", "a", "p1", "", nullptr},
    {"get", "", "nodes", "", "", "n1", "", nullptr},
    {"list", "", "nodes", "", "", "", "", "node 'n1' cannot read all nodes, only its own Node object"},
    {"get", "", "nodes", "", "", "n2", "", "node 'n1' cannot read 'n2', only its own Node object"},
    {"patch", "", "nodes", "status", "", "n1", "", nullptr},
    {"update", kLeases, "leases", "", "kube-node-lease", "n1", "", nullptr},
    {"list", kLeases, "leases", "", "kube-node-lease", "", "",
     "can only get, create, update, patch, or delete a node lease"},
    {"get", kLeases, "leases", "", "kube-node-lease", "n2", "",
     "can only access node lease with the same name as the requesting node"},
    {"get", kLeases, "leases", "", "default", "n1", "",
     "can only access leases in the \"kube-node-lease\" system namespace"},
    {"get", "storage.k8s.io", "csinodes", "", "", "n1", "", nullptr},
    {"get", "storage.k8s.io", "csinodes", "", "", "n2", "",
     "can only access CSINode with the same name as the requesting node"},
    {"list", "storage.k8s.io", "csinodes", "", "", "", "", "can only get, create, update, patch, or delete a CSINode"},
    {"list", "resource.k8s.io", "resourceslices", "", "", "", "",
     "can only list/watch/deletecollection resourceslices with nodeName field selector"},
    {"list", "resource.k8s.io", "resourceslices", "", "", "", "spec.nodeName=n1", nullptr},
    {"create", "resource.k8s.io", "resourceslices", "", "", "", "", nullptr},
    {"get", "resource.k8s.io", "resourceslices", "", "", "mine", "", nullptr},
    {"delete", "resource.k8s.io", "resourceslices", "", "", "mine", "", nullptr},
    {"get", "resource.k8s.io", "resourceslices", "", "", "theirs", "", kUnrelated},
    {"update", "resource.k8s.io", "resourceslices", "", "", "theirs", "", kUnrelated},
    {"get", "resource.k8s.io", "resourceslices", "", "", "nobodys", "", kUnrelated},
    {"get", "resource.k8s.io", "resourceslices", "", "", "missing", "", kUnrelated},
    {"list", "node.k8s.io", "runtimeclasses", "", "", "", "", nullptr},
    {"list", "apps", "deployments", "", "a", "", "", ""},
};

}  // namespace

TEST_CASE("who is a node", "[node]") {
  CHECK(node_identity(person("system:node:n1", {"system:nodes"})).name == "n1");
  CHECK_FALSE(node_identity(person("system:node:n1")).is_node);
  CHECK_FALSE(node_identity(person("n1", {"system:nodes"})).is_node);
}

TEST_CASE("a node may touch what its pods need", "[node]") {
  TestCluster cluster;
  put_node_objects(cluster);
  NodeAuthorizer authorizer(cluster.objects, Logger(null_log_sink(), "node"));
  Identity node = person("system:node:n1", {"system:nodes"});
  for (const NodeCase& row : kNodeCases) {
    CAPTURE(row.verb, row.resource, row.subresource, row.namespace_, row.name);
    Decision decision = authorizer.authorize(cluster.context, node, node_attributes(row));
    if (row.refusal == nullptr) {
      CHECK(decision.outcome == Decision::Outcome::Allow);
    } else {
      CHECK(decision.outcome == Decision::Outcome::NoOpinion);
      CHECK(decision.reason == row.refusal);
    }
  }
}

TEST_CASE("a pod that moves takes its references along", "[node]") {
  TestCluster cluster;
  put_node_objects(cluster);
  NodeAuthorizer authorizer(cluster.objects, Logger(null_log_sink(), "node"));
  Attributes theirs = node_attributes({"get", "", "secrets", "", "a", "theirs", "", ""});
  Identity node = person("system:node:n1", {"system:nodes"});
  CHECK(authorizer.authorize(cluster.context, node, theirs).outcome == Decision::Outcome::NoOpinion);
  cluster.put(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p3","namespace":"a"},"spec":{"nodeName":"n1",
    "volumes":[{"name":"s","secret":{"secretName":"theirs"}}]}})");
  CHECK(authorizer.authorize(cluster.context, node, theirs).outcome == Decision::Outcome::Allow);
  cluster.store.erase(cluster.resource("", "pods"), "a", "p3");
  CHECK(authorizer.authorize(cluster.context, node, theirs).outcome == Decision::Outcome::NoOpinion);
}

TEST_CASE("a node's rules cannot be listed completely", "[node]") {
  TestCluster cluster;
  NodeAuthorizer authorizer(cluster.objects, Logger(null_log_sink(), "node"));
  bool incomplete = false;
  authorizer.rules_for(cluster.context, person("alice"), "a", incomplete);
  CHECK_FALSE(incomplete);
  authorizer.rules_for(cluster.context, person("system:node:n1", {"system:nodes"}), "a", incomplete);
  CHECK(incomplete);
}

}  // namespace coracle::kube::apiserver
