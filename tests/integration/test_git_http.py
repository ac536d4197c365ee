"""GitRepository over plain HTTP: repositories that moved, servers that answer nonsense, passwords in URLs."""
import base64
import contextlib
import http.server
import os
import socketserver
import threading
import unittest

from cluster import free_port, wait_for, WAIT_TIMEOUT
from test_git import HTTP_BACKEND, Backend, GitTestCase, condition, config_map, https_server, kustomization, source

PASSWORD = "blue-mussel"


class OpenBackend(Backend):
    """git-http-backend for everybody, below /new only: every other path is answered with a redirect to there.

    /STATUS/… is answered with that status. Keeps what was asked of it, with the credentials.
    """
    elsewhere = ""  # the origin that redirects lead to; its own where empty
    page = ""  # where every redirect leads instead

    def run_backend(self):
        self.asked.append((self.command, self.path, self.headers.get("Authorization")))
        if self.path.startswith("/new/"):
            self.path = self.path[len("/new"):]
            super().run_backend()
            return
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, _, rest = self.path.lstrip("/").partition("/")
        self.send_response(int(status))
        self.send_header("Location", self.page or self.elsewhere + "/" + rest)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = run_backend


class Says(socketserver.StreamRequestHandler):
    """Answers every request with a few bytes that are no HTTP."""

    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"garbage\n")
        self.server.asked += 1


@contextlib.contextmanager
def served(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class RemoteTestCase(GitTestCase):
    def remote(self, **fields):
        """A server of its own for a test: its address, and what it is asked."""
        fields = {"root": self.folder, "asked": [], "credentials": None, **fields}
        handler = type("Remote", (OpenBackend,), fields)
        address = self.enter(served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)))
        return address, fields["asked"]

    def enter(self, manager):
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def filled(self, name):
        repository = self.repository(name)
        repository.write("apps/a.yaml", config_map(f"{name}-a", "1"))
        repository.commit()
        return repository

    def wait_for_reason(self, name, reason):
        return self.server.wait_for_object("gitrepository", name,
                                           condition=lambda o: condition(o)["reason"] == reason)


@unittest.skipUnless(os.path.exists(HTTP_BACKEND), "git-http-backend is not installed")
class MovedRepository(RemoteTestCase):
    def test_every_kind_of_redirect_is_followed(self):
        address, asked = self.remote()
        self.filled("moved")
        for status in (301, 302, 303, 307, 308):
            with self.subTest(status):
                name = f"moved-{status}"
                self.apply(source(name, f"http://{address}/{status}/new/moved/.git/"))
                self.wait_for_reason(name, "Succeeded")
        # As git does, what follows the first answer is asked where that led to.
        posts = [path for command, path, _ in asked if command == "POST"]
        self.assertEqual(set(posts), {"/new/moved/.git/git-upload-pack"})
        self.apply(kustomization("moved", "moved-301"))
        self.server.wait_for_object("configmap", "moved-a")

    def test_credentials_stay_with_the_host_that_they_are_for(self):
        wanted = "Basic " + base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
        self.filled("private")
        home, asked_at_home = self.remote(credentials=wanted)
        self.apply(source("private", f"http://robot:{PASSWORD}@{home}/301/new/private/.git"))
        self.wait_for_reason("private", "Succeeded")
        self.assertEqual({credentials for _, _, credentials in asked_at_home}, {wanted})

        other, asked_at_other = self.remote(credentials=wanted)
        first, _ = self.remote(elsewhere=f"http://{other}")
        self.apply(source("elsewhere", f"http://robot:{PASSWORD}@{first}/302/new/private/.git"))
        found = self.wait_for_reason("elsewhere", "AuthenticationFailed")
        self.assertIn(f"after a redirect to http://{other}", condition(found)["message"])
        self.assertEqual({credentials for _, _, credentials in asked_at_other}, {None})

    def test_redirects_that_lead_to_no_repository_say_so(self):
        login, _ = self.remote(page="http://127.0.0.1/login?from=x")
        self.apply(source("login", f"http://{login}/302/new/x/.git"))
        self.assertIn("302 redirect to http://127.0.0.1/login, which is no git repository",
                      condition(self.wait_for_reason("login", "GitOperationFailed"))["message"])
        round_and_round, _ = self.remote(elsewhere="/302/")
        self.apply(source("round", f"http://{round_and_round}/302/new/x/.git"))
        self.assertIn("more than 10 redirects",
                      condition(self.wait_for_reason("round", "GitOperationFailed"))["message"])
        for name, target in (("gopher", "gopher://127.0.0.1"), ("no-port", "http://127.0.0.1:port")):
            address, _ = self.remote(elsewhere=target)
            self.apply(source(name, f"http://{address}/302/new/x/.git"))
            self.wait_for_reason(name, "GitOperationFailed")


    def test_a_redirect_out_of_encryption_is_refused(self):
        plain, asked = self.remote()
        handler = type("Secure", (OpenBackend,), {"asked": [], "elsewhere": f"http://{plain}"})
        server, certificate = https_server(self.folder, handler)
        address = self.enter(served(server))
        self.server.kubectl("create", "secret", "generic", "authority", f"--from-file=ca.crt={certificate}")
        self.apply(source("downgraded", f"https://{address}/301/new/x/.git", secretRef="{name: authority}"))
        self.assertIn("which is refused", condition(self.wait_for_reason("downgraded", "GitOperationFailed"))["message"])
        self.assertEqual(asked, [])


