"""HelmCharts: install, upgrade, override, remove, repositories, failures, and Helm itself on the records."""
import base64
import functools
import http.server
import json
import os
import socket
import subprocess
import threading
import unittest

from admin import Admin
from charts import CHART_FOLDER, packed_chart
from cluster import WAIT_TIMEOUT, ServerTestCase, find_program, wait_for
from test_git import https_server

def hook(name, events, extra=""):
    return f"""
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  annotations: {{helm.sh/hook: "{events}"{extra}}}
"""


class HelmChartTestCase(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.wait_for_definitions("helmcharts.helm.cattle.io", "helmchartconfigs.helm.cattle.io")

    def apply_text(self, text):
        # The server validates; older programs would ask for its whole documentation first.
        self.server.kubectl("apply", "--validate=false", "-f", "-", stdin=text)

    def apply(self, name, spec, namespace="default", kind="HelmChart", annotations=None):
        self.apply_text(json.dumps({
            "apiVersion": "helm.cattle.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace, "annotations": annotations or {}}, "spec": spec}))

    def content(self, changes=None):
        return base64.b64encode(packed_chart(changes)).decode()

    def wait_for_failed(self, name, status, text=""):
        def reached(chart):
            conditions = {c["type"]: c for c in chart.get("status", {}).get("conditions", [])}
            failed = conditions.get("Failed", {})
            return failed.get("status") == status and text in failed.get("message", "")

        return self.server.wait_for_object("helmchart", name, condition=reached)

    def records(self, name, namespace="default", kind="secret"):
        """(revision, status) of the release's records."""
        found = self.server.object(kind, "-n", namespace, "-l", f"owner=helm,name={name}")["items"]
        return sorted((int(r["metadata"]["labels"]["version"]), r["metadata"]["labels"]["status"]) for r in found)

    def moorings(self, name, count, namespace="default"):
        return self.server.wait_for_object("configmap", f"{name}-moorings", "-n", namespace,
                                           condition=lambda c: c["data"]["count"] == str(count))


class HelmCharts(HelmChartTestCase):
    def test_a_chart_is_installed_upgraded_overridden_and_removed(self):
        server = self.server
        self.apply("harbour", {"chartContent": self.content(), "jobImage": "unused"})
        found = self.moorings("harbour", 3)
        self.assertEqual(found["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm")
        self.assertEqual(found["metadata"]["annotations"]["meta.helm.sh/release-name"], "harbour")
        chart = self.wait_for_failed("harbour", "False", "revision 1")
        created = [c for c in chart["status"]["conditions"] if c["type"] == "JobCreated"][0]
        self.assertEqual((created["status"], created["reason"]), ("True", "InProcess"))
        self.assertIn("jobImage", created["message"])
        self.assertEqual(chart["metadata"]["finalizers"], ["wrangler.cattle.io/on-helm-chart-remove"])
        self.assertEqual(chart["metadata"]["annotations"]["helmcharts.cattle.io/managed-by"], "helm-controller")
        record = server.object("secret", "sh.helm.release.v1.harbour.v1")
        self.assertEqual(record["type"], "helm.sh/release.v1")
        self.assertEqual(len(record["metadata"]["labels"]["helmcharts.helm.cattle.io/configHash"]), 63)

        self.apply("harbour", {"chartContent": self.content(), "valuesContent": "moorings: 5"})
        found = self.moorings("harbour", 5)
        self.assertIn("mooring-4", found["data"])
        self.wait_for_failed("harbour", "False", "revision 2")
        self.assertEqual(self.records("harbour"), [(1, "superseded"), (2, "deployed")])

        self.apply("harbour", {"valuesContent": "moorings: 2"}, kind="HelmChartConfig")
        found = self.moorings("harbour", 2)
        self.assertNotIn("mooring-4", found["data"])
        self.wait_for_failed("harbour", "False", "revision 3")
        self.apply("harbour", {"chartContent": self.content(), "set": {"moorings": 1}, "valuesContent": "moorings: 5"})
        self.moorings("harbour", 1)

        server.kubectl("delete", "helmchartconfig", "harbour")
        server.kubectl("delete", "helmchart", "harbour")
        self.assertIsNone(server.object("configmap", "harbour-moorings"))
        self.assertEqual(self.records("harbour"), [])

    def test_the_same_chart_and_values_make_no_new_revision(self):
        self.apply("calm", {"chartContent": self.content(), "values": {"moorings": 4}})
        self.wait_for_failed("calm", "False", "revision 1")
        self.apply("calm", {"chartContent": self.content(), "valuesContent": "moorings: 4", "timeout": "60s"})
        self.apply("calm-after", {"chartContent": self.content()})
        self.wait_for_failed("calm-after", "False", "revision 1")
        self.assertEqual(self.records("calm"), [(1, "deployed")])

    def test_what_leaves_the_chart_is_deleted_unless_it_is_kept(self):
        extra = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n  annotations: {{{}}}\n"
        both = {"templates/gone.yaml": extra.format("leaves", ""),
                "templates/kept.yaml": extra.format("stays", "helm.sh/resource-policy: keep")}
        self.apply("shrink", {"chartContent": self.content(both)})
        self.server.wait_for_object("configmap", "leaves")
        self.wait_for_failed("shrink", "False", "revision 1")
        self.apply("shrink", {"chartContent": self.content()})
        self.server.wait_until_gone("configmap", "leaves")
        self.wait_for_failed("shrink", "False", "revision 2")
        self.assertIsNotNone(self.server.object("configmap", "stays"))

    def test_values_come_from_secrets_and_follow_them(self):
        secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: tide}\nstringData: {values: 'moorings: %d'}\n"
        self.apply_text(secret % 6)
        self.apply("tidal", {"chartContent": self.content(), "valuesSecrets": [{"name": "tide", "keys": ["values"]}]})
        self.moorings("tidal", 6)
        self.apply_text(secret % 7)
        self.moorings("tidal", 7)

    def test_a_target_namespace_is_created_and_records_may_be_config_maps(self):
        self.apply("inland", {"chartContent": self.content(), "targetNamespace": "lake", "createNamespace": True,
                              "driver": "configmap", "serverSide": "false"})
        self.moorings("inland", 3, "lake")
        self.wait_for_failed("inland", "False", "revision 1")
        self.assertEqual(self.records("inland", "lake", "configmap"), [(1, "deployed")])
        self.server.kubectl("patch", "helmchart", "inland", "--type=merge", "-p",
                            json.dumps({"spec": {"valuesContent": "moorings: 1"}}))
        self.assertNotIn("mooring-2", self.moorings("inland", 1, "lake")["data"])
        self.wait_for_failed("inland", "False", "revision 2")
        self.server.kubectl("delete", "helmchart", "inland")
        self.assertIsNone(self.server.object("configmap", "inland-moorings", "-n", "lake"))

    def test_definitions_come_first_and_hooks_run_in_order(self):
        definition = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: buoys.example.com}
spec:
  group: example.com
  names: {kind: Buoy, listKind: BuoyList, plural: buoys, singular: buoy}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
        self.apply("marked", {"chartContent": self.content({
            "crds/buoy.yaml": definition,
            "templates/buoy.yaml": "{{ if not (.Capabilities.APIVersions.Has \"example.com/v1/Buoy\") }}\n"
                                   "{{ fail \"there are no buoys\" }}\n{{ end }}\n"
                                   "apiVersion: example.com/v1\nkind: Buoy\nmetadata: {name: red}\n",
            "templates/before.yaml": hook("ran-before", "pre-install"),
            "templates/after.yaml": hook("ran-after", "post-install",
                                         ", helm.sh/hook-delete-policy: hook-succeeded")})})
        self.server.wait_for_object("buoys.example.com", "red")
        self.wait_for_failed("marked", "False", "revision 1")
        self.assertIsNotNone(self.server.object("configmap", "ran-before"))
        self.assertIsNone(self.server.object("configmap", "ran-after"))

    def test_what_was_installed_at_a_version_that_is_not_served_any_more_goes(self):
        def definition(old_served):
            schema = {"openAPIV3Schema": {"type": "object"}}
            return json.dumps({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": {"name": "beacons.example.com"},
                "spec": {"group": "example.com", "scope": "Namespaced",
                         "names": {"kind": "Beacon", "plural": "beacons", "singular": "beacon"},
                         "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema},
                                      {"name": "v1alpha1", "served": old_served, "storage": False, "schema": schema}]}})

        self.apply_text(definition(True))
        self.server.wait_for_definitions("beacons.example.com")
        beacon = "apiVersion: example.com/v1alpha1\nkind: Beacon\nmetadata: {name: %s}"
        beacons = {f"templates/{name}.yaml": beacon % name for name in ("first", "second")}
        self.apply("lit", {"chartContent": self.content(beacons)})
        self.wait_for_failed("lit", "False", "revision 1")
        self.server.wait_for_object("beacons.v1.example.com", "first")
        self.apply_text(definition(False))
        self.server.wait_for_object("beacons.v1.example.com", "first")
        self.apply("lit", {"chartContent": self.content()})
        self.wait_for_failed("lit", "False", "revision 2")
        for name in ("first", "second"):
            self.assertIsNone(self.server.object("beacons.v1.example.com", name))

    def test_a_hook_job_that_never_ends_fails_the_release(self):
        job = """
apiVersion: batch/v1
kind: Job
metadata: {name: endless, annotations: {helm.sh/hook: pre-install}}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: c, image: none}]}
"""
        self.apply("stuck", {"chartContent": self.content({"templates/job.yaml": job}), "timeout": "1s"})
        self.wait_for_failed("stuck", "True", "pre-install hooks failed")
        self.server.kubectl("delete", "helmchart", "stuck")

    def test_a_broken_template_fails_with_its_text_and_changes_nothing(self):
        self.apply("broken", {"chartContent": self.content()})
        self.moorings("broken", 3)
        bad = {"templates/bad.yaml": "{{ fail \"the harbour is closed\" }}"}
        self.apply("broken", {"chartContent": self.content(bad)})
        self.wait_for_failed("broken", "True", "execution error at (quay/templates/bad.yaml")
        self.wait_for_failed("broken", "True", "the harbour is closed")
        self.assertEqual(self.records("broken"), [(1, "deployed")])
        self.moorings("broken", 3)
        events = self.server.object("events", "--field-selector", "reason=JobFailed,involvedObject.name=broken")
        self.assertIn("the harbour is closed", events["items"][0]["message"])
        self.apply("broken", {"chartContent": self.content(), "valuesContent": "moorings: 8"})
        self.moorings("broken", 8)
        self.wait_for_failed("broken", "False")

    def test_a_refused_object_is_recorded_and_the_next_attempt_mends_it(self):
        bad = {"templates/zz.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: refused, namespace: nowhere}"}
        self.apply("partly", {"chartContent": self.content(bad), "failurePolicy": "abort"})
        self.wait_for_failed("partly", "True", "refused")
        self.assertEqual(self.records("partly"), [(1, "failed")])
        self.apply("partly", {"chartContent": self.content(), "failurePolicy": "abort"})
        self.wait_for_failed("partly", "False", "revision 2")
        self.assertEqual(self.records("partly"), [(1, "failed"), (2, "deployed")])

    def test_objects_of_others_are_not_taken_unless_asked(self):
        self.server.kubectl("create", "configmap", "theirs-moorings")
        self.apply("theirs", {"chartContent": self.content()})
        self.wait_for_failed("theirs", "True",
                             "cannot be imported into the current release: invalid ownership metadata")
        self.apply("theirs", {"chartContent": self.content(), "takeOwnership": True})
        self.moorings("theirs", 3)

    def test_fields_of_others_are_not_taken_unless_forced(self):
        self.apply("shared", {"chartContent": self.content()})
        self.moorings("shared", 3)
        by_hand = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared-moorings"},
                   "data": {"count": "0"}}
        self.server.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=hand", "--validate=false",
                            "-f", "-", stdin=json.dumps(by_hand))
        self.apply("shared", {"chartContent": self.content(), "valuesContent": "moorings: 4"})
        self.wait_for_failed("shared", "True", "conflict with \"hand\"")
        self.apply("shared", {"chartContent": self.content(), "valuesContent": "moorings: 4", "forceConflicts": True})
        self.moorings("shared", 4)
        self.wait_for_failed("shared", "False")

    def test_a_failed_release_is_reinstalled_when_the_policy_says_so(self):
        bad = {"templates/zz.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: again, namespace: later}"}
        self.apply("again", {"chartContent": self.content(bad), "failurePolicy": "reinstall"})
        self.wait_for_failed("again", "True", "later")
        # Every attempt uninstalls what the one before has left.
        wait_for(lambda: self.records("again") == [(1, "failed")], WAIT_TIMEOUT, "the record of a failed attempt")
        self.server.kubectl("create", "namespace", "later")
        self.wait_for_failed("again", "False", "revision 1")
        self.assertEqual(self.records("again"), [(1, "deployed")])

    def test_unsupported_sources_and_versions_say_so(self):
        self.apply("remote", {"chart": "oci://registry.example.com/charts/web"})
        self.wait_for_failed("remote", "True", "oci://registry.example.com/charts/web")
        self.apply("local", {"chart": "file:///etc/hostname"})
        self.wait_for_failed("local", "True", "expected a URL with http:// or https://")
        self.apply("ancient", {"chart": "web", "repo": "https://charts.example.com", "helmVersion": "v2"})
        self.wait_for_failed("ancient", "True", "helmVersion")
        self.server.wait_for_object("events", "--field-selector", "reason=UnsupportedVersion",
                                    condition=lambda events: events["items"])

    def test_unmanaged_charts_are_left_alone_and_can_be_deleted(self):
        self.apply("hands-off", {"chartContent": self.content()},
                   annotations={"helmcharts.helm.cattle.io/unmanaged": "true"})
        self.apply("hands-on", {"chartContent": self.content()})
        self.moorings("hands-on", 3)
        self.assertIsNone(self.server.object("configmap", "hands-off-moorings"))
        self.server.kubectl("delete", "helmchart", "hands-off")

    def test_a_namespace_can_be_deleted_with_its_charts(self):
        self.server.kubectl("create", "namespace", "brief")
        self.apply("short", {"chartContent": self.content()}, namespace="brief")
        self.moorings("short", 3, "brief")
        self.server.kubectl("delete", "namespace", "brief", "--timeout=60s")
        self.assertIsNone(self.server.object("namespace", "brief"))


