"""Direct HTTPS calls as the administrator, for what kubectl would not send."""
import http.client
import json
import os
import ssl

from cluster import REQUEST_TIMEOUT


class Admin:
    """One kept-alive connection; not for several threads at once."""

    def __init__(self, server, data_dir=None):
        """`data_dir` is for a server in a mount namespace of its own: where its files are seen from here."""
        self.server = server
        tls = os.path.join(data_dir or server.data_dir, "server/tls")
        self.context = ssl.create_default_context(cafile=os.path.join(tls, "server-ca.crt"))
        self.context.check_hostname = False
        self.context.load_cert_chain(os.path.join(tls, "client-admin.crt"), os.path.join(tls, "client-admin.key"))
        self.connection = None

    def call(self, method, path, body=None, content_type="application/json"):
        """Status and body; a broken connection is an error of its own kind, not an answer."""
        if self.connection is None:
            self.connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=self.context,
                                                          timeout=REQUEST_TIMEOUT)
        headers = {"Content-Type": content_type} if body is not None else {}
        try:
            self.connection.request(method, path, body=body, headers=headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def create_config_map(self, name, data):
        body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
        return self.call("POST", "/api/v1/namespaces/default/configmaps", body)
