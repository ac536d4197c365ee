"""What people type: every common kubectl command against built-in kinds and custom resources."""
import json
import subprocess
import threading
import unittest

from cluster import ServerTestCase

WIDGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.ex.io}
spec:
  group: ex.io
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wd], categories: [all]}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns: [{name: Size, type: string, jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: string, enum: [small, large], default: small}
              replicas: {type: integer, minimum: 0}
          status:
            type: object
            properties: {replicas: {type: integer}}
"""

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]}
"""


class BuiltIns(ServerTestCase):
    def test_create_get_describe_edit_and_delete(self):
        kubectl = self.server.kubectl
        kubectl("create", "configmap", "one", "--from-literal=a=b")
        self.assertIn("one", kubectl("get", "configmaps"))
        self.assertIn("a:\n----\nb\n", kubectl("describe", "configmap", "one"))
        kubectl("label", "configmap", "one", "tier=front")
        kubectl("annotate", "configmap", "one", "note=x")
        kubectl("patch", "configmap", "one", "-p", '{"data":{"c":"d"}}')
        kubectl("patch", "configmap", "one", "--type=json", "-p", '[{"op":"remove","path":"/data/a"}]')
        found = self.server.object("configmap", "one")
        self.assertEqual(found["data"], {"c": "d"})
        self.assertEqual(found["metadata"]["labels"], {"tier": "front"})
        self.assertIn("one", kubectl("get", "cm", "-l", "tier=front"))
        self.assertNotIn("one", kubectl("get", "cm", "-l", "tier!=front"))
        kubectl("delete", "configmap", "one")
        self.assertIsNone(self.server.object("configmap", "one"))

    def test_apply_diff_and_server_side_apply(self):
        kubectl = self.server.kubectl
        text = DEPLOYMENT % "applied"
        self.assertIn("created", kubectl("apply", "-f", "-", stdin=text))
        self.assertIn("unchanged", kubectl("apply", "-f", "-", stdin=text))
        changed = text.replace("replicas: 2", "replicas: 3")
        difference = kubectl("diff", "-f", "-", stdin=changed, check=False)
        self.assertEqual(difference.returncode, 1)
        self.assertIn("replicas: 3", difference.stdout)
        self.assertEqual(self.server.object("deployment", "applied")["spec"]["replicas"], 2)
        self.assertIn("configured", kubectl("apply", "-f", "-", stdin=changed))
        conflict = kubectl("apply", "--server-side", "--field-manager=other", "-f", "-",
                           stdin=changed.replace("replicas: 3", "replicas: 4"), check=False)
        self.assertEqual(conflict.returncode, 1)
        self.assertIn(".spec.replicas", conflict.stderr)
        kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=other", "-f", "-",
                stdin=changed.replace("replicas: 3", "replicas: 4"))
        self.assertEqual(self.server.object("deployment", "applied")["spec"]["replicas"], 4)
        kubectl("scale", "deployment", "applied", "--replicas=5")
        self.assertEqual(self.server.object("deployment", "applied")["spec"]["replicas"], 5)
        self.assertIn("0/5", kubectl("get", "deployments"))

    def test_strict_validation_and_bad_objects(self):
        kubectl = self.server.kubectl
        wrong = kubectl("create", "-f", "-", stdin=(DEPLOYMENT % "wrong").replace("replicas:", "replica:"), check=False)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn('unknown field "spec.replica"', wrong.stderr)
        invalid = kubectl("create", "-f", "-", stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Wrong}\n",
                          check=False)
        self.assertIn('metadata.name: Invalid value: "Wrong"', invalid.stderr)

    def test_explain_api_resources_and_version(self):
        kubectl = self.server.kubectl
        self.assertIn("containers", kubectl("explain", "pod.spec"))
        self.assertIn("image", kubectl("explain", "deployment.spec.template.spec.containers"))
        resources = kubectl("api-resources", "--no-headers")
        for name in ("pods", "deployments", "clusterroles", "customresourcedefinitions", "helmcharts"):
            self.assertIn(name, resources)
        self.assertIn("apps/v1", kubectl("api-versions"))
        self.assertTrue(json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"].startswith("v1.36"))

    def test_identity_and_access(self):
        kubectl = self.server.kubectl
        self.assertEqual(kubectl("auth", "can-i", "delete", "nodes").strip(), "yes")
        denied = kubectl("auth", "can-i", "delete", "nodes", "--as=nobody", check=False)
        self.assertEqual(denied.stdout.strip(), "no")
        kubectl("create", "serviceaccount", "robot")
        kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
        kubectl("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:robot")
        account = "--as=system:serviceaccount:default:robot"
        self.assertEqual(kubectl("auth", "can-i", "list", "configmaps", account).strip(), "yes")
        self.assertEqual(kubectl("auth", "can-i", "list", "secrets", account, check=False).stdout.strip(), "no")

    def test_a_watch_sees_changes_in_order(self):
        watch = subprocess.Popen(["kubectl", "--kubeconfig", self.server.kubeconfig, "get", "configmaps", "-w",
                                  "--field-selector=metadata.name=watched", "-o", "jsonpath={.data.step} "],
                                 stdout=subprocess.PIPE, text=True)
        seen = []
        reader = threading.Thread(target=lambda: seen.append(watch.stdout.read()))
        reader.start()
        try:
            self.server.kubectl("create", "configmap", "watched", "--from-literal=step=0")
            for step in range(1, 4):
                self.server.kubectl("patch", "configmap", "watched", "-p", json.dumps({"data": {"step": str(step)}}))
            self.server.kubectl("wait", "configmap/watched", "--for=jsonpath={.data.step}=3", "--timeout=30s")
        finally:
            watch.terminate()
            reader.join(timeout=30)
            watch.stdout.close()
            watch.wait(timeout=30)
        steps = seen[0].split()
        self.assertEqual(steps, sorted(steps))

    def test_namespaces_go_with_all_their_content(self):
        kubectl = self.server.kubectl
        kubectl("create", "namespace", "short")
        self.server.wait_for_object("serviceaccount", "default", "-n", "short")
        self.server.wait_for_object("configmap", "kube-root-ca.crt", "-n", "short")
        kubectl("-n", "short", "create", "configmap", "inside")
        kubectl("delete", "namespace", "short", "--timeout=60s")
        self.assertIsNone(self.server.object("namespace", "short"))
        refused = kubectl("delete", "namespace", "default", check=False)
        self.assertIn("this namespace may not be deleted", refused.stderr)

    def test_owners_and_dependents(self):
        kubectl = self.server.kubectl
        kubectl("create", "configmap", "owner")
        uid = self.server.object("configmap", "owner")["metadata"]["uid"]
        for name in ("child-a", "child-b"):
            kubectl("create", "-f", "-", stdin=json.dumps({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "ownerReferences": [
                    {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}]}}))
        kubectl("delete", "configmap", "owner")
        self.server.wait_until_gone("configmap", "child-a")
        self.server.wait_until_gone("configmap", "child-b")

    def test_services_get_addresses_and_ports_and_give_them_back(self):
        kubectl = self.server.kubectl
        kubectl("create", "service", "clusterip", "inner", "--tcp=80:8080", "--clusterip=10.43.7.7")
        taken = kubectl("create", "service", "clusterip", "second", "--tcp=80:8080", "--clusterip=10.43.7.7", check=False)
        self.assertIn("provided IP is already allocated", taken.stderr)
        kubectl("create", "service", "nodeport", "outer", "--tcp=80:8080", "--node-port=30123")
        outer = self.server.object("service", "outer")
        self.assertTrue(outer["spec"]["clusterIP"].startswith("10.43."))
        self.assertEqual(outer["spec"]["ports"][0]["nodePort"], 30123)
        kubectl("delete", "service", "inner", "outer")
        kubectl("create", "service", "clusterip", "second", "--tcp=80:8080", "--clusterip=10.43.7.7")
        kubectl("create", "service", "nodeport", "third", "--tcp=80:8080", "--node-port=30123")
        self.assertEqual(self.server.object("service", "kubernetes")["spec"]["clusterIP"], "10.43.0.1")