class TakingOver(HelmChartTestCase):
    def test_what_k3s_kept_for_its_jobs_goes(self):
        server = self.server
        server.kubectl("create", "serviceaccount", "helm-former")
        server.kubectl("create", "clusterrolebinding", "helm-default-former", "--clusterrole=cluster-admin",
                       "--serviceaccount=default:helm-former")
        self.apply("former", {"chart": "oci://registry.example.com/charts/web"})
        self.wait_for_failed("former", "True")
        admin = Admin(server)
        self.addCleanup(admin.close)
        code, answer = admin.call(
            "PATCH", "/apis/helm.cattle.io/v1/namespaces/default/helmcharts/former/status",
            json.dumps({"status": {"jobName": "helm-install-former"}}), "application/merge-patch+json")
        self.assertEqual(code, 200, answer)
        self.apply("former", {"chartContent": self.content()})
        self.moorings("former", 3)
        server.wait_until_gone("clusterrolebinding", "helm-default-former")
        server.wait_until_gone("serviceaccount", "helm-former")
        server.wait_for_object("helmchart", "former", condition=lambda c: not c["status"].get("jobName"))

    def test_a_chart_waits_for_the_definitions_of_another(self):
        self.apply("sailing", {"chartContent": self.content({
            "templates/boat.yaml": "apiVersion: example.com/v1\nkind: Boat\nmetadata: {name: towy}\n"
                                   "spec: {material: willow, seats: 1}\n---\napiVersion: example.com/v1\n"
                                   "kind: Boat\nmetadata: {name: foy}\nspec: {material: ash, seats: 2}\n"})})
        missing = 'resource mapping not found for name: "%s" namespace: "" from "": ' \
                  'no matches for kind "Boat" in version "example.com/v1"\nensure CRDs are installed first'
        self.wait_for_failed("sailing", "True", f"[{missing % 'towy'}, {missing % 'foy'}]")
        with open("examples/manifests/boats.yaml", encoding="utf-8") as file:
            self.server.drop("boats.yaml", file.read())
        self.server.wait_for_object("boats.example.com", "towy")
        self.server.wait_for_object("boats.example.com", "foy")
        self.wait_for_failed("sailing", "False")


