"""Settings, files and life cycle of the process."""
import base64
import functools
import http.server
import json
import os
import sqlite3
import stat
import subprocess
import threading
import unittest

from cluster import BINARY, READY_TIMEOUT, Server, ServerTestCase, wait_for


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


class CommandLine(unittest.TestCase):
    def run_coracle(self, *arguments):
        return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30, check=False)

    def test_a_misspelled_flag_is_refused_with_the_right_spelling(self):
        done = self.run_coracle("server", "--data-dri", "/x")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, 'coracle: --data-dri: unknown flag; did you mean "data-dir"?\n')

    def test_a_wrong_value_is_one_clear_line(self):
        done = self.run_coracle("server", "--service-node-port-range", "many")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("--service-node-port-range", done.stderr)

    def test_version_and_help(self):
        self.assertRegex(self.run_coracle("--version").stdout, r"^k3s version v1\.36\.\d+\+k3s1 \([0-9a-f]{8}\)\n$")
        self.assertIn("--write-kubeconfig-mode", self.run_coracle("server", "--help").stdout)

    def test_the_documented_settings_are_the_table(self):
        with open("docs/settings.md", encoding="utf-8") as file:
            self.assertEqual(self.run_coracle("settings").stdout, file.read())


class Files(ServerTestCase):
    def test_everything_lies_where_k3s_puts_it(self):
        for path in ("server/token", "server/node-token", "server/cred/passwd", "server/tls/server-ca.crt",
                     "server/tls/client-ca.key", "server/tls/service.key", "server/db/state.db",
                     "server/cred/admin.kubeconfig"):
            with self.subTest(path):
                self.assertTrue(os.path.exists(os.path.join(self.server.data_dir, path)))

    def test_secrets_are_for_their_owner_only(self):
        for folder, _, names in os.walk(self.server.data_dir):
            for name in names:
                path = os.path.join(folder, name)
                secret = name.endswith(".key") or name in ("token", "passwd", "state.db", "admin.kubeconfig")
                if secret and not os.path.islink(path):
                    self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
        self.assertEqual(stat.S_IMODE(os.stat(self.server.kubeconfig).st_mode), 0o600)

    def test_the_supervisor_answers_beside_the_api(self):
        self.assertEqual(self.server.get("/ping"), (200, b"pong"))
        with open(os.path.join(self.server.data_dir, "server/tls/server-ca.crt"), "rb") as file:
            self.assertEqual(self.server.get("/cacerts"), (200, file.read()))

    def test_anonymous_callers_may_ask_for_health_and_no_more(self):
        self.assertEqual(self.server.get("/readyz")[0], 200)
        status, body = self.server.get("/api/v1/namespaces")
        self.assertEqual(status, 403)
        self.assertEqual(json.loads(body)["reason"], "Forbidden")
        self.assertEqual(self.server.get("/api/v1/namespaces", {"Authorization": "Bearer wrong"})[0], 401)


class LifeCycle(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)

    def test_a_restart_loses_nothing(self):
        self.server.start()
        self.server.kubectl("create", "configmap", "kept", "--from-literal=a=b")
        before = self.server.object("configmap", "kept")
        self.server.stop()
        self.server.start()
        self.assertEqual(self.server.object("configmap", "kept"), before)
        self.assertEqual([line for line in self.server.log().splitlines() if "level=error" in line], [])

    def test_a_second_server_on_the_folder_touches_nothing(self):
        self.server.start()
        paths = [os.path.join(self.server.data_dir, "server", name)
                 for name in ("token", "cred/passwd", "tls/serving-kube-apiserver.crt")]
        before = [read_bytes(path) for path in paths]
        done = subprocess.run([BINARY, "server", "--disable-agent", "--data-dir", self.server.data_dir,
                               "--https-listen-port", str(self.server.port), "--token", "other", "--tls-san", "other.example.com",
                               "--write-kubeconfig", os.path.join(self.server.folder, "other")],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("in use by another server", done.stderr)
        self.assertEqual([read_bytes(path) for path in paths], before)

    def test_a_token_may_hold_commas_and_quotes(self):
        self.server.settings = ["--token", 'a,"b" c']
        self.server.start()
        for password, status in (('a,"b" c', 403), ("a", 401)):
            login = base64.b64encode(f"server:{password}".encode()).decode()
            self.assertEqual(self.server.get("/api/v1/nodes", {"Authorization": "Basic " + login})[0], status)

    def test_a_start_that_was_cut_off_does_not_stop_the_next(self):
        self.server.start()
        self.server.stop()
        with sqlite3.connect(os.path.join(self.server.data_dir, "server/db/state.db")) as database:
            database.execute("DELETE FROM kine WHERE name = '/registry/services/specs/default/kubernetes'")
        database.close()
        self.server.start()
        self.assertIsNotNone(self.server.object("service", "kubernetes"))

    def test_flux_may_be_left_to_flux(self):
        self.server.settings = ["--disable-gitops"]
        self.server.start()
        served = self.server.kubectl("api-resources", "-o", "name")
        self.assertIn("helmcharts.helm.cattle.io", served)
        self.assertNotIn("toolkit.fluxcd.io", served)

    def test_a_stop_during_the_start_is_clean(self):
        for _ in range(3):
            self.server.launch()
            wait_for(lambda: "daemon: starting" in self.server.log(), READY_TIMEOUT, "the start has begun")
            self.server.stop()
            os.truncate(self.server.log_path, 0)
        self.server.start()
        self.assertIsNotNone(self.server.object("service", "kubernetes"))

    def test_the_config_file_may_be_fetched(self):
        folder = os.path.join(self.server.folder, "web")
        os.makedirs(folder)
        with open(os.path.join(folder, "config.yaml"), "w", encoding="utf-8") as file:
            file.write("write-kubeconfig-mode: '0640'\n")
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
            threading.Thread(target=web.serve_forever, daemon=True).start()
            self.addCleanup(web.shutdown)
            address = f"http://127.0.0.1:{web.server_port}/"
            self.server.settings = ["--config", address + "config.yaml"]
            self.server.start()
            self.assertEqual(stat.S_IMODE(os.stat(self.server.kubeconfig).st_mode), 0o640)
            missing = subprocess.run([BINARY, "server", "--config", address + "other.yaml"], capture_output=True,
                                     text=True, check=False)
            self.assertEqual(missing.returncode, 2)
            self.assertIn("404", missing.stderr)

    def test_config_file_drop_ins_and_unknown_keys(self):
        config = os.path.join(self.server.folder, "config.yaml")
        os.makedirs(config + ".d")
        with open(config, "w", encoding="utf-8") as file:
            file.write("write-kubeconfig-mode: '0640'\ntls-san: [one.example.com]\nflannel-backnd: none\n")
        with open(os.path.join(config + ".d", "more.yaml"), "w", encoding="utf-8") as file:
            file.write("tls-san+: two.example.com\n")
        self.server.settings = ["--config", config]
        self.server.start()
        self.assertEqual(stat.S_IMODE(os.stat(self.server.kubeconfig).st_mode), 0o640)
        text = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in",
                               os.path.join(self.server.data_dir, "server/tls/serving-kube-apiserver.crt")],
                              capture_output=True, text=True, check=True).stdout
        self.assertIn("one.example.com", text)
        self.assertIn("two.example.com", text)
        self.assertIn("flannel-backend", self.server.log())


if __name__ == "__main__":
    unittest.main()
