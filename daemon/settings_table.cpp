#include "daemon/settings_table.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace coracle::daemon {
namespace {

using enum SettingType;
using enum SettingEffect;

constexpr std::array kSettings = {
    SettingRow{"config", "configuration", Text, "/etc/rancher/k3s/config.yaml", "K3S_CONFIG_FILE", 'c', "", kBoth,
               Active, "file or http(s) URL to read settings from, with <file>.d/*.yaml beside it"},
    SettingRow{"data-dir", "configuration", Text, "/var/lib/rancher/k3s", "K3S_DATA_DIR", 'd', "", kBoth, Active,
               "folder that holds all state"},
    SettingRow{"debug", "logging", Flag, "", "K3S_DEBUG", 0, "", kBoth, Active, "log at debug level"},
    SettingRow{"v", "logging", Number, "0", "", 0, "", kBoth, Active, "verbosity; 1 and more mean debug"},
    SettingRow{"vmodule", "logging", Text, "", "", 0, "", kBoth, Accepted, "verbosity for single files"},
    SettingRow{"log", "logging", Text, "", "", 'l', "", kBoth, Active,
               "write the log to this file; three of 50 MB before it are kept for 28 days, compressed"},
    SettingRow{"alsologtostderr", "logging", Flag, "", "", 0, "", kBoth, Active,
               "with --log, write to standard error as well"},
    SettingRow{"bind-address", "listener", Text, "0.0.0.0", "", 0, "", kBoth, Active,
               "address that the API listens on"},
    SettingRow{"https-listen-port", "listener", Number, "6443", "", 0, "", kServer, Active,
               "port that the API listens on"},
    SettingRow{"supervisor-port", "listener", Number, "", "", 0, "", kServer, Hidden,
               "port of the supervisor when it differs from the API"},
    SettingRow{"apiserver-port", "listener", Number, "", "", 0, "", kServer, Hidden,
               "port of the API when it differs from the supervisor"},
    SettingRow{"apiserver-bind-address", "listener", Text, "", "", 0, "", kServer, Hidden,
               "address of the API when it differs from the supervisor"},
    SettingRow{"advertise-address", "listener", Text, "${node-ip}", "", 0, "", kServer, Active,
               "address that default/kubernetes points to"},
    SettingRow{"advertise-port", "listener", Number, "${https-listen-port}", "", 0, "", kServer, Active,
               "port that default/kubernetes points to"},
    SettingRow{"tls-san", "listener", List, "", "", 0, "", kServer, Active,
               "further names and addresses in the serving certificate"},
    SettingRow{"tls-san-security", "listener", Flag, "true", "", 0, "", kServer, Accepted,
               "refuse to add names that nobody configured"},
    SettingRow{"cluster-cidr", "networking", List, "10.42.0.0/16", "", 0, "", kServer, Accepted, "addresses of pods"},
    SettingRow{"service-cidr", "networking", List, "10.43.0.0/16", "", 0, "", kServer, Active, "addresses of services"},
    SettingRow{"service-node-port-range", "networking", Text, "30000-32767", "", 0, "", kServer, Active,
               "ports of NodePort services"},
    SettingRow{"cluster-dns", "networking", List, "10.43.0.10", "", 0, "", kServer, Accepted,
               "address of the DNS service"},
    SettingRow{"cluster-domain", "networking", Text, "cluster.local", "", 0, "", kServer, Active,
               "DNS domain of the cluster"},
    SettingRow{"flannel-backend", "networking", Text, "vxlan", "", 0, "", kServer, Accepted,
               "none, vxlan, host-gw or wireguard-native"},
    SettingRow{"flannel-ipv6-masq", "networking", Flag, "", "", 0, "", kServer, Accepted,
               "masquerade IPv6 traffic of pods"},
    SettingRow{"flannel-external-ip", "networking", Flag, "", "", 0, "", kServer, Accepted,
               "use external addresses of nodes for flannel"},
    SettingRow{"egress-selector-mode", "networking", Text, "agent", "", 0, "", kServer, Accepted,
               "agent, cluster, pod or disabled"},
    SettingRow{"servicelb-namespace", "networking", Text, "kube-system", "", 0, "", kServer, Accepted,
               "namespace of the service load balancer"},
    SettingRow{"write-kubeconfig", "client", Text, "/etc/rancher/k3s/k3s.yaml", "K3S_KUBECONFIG_OUTPUT", 'o', "",
               kServer, Active, "where the administrator's kubeconfig is written"},
    SettingRow{"write-kubeconfig-mode", "client", Text, "0600", "K3S_KUBECONFIG_MODE", 0, "", kServer, Active,
               "mode of that file"},
    SettingRow{"write-kubeconfig-group", "client", Text, "", "K3S_KUBECONFIG_GROUP", 0, "", kServer, Active,
               "group of that file"},
    SettingRow{"helm-controller-arg", "helm", List, "", "", 0, "", kServer, Accepted, "option of the Helm controller"},
    SettingRow{"helm-job-image", "helm", Text, "", "", 0, "", kServer, Hidden,
               "no image is used: charts are installed in process"},
    SettingRow{"token", "cluster", Text, "", "K3S_TOKEN", 't', "", kBoth, Active,
               "secret that servers and agents join with"},
    SettingRow{"token-file", "cluster", Text, "", "K3S_TOKEN_FILE", 0, "", kBoth, Active, "file that holds the token"},
    SettingRow{"agent-token", "cluster", Text, "", "K3S_AGENT_TOKEN", 0, "", kServer, Active,
               "secret that only agents join with"},
    SettingRow{"agent-token-file", "cluster", Text, "", "K3S_AGENT_TOKEN_FILE", 0, "", kServer, Active,
               "file that holds the agent token"},
    SettingRow{"server", "cluster", Text, "", "K3S_URL", 's', "", kBoth, Accepted, "server to join"},
    SettingRow{"cluster-init", "cluster", Flag, "", "K3S_CLUSTER_INIT", 0, "", kServer, Accepted,
               "start a cluster of several servers"},
    SettingRow{"cluster-reset", "cluster", Flag, "", "K3S_CLUSTER_RESET", 0, "", kServer, Accepted,
               "forget all other servers and exit"},
    SettingRow{"cluster-reset-restore-path", "cluster", Text, "", "", 0, "", kServer, Accepted,
               "snapshot to restore with --cluster-reset"},
    SettingRow{"gitops-url", "gitops", Text, "", "", 0, "", kServer, Active,
               "repository that this node sets itself up from (https://, http:// or file://)"},
    SettingRow{"gitops-ref", "gitops", Text, "main", "", 0, "", kServer, Active,
               "branch, tag or commit: \"main\", \"refs/tags/v1\", \"sha1:<commit>\""},
    SettingRow{"gitops-path", "gitops", Text, "./", "", 0, "", kServer, Active, "folder of the repository to apply"},
    SettingRow{"gitops-interval", "gitops", Text, "1m0s", "", 0, "", kServer, Active,
               "how often the repository is asked"},
    SettingRow{"gitops-ca-file", "gitops", Text, "", "", 0, "", kServer, Active,
               "certificate authority of the repository's server"},
    SettingRow{"gitops-credentials-file", "gitops", Text, "", "", 0, "", kServer, Active,
               "file with username and password, or bearerToken, as YAML"},
    SettingRow{"disable-gitops", "gitops", Flag, "", "", 0, "", kServer, Active,
               "do not run the GitOps controllers, nor install their definitions: Flux itself does that here"},
    SettingRow{"gitops-local-root", "gitops", List, "", "", 0, "", kServer, Active,
               "folder below which file:// repositories are allowed"},
    SettingRow{"kube-apiserver-arg", "components", List, "", "", 0, "", kServer, Accepted,
               "option of the component, name=value"},
    SettingRow{"etcd-arg", "components", List, "", "", 0, "", kServer, Accepted, "option of the component, name=value"},
    SettingRow{"kube-controller-manager-arg", "components", List, "", "", 0, "kube-controller-arg", kServer, Accepted,
               "option of the component, name=value"},
    SettingRow{"kube-scheduler-arg", "components", List, "", "", 0, "", kServer, Accepted,
               "option of the component, name=value"},
    SettingRow{"kube-cloud-controller-manager-arg", "components", List, "", "", 0, "kube-cloud-controller-arg", kServer,
               Accepted, "option of the component, name=value"},
    SettingRow{"kubelet-arg", "components", List, "", "", 0, "", kBoth, Accepted,
               "option of the component, name=value"},
    SettingRow{"kube-proxy-arg", "components", List, "", "", 0, "", kBoth, Accepted,
               "option of the component, name=value"},
    SettingRow{"datastore-endpoint", "datastore", Text, "", "K3S_DATASTORE_ENDPOINT", 0, "", kServer, Accepted,
               "database other than SQLite"},
    SettingRow{"datastore-cafile", "datastore", Text, "", "K3S_DATASTORE_CAFILE", 0, "", kServer, Accepted,
               "certificate authority of the database"},
    SettingRow{"datastore-certfile", "datastore", Text, "", "K3S_DATASTORE_CERTFILE", 0, "", kServer, Accepted,
               "client certificate for the database"},
    SettingRow{"datastore-keyfile", "datastore", Text, "", "K3S_DATASTORE_KEYFILE", 0, "", kServer, Accepted,
               "client key for the database"},
    SettingRow{"kine-tls", "datastore", Flag, "", "", 0, "", kServer, Hidden, "TLS on the datastore socket"},
    SettingRow{"etcd-expose-metrics", "datastore", Flag, "", "", 0, "", kServer, Accepted, "serve etcd metrics"},
    SettingRow{"etcd-disable-snapshots", "datastore", Flag, "", "", 0, "", kServer, Accepted, "take no snapshots"},
    SettingRow{"etcd-snapshot-name", "datastore", Text, "etcd-snapshot", "", 0, "", kServer, Accepted,
               "first part of snapshot names"},
    SettingRow{"etcd-snapshot-schedule-cron", "datastore", Text, "0 */12 * * *", "", 0, "", kServer, Accepted,
               "when snapshots are taken"},
    SettingRow{"etcd-snapshot-reconcile-interval", "datastore", Text, "10m", "", 0, "", kServer, Accepted,
               "how often snapshot records are compared"},
    SettingRow{"etcd-snapshot-retention", "datastore", Number, "5", "", 0, "", kServer, Accepted, "snapshots kept"},
    SettingRow{"etcd-snapshot-dir", "datastore", Text, "${data-dir}/server/db/snapshots", "", 0, "", kServer, Accepted,
               "folder of snapshots"},
    SettingRow{"etcd-snapshot-compress", "datastore", Flag, "", "", 0, "", kServer, Accepted, "compress snapshots"},
    SettingRow{"etcd-s3", "datastore", Flag, "", "", 0, "", kServer, Accepted, "store snapshots in S3"},
    SettingRow{"etcd-s3-endpoint", "datastore", Text, "s3.amazonaws.com", "", 0, "", kServer, Accepted, "S3 server"},
    SettingRow{"etcd-s3-endpoint-ca", "datastore", Text, "", "", 0, "", kServer, Accepted,
               "certificate authority of the S3 server"},
    SettingRow{"etcd-s3-skip-ssl-verify", "datastore", Flag, "", "", 0, "", kServer, Accepted,
               "do not verify the S3 server"},
    SettingRow{"etcd-s3-access-key", "datastore", Text, "", "AWS_ACCESS_KEY_ID", 0, "", kServer, Accepted,
               "S3 access key"},
    SettingRow{"etcd-s3-secret-key", "datastore", Text, "", "AWS_SECRET_ACCESS_KEY", 0, "", kServer, Accepted,
               "S3 secret key"},
    SettingRow{"etcd-s3-session-token", "datastore", Text, "", "AWS_SESSION_TOKEN", 0, "", kServer, Accepted,
               "S3 session token"},
    SettingRow{"etcd-s3-bucket", "datastore", Text, "", "", 0, "", kServer, Accepted, "S3 bucket"},
    SettingRow{"etcd-s3-folder", "datastore", Text, "", "", 0, "", kServer, Accepted, "S3 folder"},
    SettingRow{"etcd-s3-bucket-lookup-type", "datastore", Text, "auto", "", 0, "", kServer, Accepted,
               "auto, dns or path"},
    SettingRow{"etcd-s3-region", "datastore", Text, "us-east-1", "", 0, "", kServer, Accepted, "S3 region"},
    SettingRow{"etcd-s3-retention", "datastore", Number, "5", "", 0, "", kServer, Accepted, "S3 snapshots kept"},
    SettingRow{"etcd-s3-proxy", "datastore", Text, "", "", 0, "", kServer, Accepted, "proxy for S3"},
    SettingRow{"etcd-s3-insecure", "datastore", Flag, "", "", 0, "", kServer, Accepted, "S3 without TLS"},
    SettingRow{"etcd-s3-config-secret", "datastore", Text, "", "", 0, "", kServer, Accepted,
               "Secret in kube-system with the S3 options"},
    SettingRow{"etcd-s3-timeout", "datastore", Text, "5m0s", "", 0, "", kServer, Accepted, "S3 time-out"},
    SettingRow{"default-local-storage-path", "storage and components", Text, "${data-dir}/storage", "", 0, "", kServer,
               Accepted, "root of local-path volumes"},
    SettingRow{"disable", "storage and components", List, "", "", 0, "", kServer, Active,
               "bundled addon not to deploy, and to delete if it is there"},
    SettingRow{"disable-scheduler", "storage and components", Flag, "", "", 0, "", kServer, Accepted,
               "do not run the scheduler"},
    SettingRow{"disable-cloud-controller", "storage and components", Flag, "", "", 0, "", kServer, Accepted,
               "do not run the cloud controller"},
    SettingRow{"disable-kube-proxy", "storage and components", Flag, "", "", 0, "", kServer, Accepted,
               "do not run the service proxy"},
    SettingRow{"disable-network-policy", "storage and components", Flag, "", "", 0, "", kServer, Accepted,
               "do not enforce network policies"},
    SettingRow{"disable-helm-controller", "storage and components", Flag, "", "", 0, "", kServer, Active,
               "do not run the Helm controller"},
    SettingRow{"disable-apiserver", "storage and components", Flag, "", "", 0, "", kServer, Accepted,
               "do not run the API server"},
    SettingRow{"disable-controller-manager", "storage and components", Flag, "", "", 0, "", kServer, Active,
               "do not run the controllers"},
    SettingRow{"disable-etcd", "storage and components", Flag, "", "", 0, "", kServer, Accepted,
               "do not run the datastore"},
    SettingRow{"disable-agent", "storage and components", Flag, "", "", 0, "", kServer, Active,
               "run no agent on this server"},
    SettingRow{"secrets-encryption", "security", Flag, "", "", 0, "", kServer, Accepted, "encrypt Secrets at rest"},
    SettingRow{"secrets-encryption-provider", "security", Text, "aescbc", "", 0, "", kServer, Accepted,
               "aescbc or secretbox"},
    SettingRow{"embedded-registry", "security", Flag, "", "", 0, "", kServer, Accepted, "share images between nodes"},
    SettingRow{"supervisor-metrics", "security", Flag, "", "", 0, "", kServer, Accepted,
               "serve metrics on the supervisor port"},
    SettingRow{"system-default-registry", "security", Text, "", "K3S_SYSTEM_DEFAULT_REGISTRY", 0, "", kServer, Accepted,
               "registry of all system images"},
    SettingRow{"node-name", "node", Text, "", "K3S_NODE_NAME", 0, "", kBoth, Active, "name of this node"},
    SettingRow{"with-node-id", "node", Flag, "", "", 0, "", kBoth, Accepted, "add an id to the node name"},
    SettingRow{"node-label", "node", List, "", "", 0, "", kBoth, Accepted,
               "label of the node at its first registration"},
    SettingRow{"node-taint", "node", List, "", "", 0, "", kBoth, Accepted,
               "taint of the node at its first registration"},
    SettingRow{"protect-kernel-defaults", "node", Flag, "", "", 0, "", kBoth, Accepted,
               "fail when kernel settings differ from what is expected"},
    SettingRow{"selinux", "node", Flag, "", "K3S_SELINUX", 0, "", kBoth, Accepted, "SELinux in containerd"},
    SettingRow{"lb-server-port", "node", Number, "6444", "K3S_LB_SERVER_PORT", 0, "", kBoth, Accepted,
               "local port of the load balancer to servers"},
    SettingRow{"image-credential-provider-bin-dir", "node", Text, "/var/lib/rancher/credentialprovider/bin", "", 0, "",
               kBoth, Accepted, "folder of credential providers"},
    SettingRow{"image-credential-provider-config", "node", Text, "/var/lib/rancher/credentialprovider/config.yaml", "",
               0, "", kBoth, Accepted, "configuration of credential providers"},
    SettingRow{"docker", "runtime", Flag, "", "", 0, "", kBoth, Accepted, "use Docker"},
    SettingRow{"container-runtime-endpoint", "runtime", Text, "", "", 0, "", kBoth, Accepted,
               "CRI socket of a runtime that is already there"},
    SettingRow{"image-service-endpoint", "runtime", Text, "", "", 0, "", kBoth, Accepted, "CRI socket for images"},
    SettingRow{"default-runtime", "runtime", Text, "", "", 0, "", kBoth, Accepted, "runtime of pods that name none"},
    SettingRow{"pause-image", "runtime", Text, "rancher/mirrored-pause:3.6", "", 0, "", kBoth, Accepted,
               "image of pod sandboxes"},
    SettingRow{"snapshotter", "runtime", Text, "overlayfs", "", 0, "", kBoth, Accepted, "snapshotter of containerd"},
    SettingRow{"private-registry", "runtime", Text, "/etc/rancher/k3s/registries.yaml", "", 0, "", kBoth, Accepted,
               "registries file"},
    SettingRow{"disable-default-registry-endpoint", "runtime", Flag, "", "", 0, "", kBoth, Accepted,
               "ask only configured mirrors"},
    SettingRow{"nonroot-devices", "runtime", Flag, "", "", 0, "", kBoth, Accepted,
               "devices for containers that do not run as root"},
    SettingRow{"airgap-extra-registry", "runtime", List, "", "", 0, "", kBoth, Hidden,
               "registry name for imported images"},
    SettingRow{"node-ip", "node networking", List, "", "", 'i', "", kBoth, Active, "address of this node"},
    SettingRow{"node-external-ip", "node networking", List, "", "", 0, "", kBoth, Active,
               "external address of this node"},
    SettingRow{"node-internal-dns", "node networking", List, "", "", 0, "", kBoth, Accepted,
               "internal name of this node"},
    SettingRow{"node-external-dns", "node networking", List, "", "", 0, "", kBoth, Accepted,
               "external name of this node"},
    SettingRow{"resolv-conf", "node networking", Text, "", "K3S_RESOLV_CONF", 0, "", kBoth, Accepted,
               "resolv.conf for pods"},
    SettingRow{"flannel-iface", "node networking", Text, "", "", 0, "", kBoth, Accepted, "interface for flannel"},
    SettingRow{"flannel-conf", "node networking", Text, "", "", 0, "", kBoth, Accepted,
               "flannel configuration that replaces ours"},
    SettingRow{"flannel-cni-conf", "node networking", Text, "", "", 0, "", kBoth, Accepted,
               "CNI configuration that replaces ours"},
    SettingRow{"vpn-auth", "node networking", Text, "", "K3S_VPN_AUTH", 0, "", kBoth, Accepted, "VPN credentials"},
    SettingRow{"vpn-auth-file", "node networking", Text, "", "K3S_VPN_AUTH_FILE", 0, "", kBoth, Accepted,
               "file with VPN credentials"},
    SettingRow{"enable-pprof", "experimental", Flag, "", "", 0, "", kBoth, Accepted,
               "profiling on the supervisor port"},
    SettingRow{"rootless", "experimental", Flag, "", "", 0, "", kBoth, Accepted, "run without root"},
    SettingRow{"prefer-bundled-bin", "experimental", Flag, "", "", 0, "", kBoth, Accepted,
               "prefer bundled programs to those of the host"},
    SettingRow{"disable-apiserver-lb", "experimental", Flag, "", "", 0, "", kAgent, Accepted,
               "do not run the load balancer to servers"},
    SettingRow{"no-flannel", "removed", Flag, "", "", 0, "", kBoth, Removed, "use --flannel-backend=none"},
    SettingRow{"no-deploy", "removed", List, "", "", 0, "", kServer, Removed, "use --disable"},
    SettingRow{"cluster-secret", "removed", Text, "", "K3S_CLUSTER_SECRET", 0, "", kBoth, Removed, "use --token"},
    SettingRow{"disable-selinux", "removed", Flag, "", "", 0, "", kBoth, Removed, "leave --selinux out"},
};

// Edit distance, bounded: far texts are not worth the exact number.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const SettingRow> settings_table() {
  return kSettings;
}

const SettingRow* find_setting(std::string_view name) {
  for (const SettingRow& row : kSettings) {
    const bool by_letter = name.size() == 1 && row.letter == name.front();
    if (row.name == name || by_letter || (!row.alias.empty() && row.alias == name)) return &row;
  }
  return nullptr;
}

std::string_view nearest_setting(std::string_view name) {
  constexpr std::size_t kMaxName = 64;
  if (name.size() > kMaxName) return {};
  std::string_view nearest;
  std::size_t best = std::max<std::size_t>(name.size() / 3, 1);
  for (const SettingRow& row : kSettings) {
    if (row.effect == Removed) continue;
    if (const std::size_t distance = edit_distance(name, row.name); distance <= best) {
      if (distance == best && !nearest.empty()) continue;
      best = distance;
      nearest = row.name;
    }
  }
  return nearest;
}

}  // namespace coracle::daemon