class Repository(http.server.SimpleHTTPRequestHandler):
    """A repository that wants a password."""
    files = {}

    def do_GET(self):
        wanted = "Basic " + base64.b64encode(b"sailor:knots").decode()
        data = self.files.get(self.path)
        status = 401 if self.headers.get("Authorization") != wanted else 404 if data is None else 200
        if "/moved/" in self.path:
            status = 302
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.path.replace("/moved/", "/"))
        self.send_header("Content-Length", str(len(data) if status == 200 else 0))
        self.end_headers()
        if status == 200:
            self.wfile.write(data)

    def log_message(self, *arguments):
        pass


class RepositoryTestCase(HelmChartTestCase):
    def serve(self):
        index = "apiVersion: v1\nentries:\n  quay:\n"
        handler = type("Files", (Repository,), {"files": {}})
        for version in ("0.1.0", "0.2.0"):
            metadata = f"apiVersion: v2\nname: quay\nversion: {version}\n"
            handler.files[f"/charts/quay-{version}.tgz"] = packed_chart({"Chart.yaml": metadata})
            index += f"  - name: quay\n    version: {version}\n    urls: [moved/quay-{version}.tgz]\n"
        handler.files["/charts/index.yaml"] = index.encode()
        return f"http://{self.started(http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler))}/charts"

    def started(self, server):
        """Its address, until the test ends."""
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"127.0.0.1:{server.server_address[1]}"


