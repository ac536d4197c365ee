"""What controllers do in the background, as themselves: with the rights of their own accounts."""
import unittest

from cluster import ServerTestCase

STORAGE = """
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, hostPath: {path: /none}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: default}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", resources: {requests: {storage: 1Gi}}}
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
metadata: {name: gold}
driverName: example.com
parameters: {iops: "100"}
"""

USER_OF_DATA = """
apiVersion: v1
kind: Pod
metadata: {name: user, namespace: default}
spec:
  nodeName: nowhere
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: example.com/none}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""


class StorageProtection(ServerTestCase):
    def test_storage_goes_when_nobody_uses_it(self):
        kubectl = self.server.kubectl
        kubectl("create", "-f", "-", stdin=STORAGE)
        self.server.wait_for_object("serviceaccount", "default")
        kubectl("create", "-f", "-", stdin=USER_OF_DATA)
        kubectl("delete", "persistentvolume", "disk")
        kubectl("delete", "volumeattributesclass", "gold")
        kubectl("delete", "persistentvolumeclaim", "data", "--wait=false")
        claim = self.server.object("persistentvolumeclaim", "data")
        self.assertEqual(claim["metadata"]["finalizers"], ["kubernetes.io/pvc-protection"])
        kubectl("delete", "pod", "user", "--wait=false")
        self.server.wait_until_gone("persistentvolumeclaim", "data")


class Managers(ServerTestCase):
    def managers(self, *name, condition=lambda found: True):
        found = self.server.wait_for_object(*name, "--show-managed-fields", condition=condition)
        return sorted((entry["manager"], entry.get("subresource", "")) for entry in found["metadata"]["managedFields"])

    def test_what_controllers_write_is_the_controller_managers(self):
        self.server.kubectl("create", "namespace", "written")
        written = ("--namespace", "written")
        ours = ("kube-controller-manager", "")
        self.assertEqual(self.managers("configmap", "kube-root-ca.crt", *written), [ours])
        self.server.kubectl("create", "quota", "maps", "--hard=configmaps=2", *written)
        managers = self.managers("resourcequota", "maps", *written,
                                 condition=lambda quota: "used" in quota.get("status", {}))
        self.assertEqual(managers, [("kube-controller-manager", "status"), ("kubectl-create", "")])


class ResourceQuotas(ServerTestCase):
    def used(self, count):
        def says_so(quota):
            return quota.get("status", {}).get("used") == {"configmaps": count}

        self.server.wait_for_object("resourcequota", "maps", "--namespace", "limited", condition=says_so)

    def test_what_is_deleted_makes_room(self):
        kubectl = self.server.kubectl
        kubectl("create", "namespace", "limited")
        self.server.wait_for_object("configmap", "kube-root-ca.crt", "--namespace", "limited")
        kubectl("create", "quota", "maps", "--hard=configmaps=2", "--namespace", "limited")
        self.used("1")
        kubectl("create", "configmap", "one", "--namespace", "limited")
        self.used("2")
        refused = kubectl("create", "configmap", "two", "--namespace", "limited", check=False)
        self.assertIn("exceeded quota: maps, requested: configmaps=1, used: configmaps=2, limited: configmaps=2",
                      refused.stderr)
        kubectl("delete", "configmap", "one", "--namespace", "limited")
        self.used("1")
        kubectl("create", "configmap", "two", "--namespace", "limited")


if __name__ == "__main__":
    unittest.main()