class StrangeServers(RemoteTestCase):
    def test_an_answer_that_is_no_http_is_tried_again(self):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Says)
        server.asked = 0
        address = self.enter(served(server))
        self.apply(source("garbled", f"http://{address}/x.git"))
        found = self.wait_for_reason("garbled", "GitOperationFailed")
        self.assertEqual(condition(found, "Stalled")["status"], "")
        self.assertEqual(condition(found, "Reconciling")["reason"], "ProgressingWithRetry")
        wait_for(lambda: server.asked > 2, WAIT_TIMEOUT, "the server is asked again")

    def test_a_url_that_cannot_be_is_not_tried_again(self):
        self.apply(source("port", "http://127.0.0.1:port/x.git"))
        found = self.wait_for_reason("port", "URLInvalid")
        self.assertEqual(condition(found, "Stalled")["status"], "True")


class PasswordsInUrls(RemoteTestCase):
    def test_they_are_used_and_never_told(self):
        closed, asked = self.remote(credentials="Basic nobody")
        user = f"robot:{PASSWORD}@"
        self.apply(source("url-wrong", f"http://{user}{closed}/new/x/.git"))
        self.apply(source("url-refused", f"http://{user}127.0.0.1:{free_port()}/x.git?token={PASSWORD}"))
        self.apply(source("url-bad", f"http://{user}127.0.0.1:port/x.git"))
        self.apply(source("url-slash", f"http://robot:{PASSWORD}/x@127.0.0.1/x.git"))
        expected = [("url-wrong", "AuthenticationFailed", f"http://{closed}/new/x/.git"),
                    ("url-refused", "GitOperationFailed", "http://127.0.0.1:"),
                    ("url-bad", "URLInvalid", "http://127.0.0.1:port"),
                    ("url-slash", "URLInvalid", "http://***")]
        for name, reason, text in expected:
            with self.subTest(name):
                found = self.wait_for_reason(name, reason)
                self.assertIn(text, condition(found)["message"])
                self.assertNotIn(PASSWORD, str(found["status"]))
                events = []

                def recorded():
                    events[:] = [e for e in self.server.object("events")["items"]
                                 if e["involvedObject"]["name"] == name]
                    return events

                wait_for(recorded, WAIT_TIMEOUT, f"an event about {name}")
                self.assertNotIn(PASSWORD, "".join(event["message"] for event in events))
        self.assertEqual(asked[0][2], "Basic " + base64.b64encode(f"robot:{PASSWORD}".encode()).decode())
        self.assertNotIn(PASSWORD, self.server.log())


if __name__ == "__main__":
    unittest.main()