class Repositories(RepositoryTestCase):
    def test_a_chart_comes_from_a_repository_with_a_password(self):
        spec = {"repo": self.serve(), "chart": "quay", "version": "^0.1.0", "authSecret": {"name": "login"}}
        self.apply("fetched", spec)
        self.wait_for_failed("fetched", "True", "spec.authSecret")
        self.server.kubectl("create", "secret", "generic", "login", "--type=kubernetes.io/basic-auth",
                            "--from-literal=username=sailor", "--from-literal=password=knots")
        self.moorings("fetched", 3)
        spec["version"] = "9.9.9"
        self.apply("fetched", spec)
        self.wait_for_failed("fetched", "True", "9.9.9")
        spec["version"] = "0.2.0"
        self.apply("fetched", spec)
        self.wait_for_failed("fetched", "False", "revision 2")

    def test_a_password_in_a_url_is_used_and_never_told(self):
        address = self.serve().removeprefix("http://")
        self.apply("by-url", {"repo": f"http://sailor:knots@{address}", "chart": "quay"})
        self.moorings("by-url", 3)
        for name, spec in (("bad-user", {"repo": f"http://sailor:blue-mussel@{address}", "chart": "quay"}),
                           ("bad-chart", {"chart": f"http://sailor:blue-mussel@{address}/quay-0.1.0.tgz"}),
                           ("bad-port", {"repo": "http://sailor:blue-mussel@127.0.0.1:port", "chart": "quay"}),
                           ("bad-oci", {"chart": f"oci://sailor:blue-mussel@{address}/quay"})):
            with self.subTest(name):
                self.apply(name, spec)
                failed = self.wait_for_failed(name, "True", "127.0.0.1")
                self.assertNotIn("blue-mussel", str(failed["status"]))
        wait_for(lambda: "bad-user" in self.server.kubectl("get", "events"), WAIT_TIMEOUT, "an event about bad-user")
        self.assertNotIn("blue-mussel", self.server.kubectl("get", "events", "-o", "yaml"))
        self.assertNotIn("blue-mussel", self.server.log())

    def test_a_password_does_not_follow_a_chart_out_of_encryption(self):
        asked = []

        class Plain(Repository):
            def do_GET(self):
                asked.append(self.headers.get("Authorization"))
                data = packed_chart()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        plain = self.started(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain))

        class Encrypted(Repository):
            def do_GET(self):
                known = self.headers.get("Authorization") is not None
                self.send_response(302 if known else 401)
                self.send_header("Location", f"http://{plain}/quay.tgz")
                self.send_header("Content-Length", "0")
                self.end_headers()

        server, certificate = https_server(self.server.folder, Encrypted)
        address = self.started(server)
        with open(certificate, encoding="utf-8") as file:
            self.apply("downgraded", {"chart": f"https://sailor:knots@{address}/quay.tgz", "repoCA": file.read(),
                                      "authPassCredentials": True})
        self.moorings("downgraded", 3)
        self.assertEqual(set(asked), {None})

    def test_a_chart_comes_from_the_servers_own_static_files(self):
        folder = os.path.join(self.server.data_dir, "server", "static", "charts")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "quay.tgz"), "wb") as file:
            file.write(packed_chart())
        self.apply("bundled", {"chart": "https://%{KUBERNETES_API}%/static/charts/quay.tgz"})
        self.moorings("bundled", 3)


    def test_a_record_that_would_be_too_large_is_kept_smaller(self):
        folder = os.path.join(self.server.data_dir, "server", "static", "charts")
        os.makedirs(folder, exist_ok=True)
        picture = base64.b64encode(os.urandom(1_500_000)).decode()
        with open(os.path.join(folder, "large.tgz"), "wb") as file:
            file.write(packed_chart({"picture.txt": picture}))
        self.apply("large", {"chart": "https://%{KUBERNETES_API}%/static/charts/large.tgz"})
        self.moorings("large", 3)
        self.wait_for_failed("large", "False", "revision 1")
        record = self.server.object("secret", "sh.helm.release.v1.large.v1")
        self.assertLess(len(record["data"]["release"]), 1024 * 1024)


