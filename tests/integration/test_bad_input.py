"""Random bad bodies, paths, manifests and charts: a clear error each, and a process that goes on."""
import base64
import http.client
import json
import os
import random
import unittest

from admin import Admin
from cluster import ServerTestCase

SEED = int(os.environ.get("CORACLE_TEST_SEED", "0")) or random.randrange(1 << 30)
OBJECT = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "labels": {"a": "b"}},
                     "data": {"k": "v"}}).encode()
PATHS = ["/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/configmaps/x", "/api/v1/pods",
         "/apis/apps/v1/namespaces/default/deployments", "/apis", "/openapi/v2", "/api/v1/namespaces/default/pods/x/log",
         "/apis/ex.io/v1/widgets", "/version", "/healthz"]
QUERIES = ["", "?limit=x", "?watch=maybe", "?labelSelector=,,", "?fieldSelector=a", "?resourceVersion=-1", "?continue=%%%",
           "?dryRun=Some", "?fieldManager=" + "m" * 300, "?timeout=soon", "?limit=-5&continue=abc"]
TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/merge-patch+json",
         "application/json-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml", "text/x"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "BREW"]


class BadInput(ServerTestCase):
    def setUp(self):
        self.chance = random.Random(SEED)
        self.admin = Admin(self.server)
        self.addCleanup(self.admin.close)

    def damaged(self, data):
        data = bytearray(data)
        for _ in range(self.chance.randint(1, 6)):
            place = self.chance.randrange(len(data) + 1)
            action = self.chance.randrange(3)
            if action == 0:
                data[place:place] = bytes(self.chance.randrange(256) for _ in range(self.chance.randint(1, 8)))
            elif action == 1:
                del data[place:place + self.chance.randint(1, 20)]
            elif data:
                data[place % len(data)] = self.chance.randrange(256)
        return bytes(data)

    def alive(self):
        self.assertIsNone(self.server.process.poll(), f"seed {SEED}\n{self.server.log()[-2000:]}")
        self.assertEqual(self.server.get("/readyz"), (200, b"ok"))

    def test_requests(self):
        for _ in range(600):
            method = self.chance.choice(METHODS)
            path = self.chance.choice(PATHS) + self.chance.choice(QUERIES)
            if self.chance.random() < 0.2:
                path = "/" + base64.urlsafe_b64encode(self.chance.randbytes(12)).decode() + path
            if "watch" in path:
                path += "&timeoutSeconds=1"
            body = self.damaged(OBJECT) if self.chance.random() < 0.8 else b"\x00" * 50 + b"k8s\x00"
            try:
                status, answer = self.admin.call(method, path, body, self.chance.choice(TYPES))
            except http.client.HTTPException:
                continue
            if status >= 400 and answer.startswith(b"{"):
                status_object = json.loads(answer)
                self.assertEqual(status_object["kind"], "Status", f"seed {SEED}")
                self.assertTrue(status_object.get("message"), f"seed {SEED}: {answer}")
        self.alive()

    def test_manifests(self):
        good = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m%d, namespace: default}\ndata: {a: b}\n"
        for number in range(40):
            text = self.damaged((good % number).encode())
            self.server.drop(f"random-{number}.yaml", text.decode("latin-1"))
        self.server.drop("zz-good.yaml", good % 1000)
        self.server.wait_for_object("configmap", "m1000")
        self.alive()

    def test_charts(self):
        self.server.wait_for_definitions("helmcharts.helm.cattle.io")
        for number in range(10):
            content = base64.b64encode(self.chance.randbytes(self.chance.randint(0, 2000))).decode()
            self.server.kubectl("create", "-f", "-", stdin=json.dumps({
                "apiVersion": "helm.cattle.io/v1", "kind": "HelmChart", "metadata": {"name": f"broken-{number}",
                                                                                    "namespace": "default"},
                "spec": {"chartContent": content}}))
        for number in range(10):
            found = self.server.wait_for_object(
                "helmchart", f"broken-{number}",
                condition=lambda c: any(x["type"] == "Failed" and x["status"] == "True"
                                        for x in c.get("status", {}).get("conditions", [])))
            failed = next(x for x in found["status"]["conditions"] if x["type"] == "Failed")
            self.assertTrue(failed["message"])
        self.alive()


if __name__ == "__main__":
    unittest.main()
