"""The manifests folder against kubectl: apply, change, prune, skip, disable, bad files."""
import base64
import gzip
import json
import os
import random
import string
import tempfile
import unittest

from cluster import Server, ServerTestCase

CONFIG_MAP = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: {namespace}}}
data: {{value: "{value}"}}
"""


def config_map(name, value="1", namespace="default"):
    return CONFIG_MAP.format(name=name, value=value, namespace=namespace)


class ManifestsFolder(ServerTestCase):
    def test_a_dropped_file_is_applied_changed_and_pruned(self):
        server = self.server
        server.drop("life.yaml", config_map("life-a") + "---" + config_map("life-b"))
        found = server.wait_for_object("configmap", "life-a")
        self.assertEqual(found["metadata"]["annotations"]["objectset.rio.cattle.io/owner-name"], "life")
        self.assertRegex(found["metadata"]["labels"]["objectset.rio.cattle.io/hash"], "^[0-9a-f]{40}$")
        server.drop("life.yaml", config_map("life-a", "2"))
        server.wait_for_object("configmap", "life-a", condition=lambda c: c["data"]["value"] == "2")
        server.wait_until_gone("configmap", "life-b")
        addon = server.wait_for_object("addon", "life", "-n", "kube-system",
                                       condition=lambda a: len(a["spec"].get("checksum", "")) == 64)
        self.assertEqual(addon["metadata"]["annotations"]["addon.k3s.cattle.io/gvks"], "/v1, Kind=ConfigMap")
        server.drop("life.yaml", "# nothing left\n")
        server.wait_until_gone("configmap", "life-a")

    def test_a_file_that_is_written_anew_keeps_its_objects_meanwhile(self):
        """What is behind `helm template … > anew.yaml`, while another file comes."""
        text = config_map("anew-writer", "one")
        path = self.server.drop("anew.yaml", text)
        uid = self.server.wait_for_object("configmap", "anew-writer")["metadata"]["uid"]
        with open(path, "w", encoding="utf-8") as writer:
            self.server.drop("brief.yaml", config_map("brief-writer", "one"))
            self.server.wait_for_object("configmap", "brief-writer")
            self.server.wait_for_object("addon", "brief", "-n", "kube-system",
                                        condition=lambda addon: addon["spec"].get("checksum"))
            self.assertEqual(self.server.object("configmap", "anew-writer")["metadata"]["uid"], uid)
            writer.write(config_map("anew-writer", "two"))
        changed = self.server.wait_for_object("configmap", "anew-writer",
                                              condition=lambda found: found["data"]["value"] == "two")
        self.assertEqual(changed["metadata"]["uid"], uid)

    def test_a_deleted_file_leaves_its_objects(self):
        path = self.server.drop("stays.yaml", config_map("stays"))
        self.server.wait_for_object("configmap", "stays")
        os.remove(path)
        self.server.drop("after-stays.yaml", config_map("after-stays"))
        self.server.wait_for_object("configmap", "after-stays")
        self.assertIsNotNone(self.server.object("configmap", "stays"))

    def test_a_definition_and_its_object_in_one_file(self):
        with open("examples/manifests/boats.yaml", encoding="utf-8") as file:
            self.server.drop("boats.yaml", file.read())
        boat = self.server.wait_for_object("boats.example.com", "teifi")
        self.assertEqual(boat["spec"], {"material": "willow", "seats": 1})

    def test_what_a_file_needs_may_come_later_in_it(self):
        with open("examples/manifests/boats.yaml", encoding="utf-8") as file:
            boats = file.read().replace("Boat", "Raft").replace("boat", "raft").replace("[bt]", "[rt]")
        definition, _, raft = boats.partition("\n---\n")
        namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: afloat}\n"
        self.server.drop("order.yaml", "---\n".join([raft + "\n", config_map("early", namespace="afloat"), namespace,
                                                     definition + "\n"]))
        self.server.wait_for_object("rafts.example.com", "teifi")
        self.server.wait_for_object("configmap", "early", "-n", "afloat")

    def test_an_object_that_fails_does_not_hold_up_the_rest(self):
        self.server.drop("partly.yaml", "---".join([config_map("partly-a"), config_map("Not_A_Name"),
                                                    config_map("partly-z")]))
        self.server.wait_for_object("configmap", "partly-z")
        self.assertIsNotNone(self.server.object("configmap", "partly-a"))
        events = self.server.wait_for_object(
            "events", "-n", "kube-system", "--field-selector", "reason=ApplyManifestFailed",
            condition=lambda found: any("partly.yaml" in event["message"] for event in found["items"]))["items"]
        self.assertTrue(any("Not_A_Name" in event["message"] for event in events))

    def test_a_bad_document_fails_its_file_and_no_other(self):
        self.server.drop("bad.yaml", config_map("bad-first") + "---\nkind: ConfigMap\nmetadata: {name: x}\n")
        self.server.drop("good.yaml", config_map("good"))
        self.server.wait_for_object("configmap", "good")
        event = self.server.wait_for_object(
            "events", "-n", "kube-system", "--field-selector", "reason=ParseManifestFailed",
            condition=lambda events: events["items"])["items"][0]
        self.assertEqual(event["type"], "Warning")
        self.assertEqual(event["source"]["component"], "deploy")
        self.assertIn("document 2", event["message"])
        self.assertIn("apiVersion", event["message"])
        self.assertIn("bad.yaml", self.server.log())
        self.assertIsNone(self.server.object("configmap", "bad-first"))

    def test_skip_hides_a_file(self):
        self.server.drop("hidden.yaml.skip", "")
        self.server.drop("hidden.yaml", config_map("hidden"))
        self.server.drop("seen.yaml", config_map("seen"))
        self.server.wait_for_object("configmap", "seen")
        self.assertIsNone(self.server.object("configmap", "hidden"))

    def test_a_file_that_comes_back_is_looked_at_again(self):
        path = self.server.drop("returning.yaml", config_map("returning"))
        self.server.wait_for_object("addon", "returning", "-n", "kube-system",
                                    condition=lambda a: a["spec"].get("checksum"))
        aside = os.path.join(self.server.folder, "returning.yaml")
        os.rename(path, aside)
        self.server.drop("meanwhile.yaml", config_map("meanwhile"))
        self.server.wait_for_object("configmap", "meanwhile")
        self.server.kubectl("delete", "addon", "-n", "kube-system", "returning")
        self.server.kubectl("delete", "configmap", "returning")
        os.rename(aside, path)
        self.server.wait_for_object("configmap", "returning")

    def test_hand_made_fields_survive_what_the_file_does_not_name(self):
        self.server.drop("shared.yaml", config_map("shared"))
        self.server.wait_for_object("configmap", "shared")
        self.server.kubectl("label", "configmap", "shared", "by=hand")
        self.server.drop("shared.yaml", config_map("shared", "2"))
        found = self.server.wait_for_object("configmap", "shared", condition=lambda c: c["data"]["value"] == "2")
        self.assertEqual(found["metadata"]["labels"]["by"], "hand")

    def test_a_large_object_is_applied_and_loses_what_leaves_the_file(self):
        noise = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=333_000))
        text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large}\ndata:\n"
        self.server.drop("large.yaml", text + f"  keep: {noise}\n  leaves: {noise[:100]}\n")
        found = self.server.wait_for_object("configmap", "large")
        self.assertNotRegex(found["metadata"]["annotations"]["objectset.rio.cattle.io/applied"], "=$")
        self.server.kubectl("patch", "configmap", "large", "-p", '{"data": {"theirs": "x"}}')
        self.server.drop("large.yaml", text + f"  keep: {noise[:-1]}\n")
        found = self.server.wait_for_object("configmap", "large", condition=lambda c: "leaves" not in c["data"])
        self.assertEqual(found["data"], {"keep": noise[:-1], "theirs": "x"})

    def test_the_last_of_two_objects_with_one_name_counts(self):
        self.server.drop("twice.yaml", config_map("twice", "first") + "---" + config_map("twice", "last"))
        self.assertEqual(self.server.wait_for_object("configmap", "twice")["data"]["value"], "last")

    def test_objects_that_cannot_go_do_not_hold_up_other_files(self):
        secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: %s, finalizers: [example.com/held]}\ntype: %s\n"
        names = ["stuck-a", "stuck-b"]
        uids = {}
        for name in names:
            self.server.drop(name + ".yaml", secret % (name, "Opaque"))
            uids[name] = self.server.wait_for_object("secret", name)["metadata"]["uid"]
        for name in names:
            self.server.drop(name + ".yaml", secret % (name, "example.com/other"))
        for name in names:
            self.server.wait_for_object("secret", name,
                                        condition=lambda found: found["metadata"].get("deletionTimestamp"))
        self.server.drop("unstuck.yaml", config_map("unstuck"))
        self.server.wait_for_object("configmap", "unstuck")
        for name in names:
            self.assertEqual(self.server.object("secret", name)["metadata"]["uid"], uids[name])
            self.server.kubectl("patch", "secret", name, "-p", '{"metadata": {"finalizers": null}}')
        for name in names:
            made = self.server.wait_for_object("secret", name, condition=lambda found, uid=uids[name]:
                                               found["metadata"]["uid"] != uid)
            self.assertEqual(made["type"], "example.com/other")

    def test_a_record_of_what_was_applied_in_the_file_is_not_recorded(self):
        annotation = "objectset.rio.cattle.io/applied"
        metadata = "metadata: {name: exported, annotations: {%s: old}}\n" % annotation
        self.server.drop("exported.yaml", "apiVersion: v1\nkind: ConfigMap\n" + metadata)
        found = self.server.wait_for_object("configmap", "exported")["metadata"]["annotations"][annotation]
        recorded = json.loads(gzip.decompress(base64.b64decode(found + "=" * (-len(found) % 4))))
        self.assertNotIn(annotation, recorded["metadata"]["annotations"])

    def test_ports_with_one_number_keep_their_protocols(self):
        text = """apiVersion: v1