LARGE_AT_ONCE = 4


class SilentServer:
    """Accepts connections, may send the beginning of an answer, and then says nothing more."""

    def __init__(self, beginning=b""):
        self.beginning = beginning
        self.connections = []
        self.taken = []  # those whose client has taken all of the beginning
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/charts"
        self.thread = threading.Thread(target=self.accept)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.begin, args=(connection,), daemon=True).start()

    def begin(self, connection):
        try:
            connection.sendall(self.beginning)
            self.taken.append(connection)
        except OSError:
            pass  # the client has left

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for connection in self.connections:
            connection.close()


class SlowRepositories(RepositoryTestCase):
    # More than the charts that may compute at once.
    COUNT = 6
    # Longer than any test waits.
    TIMEOUT = "10m"

    def silent_charts(self, name, beginning=b""):
        silent = SilentServer(beginning)
        self.addCleanup(silent.close)
        names = [f"{name}-{i}" for i in range(self.COUNT)]
        for chart in names:
            self.apply(chart, {"repo": silent.url, "chart": "quay", "timeout": self.TIMEOUT})
        wait_for(lambda: len(silent.connections) >= self.COUNT, WAIT_TIMEOUT, "every chart is asked for")
        return silent, names

    def delete_all(self, names):
        self.server.kubectl("delete", "helmchart", "--timeout=20s", *names)

    def test_a_repository_that_does_not_answer_holds_nobody_up(self):
        silent, names = self.silent_charts("mute")
        self.apply("beside-mute", {"chartContent": self.content()})
        self.moorings("beside-mute", 3)
        text = "fetching the chart from " + silent.url.split("/")[2]

        def says_so(chart):
            return any(c["type"] == "JobCreated" and text in c["message"]
                       for c in chart.get("status", {}).get("conditions", []))

        self.server.wait_for_object("helmchart", names[0], condition=says_so)
        self.server.wait_for_object("events", condition=lambda events: any(
            e["involvedObject"]["name"] == names[0] and text in e["message"] for e in events["items"]))
        self.assertIn(text, self.server.log())
        self.apply(names[1], {"repo": silent.url, "chart": "quay", "timeout": "1s"})
        self.wait_for_failed(names[1], "True", "has not come within 1s (spec.timeout)")
        self.apply(names[2], {"chartContent": self.content()})
        self.moorings(names[2], 3)
        self.delete_all(names)

    def test_few_large_indexes_are_kept_at_once_and_small_ones_go_past_them(self):
        # More than the buffers of two sockets hold.
        beginning = b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n" + b"# a comment\n" * 2_000_000
        silent, names = self.silent_charts("endless", beginning)
        wait_for(lambda: len(silent.taken) >= LARGE_AT_ONCE, WAIT_TIMEOUT, "as many as may be are taken")
        self.server.kubectl("create", "secret", "generic", "pass", "--type=kubernetes.io/basic-auth",
                            "--from-literal=username=sailor", "--from-literal=password=knots")
        self.apply("beside-endless", {"repo": self.serve(), "chart": "quay", "authSecret": {"name": "pass"}})
        self.moorings("beside-endless", 3)
        self.assertEqual(len(silent.taken), LARGE_AT_ONCE)
        silent.taken[0].shutdown(socket.SHUT_RDWR)
        wait_for(lambda: len(silent.taken) > LARGE_AT_ONCE, WAIT_TIMEOUT, "the next takes the place")
        self.delete_all(names)

    def test_a_server_ends_at_once_while_it_waits_for_repositories(self):
        _, names = self.silent_charts("leaving")
        self.server.stop()
        self.server.start()
        self.delete_all(names)


