"""GitRepository and Kustomization over file:// and HTTPS: clone, apply, prune, repair, errors in status."""
import base64
import http.server
import os
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from cluster import Server, ServerTestCase

HTTP_BACKEND = "/usr/lib/git-core/git-http-backend"


class Repository:
    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)

    def git(self, *arguments):
        return subprocess.run(["git", "-C", self.folder, "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
                              check=True, capture_output=True, text=True).stdout.strip()

    def write(self, path, text):
        full = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")


def config_map(name, value):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\ndata: {{value: '{value}'}}\n"


def source(name, url, **spec):
    lines = [f"  {key}: {value}" for key, value in spec.items()]
    return (f"apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: {name}, namespace: default}}\n"
            f"spec:\n  url: {url}\n  interval: 10m\n  ref: {{branch: main}}\n" + "\n".join(lines) + "\n")


def kustomization(name, source_name, **spec):
    settings = {"path": "./apps", "prune": "true", "interval": "10m", **spec}
    lines = [f"  {key}: {value}" for key, value in settings.items()]
    return (f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
            f"metadata: {{name: {name}, namespace: default}}\nspec:\n"
            f"  sourceRef: {{kind: GitRepository, name: {source_name}}}\n" + "\n".join(lines) + "\n")


def condition(found, kind="Ready"):
    for item in found.get("status", {}).get("conditions", []):
        if item["type"] == kind:
            return item
    return {"status": "", "reason": "", "message": ""}


class GitTestCase(ServerTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="coracle-git-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.settings = ("--gitops-local-root", cls.folder)
        super().setUpClass()
        cls.server.wait_for_definitions("gitrepositories.source.toolkit.fluxcd.io",
                                        "kustomizations.kustomize.toolkit.fluxcd.io")

    def repository(self, name):
        return Repository(os.path.join(self.folder, name))

    def apply(self, text):
        self.server.kubectl("apply", "-f", "-", stdin=text)

    def ask(self, kind, name):
        self.server.kubectl("annotate", kind, name, "--overwrite", f"reconcile.fluxcd.io/requestedAt={time.time_ns()}")


class LocalRepository(GitTestCase):
    def test_applied_followed_repaired_and_pruned(self):
        repository = self.repository("life")
        repository.write("apps/a.yaml", config_map("git-a", "1"))
        repository.write("apps/deep/b.yaml", config_map("git-b", "1"))
        commit = repository.commit()
        self.apply(source("life", f"file://{repository.folder}"))
        self.apply(kustomization("life", "life"))
        found = self.server.wait_for_object("kustomization", "life", condition=lambda k: condition(k)["status"] == "True")
        self.assertEqual(found["status"]["lastAppliedRevision"], f"main@sha1:{commit}")
        self.assertEqual({entry["id"] for entry in found["status"]["inventory"]["entries"]},
                         {"default_git-a__ConfigMap", "default_git-b__ConfigMap"})
        labels = self.server.object("configmap", "git-a")["metadata"]["labels"]
        self.assertEqual(labels["kustomize.toolkit.fluxcd.io/name"], "life")

        self.server.kubectl("patch", "configmap", "git-a", "--type=merge", "-p",
                            '{"data":{"value":"by hand","more":"by hand"}}')
        self.ask("kustomization", "life")
        self.server.wait_for_object("configmap", "git-a", condition=lambda c: c["data"] == {"value": "1"})

        repository.write("apps/a.yaml", config_map("git-a", "2"))
        os.remove(os.path.join(repository.folder, "apps/deep/b.yaml"))
        repository.commit()
        self.ask("gitrepository", "life")
        self.server.wait_for_object("configmap", "git-a", condition=lambda c: c["data"]["value"] == "2")
        self.server.wait_until_gone("configmap", "git-b")

        self.server.kubectl("delete", "kustomization", "life")
        self.server.wait_until_gone("configmap", "git-a")

    def test_status_tells_what_is_stored_healthy_and_was_done(self):
        repository = self.repository("told")
        repository.write("apps/a.yaml", config_map("told-a", "1"))
        commit = repository.commit()
        self.apply(source("told", f"file://{repository.folder}", ignore="'*.md'"))
        self.server.kubectl("wait", "--for=condition=ArtifactInStorage", "gitrepository/told", "--timeout=60s")
        status = self.server.object("gitrepository", "told")["status"]
        self.assertEqual((status["observedIgnore"], status["artifact"]["digest"]), ("*.md", f"sha1:{commit}"))
        self.assertNotIn("size", status["artifact"])

        self.apply(kustomization("told", "told", wait="true"))
        self.server.kubectl("wait", "--for=condition=Healthy", "kustomization/told", "--timeout=60s")
        found = self.server.wait_for_object("kustomization", "told", condition=lambda k: k["status"].get("history"))
        entry, = found["status"]["history"]
        self.assertEqual((entry["lastReconciledStatus"], entry["totalReconciliations"], entry["metadata"]),
                         ("ReconciliationSucceeded", 1, {"revision": f"main@sha1:{commit}"}))
        self.apply(kustomization("told", "told", wait="false"))
        found = self.server.wait_for_object("kustomization", "told", condition=lambda k: not condition(k, "Healthy")["status"])
        self.assertEqual([e["totalReconciliations"] for e in found["status"]["history"]], [2])

        # What was fetched stays while the source cannot be reached; what is not asked for any more is not observed.
        os.rename(repository.folder, repository.folder + "-away")
        self.ask("gitrepository", "told")
        found = self.server.wait_for_object("gitrepository", "told",
                                            condition=lambda r: condition(r, "FetchFailed")["status"] == "True")
        self.assertEqual(condition(found, "ArtifactInStorage")["status"], "True")
        os.rename(repository.folder + "-away", repository.folder)
        self.server.kubectl("patch", "gitrepository", "told", "--type=merge", "-p", '{"spec":{"ignore":null}}')
        found = self.server.wait_for_object("gitrepository", "told",
                                            condition=lambda r: "observedIgnore" not in r["status"])
        self.assertEqual(condition(found, "FetchFailed")["status"], "")

    def test_the_rules_of_a_repository_count_for_every_path_of_it(self):
        repository = self.repository("ruled")
        for name in ("kept", "root-rule", "own-rule", "pipeline"):
            repository.write(f"apps/{name}.yaml", config_map(f"ruled-{name}", "1"))
        repository.write("apps/.github/w.yaml", config_map("ruled-github", "1"))
        repository.write(".sourceignore", "/*\n!/apps\n/apps/root-rule.yaml\n/apps/.github\n")
        repository.write("apps/.sourceignore", "own-rule.yaml\npipeline.yaml\n")
        repository.commit()
        self.apply(source("ruled", f"file://{repository.folder}", ignore='"!/apps/pipeline.yaml"'))
        self.apply(kustomization("ruled", "ruled"))
        found = self.server.wait_for_object("kustomization", "ruled", condition=lambda k: condition(k)["status"] == "True")
        self.assertEqual({entry["id"] for entry in found["status"]["inventory"]["entries"]},
                         {"default_ruled-kept__ConfigMap", "default_ruled-pipeline__ConfigMap"})

    def test_large_files_that_are_no_manifests_are_not_in_the_way(self):
        repository = self.repository("large")
        repository.write("a.yaml", config_map("large-a", "1"))
        repository.write(".sourceignore", "/samples/\n")
        for path in ("demo.mp4", "samples/all.yaml"):
            repository.write(path, "x" * (17 << 20))
        commit = repository.commit()
        self.apply(source("large", f"file://{repository.folder}"))
        self.apply(kustomization("large", "large", path="./"))
        found = self.server.wait_for_object("kustomization", "large", condition=lambda k: condition(k)["reason"] in (
            "ReconciliationSucceeded", "BuildFailed"))
        self.assertEqual(condition(found)["message"], f"Applied revision: main@sha1:{commit}")

    def test_errors_are_in_the_status(self):
        repository = self.repository("errors")
        repository.write("apps/kustomization.yaml", "resources: []\n")
        repository.write("bad/x.yaml", "kind: ConfigMap\n")
        repository.commit()
        self.apply(source("errors", f"file://{repository.folder}"))
        self.apply(kustomization("needs-kustomize", "errors"))
        self.apply(kustomization("bad-file", "errors", path="./bad"))
        self.apply(kustomization("no-path", "errors", path="./missing"))
        self.apply(kustomization("patched", "errors", patches="[{patch: x}]"))
        self.apply(source("outside", "file:///etc"))
        self.apply(source("verified", f"file://{repository.folder}", verify="{secretRef: {name: keys}}"))
        expected = [("kustomization", "needs-kustomize", "BuildFailed", "kustomization.yaml"),
                    ("kustomization", "bad-file", "BuildFailed", "bad/x.yaml"),
                    ("kustomization", "no-path", "ArtifactFailed", "missing"),
                    ("kustomization", "patched", "BuildFailed", "spec.patches"),
                    ("gitrepository", "outside", "URLInvalid", "gitops-local-root"),
                    ("gitrepository", "verified", "Unsupported", "spec.verify")]
        for kind, name, reason, text in expected:
            with self.subTest(name):
                found = self.server.wait_for_object(kind, name, condition=lambda o: condition(o)["status"] == "False" and
                                                    condition(o)["reason"] == reason)
                self.assertIn(text, condition(found)["message"])

    def test_one_bad_object_changes_nothing_of_its_stage(self):
        repository = self.repository("stage")
        repository.write("apps/a.yaml", config_map("stage-a", "1"))
        repository.write("apps/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 'Not A Name'}\n")
        repository.commit()
        self.apply(source("stage", f"file://{repository.folder}"))
        self.apply(kustomization("stage", "stage"))
        found = self.server.wait_for_object("kustomization", "stage",
                                            condition=lambda k: condition(k)["reason"] == "ReconciliationFailed")
        self.assertIn("Not A Name", condition(found)["message"])
        self.assertIsNone(self.server.object("configmap", "stage-a"))

    def test_one_without_rights_can_be_deleted(self):
        repository = self.repository("powerless")
        repository.write("apps/a.yaml", config_map("powerless-a", "1"))
        repository.commit()
        self.apply(source("powerless", f"file://{repository.folder}"))
        for account in ("default", "nosuch"):
            with self.subTest(account):
                self.apply(kustomization("powerless", "powerless", serviceAccountName=account))
                # The source may not be there at once.
                self.server.wait_for_object("kustomization", "powerless",
                                            condition=lambda k: "forbidden" in condition(k)["message"])
                self.server.kubectl("delete", "kustomization", "powerless")
                self.server.wait_until_gone("kustomization", "powerless")

    def test_dependencies_are_waited_for(self):
        repository = self.repository("chain")
        repository.write("base/a.yaml", config_map("chain-base", "1"))
        repository.write("apps/a.yaml", config_map("chain-app", "1"))
        repository.commit()
        self.apply(kustomization("chain-app", "chain", dependsOn="[{name: chain-base}]"))
        self.apply(source("chain", f"file://{repository.folder}"))
        self.server.wait_for_object("kustomization", "chain-app",
                                    condition=lambda k: condition(k)["reason"] == "DependencyNotReady")
        self.apply(kustomization("chain-base", "chain", path="./base"))
        self.server.wait_for_object("configmap", "chain-app")


class Backend(http.server.BaseHTTPRequestHandler):
    """git-http-backend behind a password, or for everybody where it has none."""
    root = ""
    credentials = "Basic " + base64.b64encode(b"robot:secret").decode()

    def run_backend(self):
        if self.credentials and self.headers.get("Authorization") != self.credentials:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {"GIT_PROJECT_ROOT": self.root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                       "QUERY_STRING": query, "REQUEST_METHOD": self.command, "PATH": os.environ["PATH"],
                       "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
                       "HOME": self.root}
        answer = subprocess.run([HTTP_BACKEND], input=body, capture_output=True, env=environment, check=True).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = run_backend

    def log_message(self, *_):
        pass


def https_server(folder, handler):
    """A server on loopback, and the file of the certificate that it shows."""
    certificate, key = os.path.join(folder, "server.crt"), os.path.join(folder, "server.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server, certificate


@unittest.skipUnless(os.path.exists(HTTP_BACKEND), "git-http-backend is not installed")
class HttpsRepository(GitTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        handler = type("RootedBackend", (Backend,), {"root": cls.folder})
        cls.https, cls.certificate = https_server(cls.folder, handler)
        cls.thread = threading.Thread(target=cls.https.serve_forever, daemon=True)
        cls.thread.start()

    @classmethod
    def tearDownClass(cls):
        cls.https.shutdown()
        cls.https.server_close()
        super().tearDownClass()

    def url(self, name):
        return f"https://127.0.0.1:{self.https.server_port}/{name}/.git"

    def secret(self, name, *literals):
        self.server.kubectl("create", "secret", "generic", name, f"--from-file=ca.crt={self.certificate}", *literals)

    def test_cloned_with_credentials_and_an_authority_of_its_own(self):
        repository = self.repository("remote")
        repository.write("apps/a.yaml", config_map("https-a", "1"))
        repository.commit()
        self.secret("good", "--from-literal=username=robot", "--from-literal=password=secret")
        self.apply(source("remote", self.url("remote"), secretRef="{name: good}"))
        self.apply(kustomization("remote", "remote"))
        self.server.wait_for_object("configmap", "https-a")
        repository.write("apps/a.yaml", config_map("https-a", "2"))
        repository.commit()
        self.ask("gitrepository", "remote")
        self.server.wait_for_object("configmap", "https-a", condition=lambda c: c["data"]["value"] == "2")

    def test_wrong_credentials_and_unknown_authorities_say_so(self):
        repository = self.repository("closed")
        repository.commit()
        self.secret("wrong", "--from-literal=username=robot", "--from-literal=password=wrong")
        self.apply(source("wrong", self.url("closed"), secretRef="{name: wrong}"))
        self.apply(source("untrusted", self.url("closed")))
        found = self.server.wait_for_object("gitrepository", "wrong",
                                            condition=lambda o: condition(o)["reason"] == "AuthenticationFailed")
        self.assertNotIn("secret", condition(found)["message"])
        self.server.wait_for_object("gitrepository", "untrusted",
                                    condition=lambda o: condition(o)["reason"] == "GitOperationFailed")


class SelfSetup(unittest.TestCase):
    def test_a_node_sets_itself_up_from_its_settings(self):
        with tempfile.TemporaryDirectory(prefix="coracle-git-") as folder:
            repository = Repository(os.path.join(folder, "node"))
            repository.write("cluster/a.yaml", config_map("self-made", "1"))
            repository.commit()
            server = Server(["--gitops-url", f"file://{repository.folder}", "--gitops-local-root", folder,
                             "--gitops-path", "./cluster"])
            self.addCleanup(server.close)
            server.start()
            server.wait_for_object("configmap", "self-made")
            self.assertEqual(server.object("gitrepository", "flux-system", "-n", "flux-system")["spec"]["ref"],
                             {"branch": "main"})


if __name__ == "__main__":
    unittest.main()
