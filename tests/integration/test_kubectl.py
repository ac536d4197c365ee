"""What people type: every common kubectl command against built-in kinds and custom resources."""
import json
import os
import subprocess
import threading
import unittest

from cluster import ServerTestCase, client_minor, needs_client

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
    def test_create_get_describe_patch_and_delete(self):
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

    def test_edit_changes_what_the_editor_changed(self):
        kubectl, edit = self.server.kubectl, self.server.edit
        kubectl("create", "configmap", "text", "--from-literal=a=before")
        self.assertIn("edited", edit("s/a: before/a: after/", "configmap", "text"))
        self.assertEqual(self.server.object("configmap", "text")["data"], {"a": "after"})
        self.assertIn("no changes made", edit("", "configmap", "text", check=False).stderr)
        kubectl("create", "-f", "-", stdin=DEPLOYMENT % "edited")
        self.assertIn("edited", edit("s/replicas: 2/replicas: 3/; s/nginx:1.27/nginx:1.28/", "deployment", "edited"))
        spec = self.server.object("deployment", "edited")["spec"]
        self.assertEqual(spec["replicas"], 3)
        self.assertEqual(spec["template"]["spec"]["containers"][0]["image"], "nginx:1.28")
        kubectl("expose", "deployment", "edited", "--port=80")
        self.assertIn("edited", edit("s/port: 80$/port: 81/", "service", "edited"))
        self.assertEqual(self.server.object("service", "edited")["spec"]["ports"][0]["port"], 81)

    def test_a_wrong_edit_is_refused_and_can_be_mended(self):
        kubectl, edit = self.server.kubectl, self.server.edit
        kubectl("create", "-f", "-", stdin=DEPLOYMENT % "mended")
        refused = edit("s/replicas: 2/replicas: -1/", "deployment", "mended", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn('deployments.apps "mended" is invalid', refused.stderr)
        self.assertEqual(self.server.object("deployment", "mended")["spec"]["replicas"], 2)
        # The editor opens again, with the reason on top; what it leaves then counts.
        again = edit("/must be greater than or equal to 0/,$ s/replicas: -1/replicas: 4/; s/replicas: 2/replicas: -1/",
                     "deployment", "mended")
        self.assertIn("edited", again)
        self.assertEqual(self.server.object("deployment", "mended")["spec"]["replicas"], 4)

    def test_everything_that_can_be_created_by_a_word_can_be_described(self):
        kubectl = self.server.kubectl
        kubectl("create", "namespace", "many")
        made = [
            ("deployment", "web", "--image=nginx"),
            ("service clusterip", "plain", "--tcp=80"),
            ("service externalname", "other", "--external-name=example.com"),
            ("role", "reader", "--verb=get", "--resource=pods"),
            ("rolebinding", "readers", "--role=reader", "--user=somebody"),
            ("quota", "few", "--hard=pods=3,configmaps=20"),
            ("ingress", "door", "--rule=example.com/*=plain:80"),
            ("job", "once", "--image=busybox", "--", "date"),
            ("secret generic", "word", "--from-literal=a=b"),
            ("secret docker-registry", "registry", "--docker-username=u", "--docker-password=p",
             "--docker-server=example.com"),
            ("priorityclass", "high", "--value=10"),
            ("serviceaccount", "robot"),
        ]
        if client_minor() >= 21:  # older ones create versions that are no longer served
            made += [("poddisruptionbudget", "careful", "--selector=app=web", "--min-available=1"),
                     ("cronjob", "often", "--image=busybox", "--schedule=*/5 * * * *", "--", "date")]
        for kind, name, *options in made:
            with self.subTest(kind=kind):
                self.assertIn("created", kubectl("-n", "many", "create", *kind.split(), name, *options))
                self.assertRegex(kubectl("-n", "many", "describe", kind.split()[0], name), rf"(?m)^Name: +{name}$")
        self.assertIn("autoscaled", kubectl("-n", "many", "autoscale", "deployment", "web", "--max=4"))
        self.assertIn("Max replicas", kubectl("-n", "many", "describe", "hpa", "web"))
        self.assertIn("few", kubectl("describe", "namespace", "many"))
        self.assertIn("etcd-0", kubectl("get", "componentstatuses"))
        kubectl("delete", "priorityclass", "high")

    def test_rollouts_and_scales(self):
        kubectl = self.server.kubectl
        kubectl("create", "-f", "-", stdin=DEPLOYMENT % "rolled")
        kubectl("set", "image", "deployment/rolled", "web=nginx:1.28")
        for word, past in (("restart", "restarted"), ("pause", "paused"), ("resume", "resumed")):
            self.assertIn(past, kubectl("rollout", word, "deployment", "rolled"))
        self.assertIn("No rollout history", kubectl("rollout", "history", "deployment", "rolled"))
        waiting = kubectl("rollout", "status", "deployment", "rolled", "--timeout=1s", check=False)
        self.assertEqual(waiting.returncode, 1)
        unexpected = kubectl("scale", "deployment", "rolled", "--current-replicas=9", "--replicas=1", check=False)
        self.assertIn("Expected replicas to be 9, was 2", unexpected.stderr)

    @needs_client(24)
    def test_subresources(self):
        kubectl = self.server.kubectl
        kubectl("create", "-f", "-", stdin=DEPLOYMENT % "parts")
        kubectl("patch", "deployment", "parts", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":6}}')
        self.assertRegex(kubectl("get", "deployment", "parts", "--subresource=scale"),
                         r"NAME +DESIRED +AVAILABLE +AGE\nparts +6 +0 ")
        kubectl("patch", "deployment", "parts", "--subresource=status", "--type=merge", "-p",
                '{"status":{"replicas":1},"spec":{"replicas":0}}')
        found = self.server.object("deployment", "parts")
        self.assertEqual((found["spec"]["replicas"], found["status"]["replicas"]), (6, 1))

    def test_apply_prunes_what_is_no_longer_named(self):
        kubectl = self.server.kubectl
        part = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: part-%d, labels: {whole: parts}}\n"
        allow = "--prune-allowlist" if client_minor() >= 26 else "--prune-whitelist"
        prune = ("apply", "--prune", "-l", "whole=parts", f"{allow}=core/v1/ConfigMap", "-f", "-")
        kubectl(*prune, stdin=part % 1 + "---\n" + part % 2)
        self.assertIn("configmap/part-2 pruned", kubectl(*prune, stdin=part % 1))
        self.assertIsNone(self.server.object("configmap", "part-2"))
        self.assertIsNotNone(self.server.object("configmap", "part-1"))

    def test_what_needs_a_node_says_so(self):
        kubectl = self.server.kubectl
        kubectl("run", "lonely", "--image=nginx")
        for command in (("logs", "lonely"), ("exec", "lonely", "--", "date"), ("attach", "lonely"),
                        ("cp", "lonely:/etc/hostname", os.path.join(self.server.folder, "copy"))):
            with self.subTest(command=command[0]):
                refused = kubectl(*command, check=False)
                self.assertEqual(refused.returncode, 1)
                self.assertIn("no node agent is connected", refused.stderr)

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
        self.assertRegex(wrong.stderr, 'unknown field "(spec\\.)?replica"')
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
        self.assertIn("*.*", kubectl("auth", "can-i", "--list"))
        self.assertIn("configmaps", kubectl("auth", "can-i", "--list", account))

    @needs_client(28)
    def test_tokens_and_whoami(self):
        kubectl = self.server.kubectl
        whoami = json.loads(kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]
        self.assertEqual(whoami["username"], "system:admin")
        kubectl("create", "serviceaccount", "caller")
        kubectl("create", "role", "called", "--verb=list", "--resource=configmaps")
        kubectl("create", "rolebinding", "called", "--role=called", "--serviceaccount=default:caller")
        token = kubectl("create", "token", "caller", "--duration=10m").strip()
        bearer = {"Authorization": f"Bearer {token}"}
        self.assertEqual(self.server.get("/api/v1/namespaces/default/configmaps", bearer)[0], 200)
        self.assertEqual(self.server.get("/api/v1/namespaces/default/secrets", bearer)[0], 403)

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
            self.server.wait_for_object("configmap", "watched", condition=lambda found: found["data"]["step"] == "3")
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
        self.assertIn("size\t<string>", kubectl("explain", "widget", "--recursive"))

    def test_edit(self):
        self.server.kubectl("create", "-f", "-", stdin=self.widget("edited", {"replicas": 1}))
        self.assertIn("edited", self.server.edit("s/size: small/size: large/", "widget", "edited"))
        self.assertEqual(self.server.object("widget", "edited")["spec"], {"size": "large", "replicas": 1})
        refused = self.server.edit("s/size: large/size: huge/", "widget", "edited", check=False)
        self.assertIn('widgets.ex.io "edited" is invalid', refused.stderr)
        self.assertEqual(self.server.object("widget", "edited")["spec"]["size"], "large")

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