class Restart(HelmChartTestCase):
    def test_a_restart_changes_nothing_and_goes_on_after_a_crash(self):
        self.apply("steady", {"chartContent": self.content()})
        self.wait_for_failed("steady", "False", "revision 1")
        self.server.stop()
        self.server.start()
        self.apply("later", {"chartContent": self.content()})
        self.wait_for_failed("later", "False", "revision 1")
        self.assertEqual(self.records("steady"), [(1, "deployed")])
        # As a process leaves it that ended in the middle of an upgrade.
        self.server.kubectl("label", "--overwrite", "secret", "sh.helm.release.v1.steady.v1", "status=pending-upgrade")
        self.server.stop()
        self.server.start()
        self.wait_for_failed("steady", "False", "revision 2")
        self.assertEqual(self.records("steady"), [(1, "failed"), (2, "deployed")])


HELM = find_program("helm")


class Helm(HelmChartTestCase):
    """Helm's own command reads and changes what was installed."""

    @classmethod
    def setUpClass(cls):
        if HELM is None:
            print("skipped: no helm on the path")
            raise unittest.SkipTest("no helm on the path")
        super().setUpClass()

    def helm(self, *arguments):
        run = functools.partial(self.server.kubectl, program=HELM)
        return run(*arguments)

    def test_helm_reads_and_rolls_back_our_records(self):
        self.apply("quayside", {"chartContent": self.content()})
        self.wait_for_failed("quayside", "False", "revision 1")
        self.apply("quayside", {"chartContent": self.content(), "values": {"moorings": 5}})
        self.wait_for_failed("quayside", "False", "revision 2")
        listed = [r for r in json.loads(self.helm("list", "-A", "-o", "json")) if r["name"] == "quayside"][0]
        self.assertEqual((listed["revision"], listed["status"], listed["chart"]), ("2", "deployed", "quay-0.1.0"))
        history = json.loads(self.helm("history", "quayside", "-o", "json"))
        self.assertEqual([(h["revision"], h["status"], h["description"]) for h in history],
                         [(1, "superseded", "Install complete"), (2, "deployed", "Upgrade complete")])
        rendered = subprocess.run([HELM, "template", "quayside", CHART_FOLDER, "--set", "moorings=5"],
                                  capture_output=True, text=True, check=True).stdout
        self.assertEqual(self.helm("get", "manifest", "quayside").strip(), rendered.strip())
        self.assertEqual(json.loads(self.helm("get", "values", "quayside", "-o", "json")), {"moorings": 5})
        self.helm("rollback", "quayside", "1")
        self.moorings("quayside", 3)
        self.assertEqual(self.records("quayside"), [(1, "superseded"), (2, "superseded"), (3, "deployed")])
        # What Helm wrote is read, and the HelmChart counts again.
        self.apply("quayside", {"chartContent": self.content(), "values": {"moorings": 6}})
        self.moorings("quayside", 6)
        self.wait_for_failed("quayside", "False", "revision 4")
        self.server.kubectl("delete", "helmchart", "quayside")
        self.assertNotIn("quayside", self.helm("list", "-A", "-q"))


    def test_a_release_of_helm_is_taken_over(self):
        self.helm("install", "borrowed", CHART_FOLDER, "--set", "moorings=2")
        self.apply("borrowed", {"chartContent": self.content()})
        self.moorings("borrowed", 3)
        self.wait_for_failed("borrowed", "False", "revision 2")
        self.assertEqual(self.records("borrowed"), [(1, "superseded"), (2, "deployed")])


if __name__ == "__main__":
    unittest.main()
