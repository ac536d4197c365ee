"""Watches over WebSocket, as Java's and browsers' clients ask for them."""
import base64
import json
import ssl
import unittest

from admin import Admin
from cluster import ServerTestCase
from websocket import BINARY, CLOSE, PING, PONG, TEXT, WebSocket

MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = {"Accept": "application/vnd.kubernetes.protobuf"}
NORMAL = (1000).to_bytes(2, "big")
PROTOCOL_ERROR = (1002).to_bytes(2, "big")


def only(name, query=""):
    return f"{MAPS}?watch=true&fieldSelector=metadata.name%3D{name}{query}"


class WebSocketWatches(ServerTestCase):
    def setUp(self):
        self.admin = Admin(self.server)
        self.addCleanup(self.admin.close)

    def open(self, path, headers=None, context=None):
        stream = WebSocket(self.server.port, context or self.admin.context, path, headers)
        self.addCleanup(stream.close)
        return stream

    def watch(self, path, headers=None, context=None):
        stream = self.open(path, headers, context)
        self.assertEqual(stream.status, 101)
        self.assertEqual(stream.headers["sec-websocket-accept"], stream.accepted)
        return stream

    def next_event(self, stream):
        opcode, payload = stream.read()
        self.assertEqual(opcode, TEXT, payload)
        event = json.loads(payload)
        return event["type"], event["object"]

    def test_each_event_is_a_message(self):
        watch = self.watch(only("seen"))
        self.admin.create_config_map("seen", {"step": "0"})
        kind, found = self.next_event(watch)
        self.assertEqual((kind, found["kind"], found["data"]), ("ADDED", "ConfigMap", {"step": "0"}))
        # Larger than the two forms of a length that count less.
        for size in (1000, 100000):
            self.admin.call("PATCH", f"{MAPS}/seen", json.dumps({"data": {"step": "x" * size}}),
                            "application/merge-patch+json")
            kind, found = self.next_event(watch)
            self.assertEqual((kind, len(found["data"]["step"])), ("MODIFIED", size))
        watch.write(PING, b"still there?")
        self.assertEqual(watch.read(), (PONG, b"still there?"))
        watch.write(TEXT, b"nobody listens")
        self.admin.call("DELETE", f"{MAPS}/seen")
        self.assertEqual(self.next_event(watch)[0], "DELETED")
        watch.write(CLOSE, NORMAL + b"enough")
        self.assertEqual(watch.read(), (CLOSE, NORMAL))
        self.assertTrue(watch.at_end())

    def test_protobuf_comes_in_binary_messages_without_a_length(self):
        self.admin.create_config_map("binary", {})
        opcode, payload = self.watch(only("binary"), PROTOBUF).read()
        self.assertEqual(opcode, BINARY)
        self.assertEqual(payload[:7], b"\x0a\x05ADDED")
        self.assertIn(b"k8s\x00", payload)

    def test_the_time_of_a_watch_ends_it_with_a_close(self):
        watch = self.watch(only("nothing", "&timeoutSeconds=1"))
        self.assertEqual(watch.read(), (CLOSE, NORMAL))
        watch.write(CLOSE, NORMAL)
        self.assertTrue(watch.at_end())

    def test_a_frame_without_mask_is_refused(self):
        watch = self.watch(only("nothing"))
        watch.socket.sendall(b"\x81\x02hi")
        self.assertEqual(watch.read(), (CLOSE, PROTOCOL_ERROR))
        self.assertTrue(watch.at_end())

    def test_many_silent_watches_leave_room_for_others(self):
        watches = [self.watch(only("late")) for _ in range(60)]
        self.admin.create_config_map("late", {})
        for watch in watches:
            self.assertEqual(self.next_event(watch)[0], "ADDED")

    def test_a_browser_brings_its_token_as_a_subprotocol(self):
        self.server.wait_for_object("serviceaccount", "default")
        status, answer = self.admin.call(
            "POST", "/api/v1/namespaces/default/serviceaccounts/default/token",
            json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}))
        self.assertEqual(status, 201, answer)
        token = base64.urlsafe_b64encode(json.loads(answer)["status"]["token"].encode()).decode().rstrip("=")
        bearer = f"base64url.bearer.authorization.k8s.io.{token}"
        anonymous = ssl.create_default_context()
        anonymous.check_hostname = False
        anonymous.verify_mode = ssl.CERT_NONE
        self.server.kubectl("create", "role", "watcher", "--verb=watch", "--resource=configmaps")
        self.server.kubectl("create", "rolebinding", "watcher", "--role=watcher", "--serviceaccount=default:default")
        for protocols, path, status in ((bearer, MAPS, 401), (f"{bearer}, any", "/api/v1/secrets", 403), ("any", MAPS, 403)):
            refused = self.open(f"{path}?watch=true", {"Sec-WebSocket-Protocol": protocols}, anonymous)
            self.assertEqual(refused.status, status, protocols[-10:])
        self.admin.create_config_map("browsed", {})
        watch = self.watch(only("browsed"), {"Sec-WebSocket-Protocol": f"{bearer}, any"}, anonymous)
        self.assertEqual(watch.headers["sec-websocket-protocol"], "any")
        self.assertEqual(self.next_event(watch)[0], "ADDED")

    def test_what_is_no_watch_is_answered_plainly(self):
        self.assertEqual(self.open(MAPS).status, 200)
        self.assertEqual(self.open(f"{MAPS}/missing").status, 404)
        refused = self.open(only("nothing"), {"Sec-WebSocket-Version": "8"})
        self.assertEqual((refused.status, refused.headers["sec-websocket-version"]), (400, "13"))


if __name__ == "__main__":
    unittest.main()