class CustomResources(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.kubectl("apply", "-f", "-", stdin=WIDGETS)
        cls.server.kubectl("wait", "crd/widgets.ex.io", "--for=condition=Established", "--timeout=30s")

    def widget(self, name, spec):
        return json.dumps({"apiVersion": "ex.io/v1", "kind": "Widget",
                           "metadata": {"name": name, "namespace": "default"}, "spec": spec})

    def test_defaults_columns_validation_and_pruning(self):
        kubectl = self.server.kubectl
        kubectl("apply", "-f", "-", stdin=self.widget("plain", {}))
        self.assertEqual(self.server.object("widget", "plain")["spec"], {"size": "small"})
        self.assertRegex(kubectl("get", "wd", "plain"), r"NAME +SIZE\nplain +small\n")
        bad = kubectl("create", "-f", "-", stdin=self.widget("bad", {"size": "huge", "replicas": -1}), check=False)
        self.assertIn('spec.size: Unsupported value: "huge"', bad.stderr)
        self.assertIn("spec.replicas: Invalid value: -1", bad.stderr)
        unknown = kubectl("create", "--validate=false", "-f", "-", stdin=self.widget("pruned", {"colour": "red"}))
        self.assertIn("created", unknown)
        self.assertNotIn("colour", self.server.object("widget", "pruned")["spec"])

    def test_status_scale_generation_and_explain(self):
        kubectl = self.server.kubectl
        kubectl("apply", "-f", "-", stdin=self.widget("scaled", {"replicas": 1}))
        kubectl("scale", "widget", "scaled", "--replicas=3")
        kubectl("patch", "widget", "scaled", "--type=merge", "-p", '{"status":{"replicas":9}}')
        found = self.server.object("widget", "scaled")
        self.assertEqual(found["spec"]["replicas"], 3)
        self.assertNotIn("status", found)
        self.assertEqual(found["metadata"]["generation"], 2)
        self.assertIn("size", kubectl("explain", "widget.spec"))

    def test_a_deleted_definition_takes_its_objects_along(self):
        kubectl = self.server.kubectl
        kubectl("apply", "-f", "-", stdin=WIDGETS.replace("widgets.ex.io", "gadgets.ex.io").replace(
            "Widget", "Gadget").replace("widgets", "gadgets").replace("widget", "gadget").replace("wd", "gd"))
        kubectl("wait", "crd/gadgets.ex.io", "--for=condition=Established", "--timeout=30s")
        kubectl("create", "-f", "-", stdin=self.widget("gone", {}).replace("Widget", "Gadget"))
        kubectl("delete", "crd", "gadgets.ex.io", "--timeout=60s")
        self.assertNotIn("gadgets", kubectl("api-resources"))


if __name__ == "__main__":
    unittest.main()
