"""A disk without room: reads go on, a write says why it failed, and all is well again once there is room."""
import contextlib
import json
import os
import subprocess
import unittest

from admin import Admin
from cluster import Server, wait_for, WAIT_TIMEOUT

SMALL = "16m"
LARGE = "64m"
PAYLOAD = "x" * 100_000
# More than fits: the small disk is full long before.
MAX_WRITES = 1000


class SmallDisk:
    """A tmpfs below a folder, seen only by who runs in this mount namespace; both end with it."""

    def __init__(self, folder):
        self.folder = folder
        script = f'mount -t tmpfs -o size={SMALL},mode=0700 none "$0" && echo mounted && exec cat'
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "mounted\n":
            self.close()
            raise AssertionError("a namespace with a small disk cannot be made")

    def enter(self):
        """What a command begins with to run where the disk is."""
        return ["nsenter", "--target", str(self.holder.pid), "--mount", "--wd"]

    def inside(self, path):
        return f"/proc/{self.holder.pid}/root{path}"

    def grow(self):
        subprocess.run([*self.enter(), "mount", "-o", f"remount,size={LARGE}", self.folder], check=True)

    def close(self):
        self.holder.communicate()


@unittest.skipIf(os.geteuid() != 0, "only root can mount a small disk")
class FullDisk(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        os.mkdir(self.server.data_dir)
        self.disk = SmallDisk(self.server.data_dir)
        self.addCleanup(self.disk.close)
        self.server.run_with = self.disk.enter()
        self.addCleanup(self.server.stop)

    def start(self):
        self.server.start()
        self.admin = Admin(self.server, self.disk.inside(self.server.data_dir))
        self.addCleanup(self.admin.close)

    def fill(self):
        """Writes until one is refused; the names that were acknowledged and the refusal."""
        names = []
        for number in range(MAX_WRITES):
            status, body = self.admin.create_config_map(f"full-{number}", {"payload": PAYLOAD})
            if status != 201:
                return names, status, json.loads(body)
            names.append(f"full-{number}")
        raise AssertionError("the small disk takes everything")

    def take_the_last_bytes(self):
        ballast = os.path.join(self.disk.inside(self.server.data_dir), "ballast")
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass

    def names(self):
        status, body = self.admin.call("GET", "/api/v1/namespaces/default/configmaps")
        self.assertEqual(status, 200)
        return {item["metadata"]["name"] for item in json.loads(body)["items"]}

    def test_reads_go_on_and_writes_come_back(self):
        self.start()
        written, status, refusal = self.fill()
        self.assertEqual(status, 500)
        self.assertIn("full", refusal["message"])
        self.assertLessEqual(set(written), self.names())
        self.server.stop()

        self.take_the_last_bytes()
        self.start()
        self.assertLessEqual(set(written), self.names())
        status, _ = self.admin.create_config_map("late", {"payload": PAYLOAD})
        self.assertEqual(status, 500)
        self.check_log(starts=2)

        self.disk.grow()
        wait_for(lambda: self.admin.create_config_map("late", {"payload": PAYLOAD})[0] == 201, WAIT_TIMEOUT,
                 "a write after the disk grew", self.server.log)
        self.assertLessEqual({*written, "late"}, self.names())

    def check_log(self, starts):
        """What goes on failing is said once, not once for each write."""
        for said in ("the log cannot be copied", "a transaction failed"):
            self.assertLessEqual(self.server.log().count(said), starts, self.server.log())


if __name__ == "__main__":
    unittest.main()
