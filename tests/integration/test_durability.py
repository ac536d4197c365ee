"""kill -9 at random moments under load: nothing that was acknowledged is lost."""
import base64
import http.client
import json
import random
import threading
import time
import unittest

from admin import Admin
from charts import packed_chart
from cluster import Server

ROUNDS = 5
WRITERS = 4


class Durability(unittest.TestCase):
    def write_until_killed(self, writer, turn, acknowledged, ended):
        admin = Admin(self.server)
        number = 0
        while not ended.is_set():
            name = f"w{writer}-r{turn}-{number}"
            number += 1
            try:
                status, _ = admin.create_config_map(name, {"turn": str(turn)})
            except (OSError, http.client.HTTPException):
                return
            if status == 201:
                acknowledged.append(name)

    def drop_chart(self, number, moorings):
        content = base64.b64encode(packed_chart()).decode()
        self.server.drop(f"chart-{number}.yaml", json.dumps({
            "apiVersion": "helm.cattle.io/v1", "kind": "HelmChart",
            "metadata": {"name": f"chart-{number}", "namespace": "default"},
            "spec": {"chartContent": content, "set": {"moorings": str(moorings)}}}))

    def test_no_acknowledged_write_no_addon_and_no_release_is_lost(self):
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        self.server = Server()
        self.addCleanup(self.server.close)
        acknowledged = []
        for turn in range(ROUNDS):
            self.server.start()
            self.server.drop(f"addon-{turn}.yaml", "apiVersion: v1\nkind: ConfigMap\n"
                             f"metadata: {{name: addon-{turn}, namespace: default}}\ndata: {{turn: '{turn}'}}\n")
            self.drop_chart(turn, 1)
            if turn > 0:
                self.drop_chart(turn - 1, 2)  # an upgrade that may be cut off
            ended = threading.Event()
            writers = [threading.Thread(target=self.write_until_killed, args=(i, turn, acknowledged, ended))
                       for i in range(WRITERS)]
            for thread in writers:
                thread.start()
            time.sleep(chance.uniform(0.05, 1.0))  # the moment is the point of the test, not a wait
            self.server.kill()
            ended.set()
            for thread in writers:
                thread.join()
        self.assertTrue(acknowledged, f"seed {seed}")
        self.server.start()
        admin = Admin(self.server)
        self.addCleanup(admin.close)
        status, body = admin.call("GET", "/api/v1/namespaces/default/configmaps")
        self.assertEqual(status, 200)
        names = {item["metadata"]["name"] for item in json.loads(body)["items"]}
        self.assertEqual(set(acknowledged) - names, set(), f"seed {seed}")
        for turn in range(ROUNDS):
            self.server.wait_for_object("configmap", f"addon-{turn}")
            self.server.wait_for_object("addon", f"addon-{turn}", "-n", "kube-system",
                                        condition=lambda a: a["spec"].get("checksum"))
            self.check_release(turn, moorings=1 if turn == ROUNDS - 1 else 2)

    def check_release(self, number, moorings):
        self.server.wait_for_object("configmap", f"chart-{number}-moorings",
                                    condition=lambda c: c["data"]["count"] == str(moorings))
        # Whatever was cut off is marked failed and followed by a revision that is deployed.
        self.server.wait_for_object("secret", "-l", f"owner=helm,name=chart-{number}",
                                    condition=lambda found: self.is_settled(found["items"]))

    def is_settled(self, secrets):
        labels = [secret["metadata"]["labels"] for secret in secrets]
        statuses = dict(sorted((int(one["version"]), one["status"]) for one in labels))
        deployed = [version for version, status in statuses.items() if status == "deployed"]
        return list(statuses) == list(range(1, len(statuses) + 1)) and deployed == [len(statuses)]


if __name__ == "__main__":
    unittest.main()
