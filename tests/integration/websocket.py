"""A WebSocket client (RFC 6455) by hand, over TLS."""
import base64
import hashlib
import os
import socket
import struct

from cluster import REQUEST_TIMEOUT

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebSocket:
    """One connection; `status` tells whether it was switched."""

    def __init__(self, port, context, path, headers=None):
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Host": "127.0.0.1", "Connection": "Upgrade, Upgrade", "Upgrade": "websocket",
                  "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, **(headers or {})}
        plain = socket.create_connection(("127.0.0.1", port), timeout=REQUEST_TIMEOUT)
        self.socket = context.wrap_socket(plain)
        self.received = b""
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        while b"\r\n\r\n" not in self.received:
            self.receive()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        first, *rest = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
        self.accepted = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        self.received += data

    def take(self, size):
        while len(self.received) < size:
            self.receive()
        data, self.received = self.received[:size], self.received[size:]
        return data

    def read(self):
        """Opcode and payload of the next frame; the server sends each in one piece and without a mask."""
        first, length = self.take(2)
        if first & 0xf0 != 0x80 or length & 0x80:
            raise AssertionError(f"a frame begins with {first:02x} {length:02x}")
        if length == 126:
            length, = struct.unpack(">H", self.take(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.take(8))
        return first & 0xf, self.take(length)

    def write(self, opcode, payload=b""):
        mask = os.urandom(4)
        length = (bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload)))
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def at_end(self):
        """Whether the server has closed the connection; waits for more otherwise."""
        return not self.received and self.socket.recv(1) == b""

    def close(self):
        self.socket.close()
