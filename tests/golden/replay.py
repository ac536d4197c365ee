#!/usr/bin/env python3
"""Plays tests/golden/api/*.yaml against a running API server, to prove that the expectations are its answers.

usage: replay.py https://127.0.0.1:6443 TOKEN [file.yaml ...]
The cases create what they need in namespaces of their own, named after the case.
"""
import http.client
import json
import pathlib
import ssl
import sys
import threading
import urllib.parse

import yaml

WATCH_SECONDS = 5


def connect(server, timeout=30):
    url = urllib.parse.urlsplit(server)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=timeout)


def substitute(tree, variables):
    if isinstance(tree, str):
        for name, value in variables.items():
            tree = tree.replace("${%s}" % name, value)
        return tree
    if isinstance(tree, list):
        return [substitute(item, variables) for item in tree]
    if isinstance(tree, dict):
        return {key: substitute(value, variables) for key, value in tree.items()}
    return tree


def problem(actual, expected, path=""):
    """What is missing of the expected part, or nothing."""
    if expected is None:
        return None if actual is None else f"{path}: expected nothing, got {actual!r}"
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return f"{path}: expected {expected!r}, got {actual!r}"
        for key, value in expected.items():
            found = problem(actual.get(key), value, f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return f"{path}: expected {expected!r}, got {actual!r}"
        for index, value in enumerate(expected):
            found = problem(actual[index], value, f"{path}[{index}]")
            if found:
                return found
        return None
    if expected == "*":
        return None if actual is not None else f"{path}: expected something"
    if isinstance(expected, str) and expected.startswith("has: "):
        return None if isinstance(actual, str) and expected[5:] in actual else f"{path}: {expected!r} not in {actual!r}"
    same = actual == expected and isinstance(actual, bool) == isinstance(expected, bool)
    return None if same else f"{path}: expected {expected!r}, got {actual!r}"


class Watch:
    def __init__(self, server, token, target, headers):
        self.events = []
        self.ready = threading.Condition()
        connection = connect(server, WATCH_SECONDS * 4)
        connection.request("GET", target, headers={"Authorization": "Bearer " + token, **headers})
        self.response = connection.getresponse()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for line in self.response:
                with self.ready:
                    self.events.append(json.loads(line))
                    self.ready.notify()
        except OSError:
            pass

    def next(self):
        with self.ready:
            self.ready.wait_for(lambda: self.events, WATCH_SECONDS)
            return self.events.pop(0) if self.events else None


class Player:
    def __init__(self, server, token):
        self.server, self.token, self.variables, self.watches, self.problems = server, token, {}, {}, []

    def play(self, step):
        if "events" in step:
            for expected in step["expect"]:
                found = problem(self.watches[step["events"]].next(), substitute(expected, self.variables), "event")
                if found:
                    self.problems.append(found)
            return
        method, target = substitute(step["request"], self.variables).split(" ", 1)
        headers = dict(step.get("headers", {}))
        if "watch" in step:
            self.watches[step["watch"]] = Watch(self.server, self.token, target, headers)
            return
        body = substitute(step.get("body"), self.variables)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if step.get("user"):
            headers["Impersonate-User"] = step["user"]
        headers.setdefault("User-Agent", "")
        connection = connect(self.server)
        connection.request(method, target, body, {"Authorization": "Bearer " + self.token, **headers})
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        try:
            tree = json.loads(text)
        except ValueError:
            tree = None
        where = f"{method} {target}"
        if response.status != step.get("status", 200):
            self.problems.append(f"{where}: status {response.status}, expected {step.get('status', 200)}: {text[:600]}")
        if "text" in step and step["text"] != text:
            self.problems.append(f"{where}: text {text!r}")
        if "expect" in step:
            found = problem(tree, substitute(step["expect"], self.variables))
            if found:
                self.problems.append(f"{where}: {found}")
        for name, expected in step.get("answer_headers", {}).items():
            found = problem(response.getheader(name), expected, name)
            if found:
                self.problems.append(f"{where}: {found}")
        for name, path in step.get("save", {}).items():
            value = tree
            for part in path.split("."):
                value = value[int(part)] if isinstance(value, list) else (value or {}).get(part)
            self.variables[name] = value if isinstance(value, str) else json.dumps(value)


def main():
    server, token = sys.argv[1:3]
    folder = pathlib.Path(__file__).parent / "api"
    files = [pathlib.Path(name) for name in sys.argv[3:]] or sorted(folder.glob("*.yaml"))
    failed = 0
    for file in files:
        for case in yaml.safe_load_all(file.read_text()):
            if not case:
                continue
            player = Player(server, token)
            for step in case["steps"]:
                player.play(step)
            failed += bool(player.problems)
            print("FAIL" if player.problems else "ok", f"{file.name}: {case['name']}")
            for text in player.problems:
                print("    ", text)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
