"""A server of its own for a test class: started on loopback in a fresh folder, ended by its process id."""
import functools
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BINARY = os.environ.get("CORACLE_BINARY", "build/dev/daemon/coracle")
READY_TIMEOUT = 60
WAIT_TIMEOUT = 60
REQUEST_TIMEOUT = 60
STOP_TIMEOUT = 60
MAX_REPORT = 20000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_program(name):
    return shutil.which(name)


@functools.lru_cache(maxsize=None)
def client_minor():
    """The 20 of kubectl 1.20, which is what Debian has."""
    shown = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    return int(re.match(r"\d+", json.loads(shown.stdout)["clientVersion"]["minor"]).group())


def needs_client(minor):
    return unittest.skipIf(client_minor() < minor, f"kubectl 1.{client_minor()} cannot say it, 1.{minor} can")


class Server:
    """One `coracle server` with everything below one temporary folder."""

    def __init__(self, settings=()):
        self.folder = tempfile.mkdtemp(prefix="coracle-test-")
        self.data_dir = os.path.join(self.folder, "data")
        self.manifests = os.path.join(self.data_dir, "server", "manifests")
        self.kubeconfig = os.path.join(self.folder, "kubeconfig")
        self.log_path = os.path.join(self.folder, "log")
        self.port = free_port()
        self.settings = list(settings)
        self.run_with = []  # what the command line begins with: another namespace to run in
        self.process = None

    def arguments(self):
        return [*self.run_with, BINARY, "server", "--disable-agent", "--data-dir", self.data_dir,
                "--bind-address", "127.0.0.1", "--https-listen-port", str(self.port),
                "--write-kubeconfig", self.kubeconfig, *self.settings]

    def launch(self):
        """Starts the process and waits for nothing."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("K3S_")}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.arguments(), stdout=log, stderr=log, env=environment)

    def start(self):
        self.launch()
        wait_for(lambda: self.is_ready() or self.process.poll() is not None, READY_TIMEOUT, "the server is ready")
        if self.process.poll() is not None:
            raise AssertionError("the server ended at start:\n" + self.log())
        return self

    def is_ready(self):
        try:
            return self.get("/readyz")[1] == b"ok"
        except OSError:
            return False

    def stop(self):
        """Asks the server to end. It must do so cleanly: sanitizers tell at the end what they found."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server does not end:\n{self.log()[-3000:]}") from None
        self.process = None
        if code != 0:
            raise AssertionError(f"the server ended with {code}:\n{self.log()[-MAX_REPORT:]}")

    def kill(self):
        """As a loss of power does."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None

    def close(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def get(self, path, headers=None):
        """Status and body of an anonymous GET."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", headers=headers or {})
        try:
            with urllib.request.urlopen(request, context=context, timeout=REQUEST_TIMEOUT) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def drop(self, name, text):
        """Writes a manifest as an editor would: beside it, then renamed."""
        path = os.path.join(self.manifests, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        partial = os.path.join(os.path.dirname(path), "." + os.path.basename(path))
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(partial, path)
        return path

    def kubectl(self, *arguments, stdin=None, check=True, program="kubectl", environment=None):
        environment = dict(os.environ, KUBECONFIG=self.kubeconfig, HOME=self.folder, **(environment or {}))
        done = subprocess.run([program, *arguments], input=stdin, capture_output=True, text=True, env=environment,
                              timeout=120, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)} ended with {done.returncode}:\n"
                                 f"{done.stdout}{done.stderr}\nserver log:\n{self.log()[-3000:]}")
        return done.stdout if check else done

    def edit(self, script, *arguments, check=True):
        """`kubectl edit ARGUMENTS` with a person at the editor who does to the file what the sed script says."""
        editor = os.path.join(self.folder, "editor")
        with open(editor, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec sed -i '{script}' \"$1\"\n")
        os.chmod(editor, 0o700)
        return self.kubectl("edit", *arguments, check=check, environment={"KUBE_EDITOR": editor})

    def object(self, *arguments):
        """The JSON of `kubectl get ARGUMENTS`, or None when it is not there."""
        done = self.kubectl("get", *arguments, "-o", "json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait_for_object(self, *arguments, condition=lambda found: True):
        found = []

        def there():
            found[:] = [self.object(*arguments)]
            return found[0] is not None and condition(found[0])

        wait_for(there, WAIT_TIMEOUT, f"kubectl get {' '.join(arguments)}", lambda: f"{found}\n{self.log()[-3000:]}")
        return found[0]

    def wait_for_definitions(self, *names):
        """Until custom resources that are installed while the server already answers can be asked for."""
        for name in names:
            self.wait_for_object("crd", name, condition=lambda crd: any(
                condition["type"] == "Established" and condition["status"] == "True"
                for condition in crd.get("status", {}).get("conditions") or []))

    def wait_until_gone(self, *arguments):
        wait_for(lambda: self.object(*arguments) is None, WAIT_TIMEOUT, f"{' '.join(arguments)} is gone",
                 lambda: self.log()[-3000:])


def wait_for(condition, timeout, what, detail=lambda: ""):
    """Looks until the condition holds; never trusts a fixed time."""
    end = time.monotonic() + timeout
    while True:
        if condition():
            return
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}\n{detail()}")
        time.sleep(0.05)


class ServerTestCase(unittest.TestCase):
    """Tests that share one server."""
    settings = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.settings)
        # Also when what follows fails: then there is no tearDownClass().
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