kind: Service
metadata: {name: dns}
spec:
  selector: {app: %s}
  ports: [{name: dns, port: 53, protocol: UDP}, {name: dns-tcp, port: 53, protocol: %s}]
"""
        self.server.drop("dns.yaml", text % ("one", "TCP"))
        self.server.wait_for_object("service", "dns")
        self.server.drop("dns.yaml", text % ("two", "TCP"))
        self.server.wait_for_object("service", "dns", condition=lambda dns: dns["spec"]["selector"] == {"app": "two"})
        self.server.drop("dns.yaml", text % ("three", "SCTP"))
        ports = self.server.wait_for_object(
            "service", "dns", condition=lambda dns: dns["spec"]["selector"] == {"app": "three"})["spec"]["ports"]
        self.assertEqual([(port["name"], port["port"], port["protocol"]) for port in ports],
                         [("dns", 53, "UDP"), ("dns-tcp", 53, "SCTP")])

    def test_another_version_of_a_kind_keeps_the_object(self):
        target = "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, maxReplicas: 3"
        scaler = "apiVersion: autoscaling/v%d\nkind: HorizontalPodAutoscaler\nmetadata: {name: scaler}\nspec: {%s}\n"
        self.server.drop("scaler.yaml", scaler % (1, target))
        uid = self.server.wait_for_object("hpa", "scaler")["metadata"]["uid"]
        self.server.wait_for_object("addon", "scaler", "-n", "kube-system",
                                    condition=lambda addon: addon["spec"].get("checksum"))
        self.server.drop("scaler.yaml", scaler % (2, target))
        self.server.wait_for_object(
            "addon", "scaler", "-n", "kube-system", condition=lambda addon:
            addon["metadata"]["annotations"]["addon.k3s.cattle.io/gvks"].startswith("autoscaling/v2,"))
        self.assertEqual(self.server.object("hpa", "scaler")["metadata"]["uid"], uid)


class Links(unittest.TestCase):
    def test_changes_behind_a_link_are_seen(self):
        # A server of its own: a file that fails makes it look again, too.
        server = Server()
        self.addCleanup(server.close)
        server.start()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        linked = os.path.join(directory.name, "behind.yaml")
        with open(linked, "w", encoding="utf-8") as file:
            file.write(config_map("behind", "one"))
        link = os.path.join(server.manifests, "linked")
        os.symlink(directory.name, link)
        self.addCleanup(os.remove, link)
        server.wait_for_object("configmap", "behind")
        with open(linked, "w", encoding="utf-8") as file:
            file.write(config_map("behind", "changed"))
        server.wait_for_object("configmap", "behind", condition=lambda found: found["data"]["value"] == "changed")


class Disable(unittest.TestCase):
    def wait_until_applied(self, server, name):
        server.wait_for_object("addon", name, "-n", "kube-system", condition=lambda a: a["spec"].get("checksum"))

    def restart_disabling(self, server, name, addons):
        """Until these add-ons, each with a config map of its name, are gone."""
        server.stop()
        server.settings = ["--disable", name]
        server.start()
        for addon in addons:
            server.wait_until_gone("configmap", addon)
            server.wait_until_gone("addon", addon, "-n", "kube-system")

    def test_a_disabled_addon_is_pruned_and_its_file_removed(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        path = server.drop("extra.yaml", config_map("extra"))
        server.wait_for_object("configmap", "extra")
        self.wait_until_applied(server, "extra")
        self.restart_disabling(server, "extra", ["extra"])
        self.assertFalse(os.path.exists(path))

    def test_a_disabled_directory_goes_with_all_its_files_and_objects(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        paths = [server.drop("plant/tree.yaml", config_map("tree")),
                 server.drop("plant/deep/leaf.yaml", config_map("leaf")),
                 server.drop("plant/readme.txt", "x"), server.drop("plant/deep/.note", "x")]
        nested = server.drop("garden/plant/stays.yaml", config_map("stays"))
        for name in ("tree", "leaf", "stays"):
            self.wait_until_applied(server, name)
        server.kubectl("delete", "addon", "-n", "kube-system", "tree")
        self.restart_disabling(server, "plant", ["tree", "leaf"])
        self.assertEqual([path for path in paths if os.path.exists(path)], [])
        self.assertTrue(os.path.exists(nested))
        self.assertIsNotNone(server.object("configmap", "stays"))

    def test_what_is_disabled_goes_even_if_it_is_marked_to_be_skipped(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        path = server.drop("marked.yaml", config_map("marked"))
        self.wait_until_applied(server, "marked")
        server.drop("marked.yaml.skip", "")
        self.restart_disabling(server, "marked", ["marked"])
        self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    unittest.main()
