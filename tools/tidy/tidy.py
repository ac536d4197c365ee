#!/usr/bin/env python3
"""Reads every file of the tree once and reports what breaks its rules (rules.py). Exit status 1 if any.

usage: tidy.py [ROOT]
"""
import os
import re
import sys

import rules

FUNCTION = re.compile(r"^ *(?!(if|for|while|switch|else|\} else|catch)\b)\S.*\)( (const|override|noexcept|&&))* \{$")
INCLUDE = re.compile(r'^\s*#include\s+([<"])([^>"]+)[>"]')
DOC_PATH = re.compile(r"`((?:base|store|kube|charts|reconcilers|manifests|agent|daemon|tests|tools|scripts|docs|examples)"
                      r"/[\w./-]+)`")


def files_of(root):
    for folder, folders, names in os.walk(root):
        relative = os.path.relpath(folder, root)
        relative = "" if relative == "." else relative
        folders[:] = sorted(f for f in folders if os.path.join(relative, f) not in rules.IGNORED_FOLDERS
                            and not f.startswith("__pycache__"))
        for name in sorted(names):
            yield os.path.join(relative, name)


def home_of(path):
    """The folder of the arrow table that a file belongs to."""
    best = ""
    for folder in list(rules.ARROWS) + rules.UNRESTRICTED:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


class Tidy:
    def __init__(self, root):
        self.root = root
        self.problems = []

    def say(self, path, line, text):
        self.problems.append(f"{path}:{line}: {text}")

    def check_include(self, path, number, bracket, included):
        home = home_of(path)
        for heavy, homes in rules.HEAVY_HEADERS.items():
            if included.startswith(heavy) and bracket == "<" and not path.startswith("tests/"):
                if not any(path.startswith(h) for h in homes):
                    self.say(path, number, f"{included} may only be included below {', '.join(homes)}")
        if bracket == "<" or not home:
            return
        target = home_of(included)
        if not target:
            return
        if target in ("daemon", "tests") and home != target and home != "tests" and "_test." not in path:
            self.say(path, number, f"nothing includes {target}")
        elif home in rules.ARROWS and target != home and target not in rules.ARROWS[home] and "_test." not in path:
            self.say(path, number, f"{home} may not include {target}")
        if "/internal/" in included and target != home and home != "tests" and "/testing/" not in path:
            self.say(path, number, f"{included} is the inside of {target}")
        if "/testing/" in included and "_test" not in path and "/testing/" not in path and home != "tests":
            self.say(path, number, f"{included} is for tests")
        if home == "reconcilers" and included.startswith("reconcilers/"):
            if included.split("/")[1] != path.split("/")[1] and "_test." not in path:
                self.say(path, number, "reconcilers never include each other")

    def check_source(self, path, lines):
        functions = {}
        for number, line in enumerate(lines, 1):
            if len(line) > rules.MAX_COLUMNS:
                self.say(path, number, f"{len(line)} columns, at most {rules.MAX_COLUMNS}")
            if "\t" in line:
                self.say(path, number, "a tab")
            if line != line.rstrip():
                self.say(path, number, "blanks at the end of the line")
            include = INCLUDE.match(line)
            if include:
                self.check_include(path, number, *include.groups())
            code = re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]
            for pattern, (instead, allowed) in rules.BANNED.items():
                if re.search(pattern, code) and not any(path.startswith(a) for a in allowed):
                    self.say(path, number, f"{pattern} is banned here: use {instead}")
            self.check_function(path, number, line, functions)
        if len(lines) > rules.MAX_FILE_LINES:
            self.say(path, len(lines), f"{len(lines)} lines, at most {rules.MAX_FILE_LINES}")
        if path.endswith(".h") and "#pragma once" not in lines[:3]:
            self.say(path, 1, "no #pragma once")

    def check_function(self, path, number, line, begun):
        """Functions and members of classes: a brace at their indent, or further left, closes what was begun."""
        indent = len(line) - len(line.lstrip())
        if FUNCTION.match(line):
            begun[indent] = number
        elif line.startswith(" " * indent + "}"):
            starts = [begun.pop(column) for column in list(begun) if column >= indent]
            if starts and number - min(starts) > rules.MAX_FUNCTION_LINES:
                self.say(path, min(starts), f"a function of {number - min(starts)} lines")

    def check_words(self, path, lines):
        if path.startswith("tools/tidy/"):
            return
        for number, line in enumerate(lines, 1):
            found = re.search(rules.BANNED_WORDS, line)
            if found:
                self.say(path, number, f'"{found.group(0)}" marks unfinished work')

    def check_documents(self, path, lines):
        for number, line in enumerate(lines, 1):
            for named in DOC_PATH.findall(line):
                if "<" in named or "*" in named:
                    continue
                if not os.path.exists(os.path.join(self.root, named.rstrip("/"))):
                    self.say(path, number, f"names {named}, which does not exist")

    def check_registered(self, path):
        """Every source is named in a CMakeLists.txt of its folder or one above."""
        if path == "tests/support/catch_main.cpp":  # named by the build's own functions
            return
        folder, name = os.path.split(path)
        below = name
        while True:
            listing = os.path.join(self.root, folder, "CMakeLists.txt")
            if os.path.exists(listing):
                with open(listing, encoding="utf-8") as file:
                    if below in file.read():
                        return
            if not folder:
                self.say(path, 1, "is in no CMakeLists.txt")
                return
            folder, last = os.path.split(folder)
            below = os.path.join(last, below)

    def run(self):
        for path in files_of(self.root):
            size = os.path.getsize(os.path.join(self.root, path))
            if size > rules.MAX_FILE_BYTES:
                self.say(path, 1, f"{size} bytes, at most {rules.MAX_FILE_BYTES}")
            if not path.endswith(rules.SOURCE_SUFFIXES + (".md", ".py", ".sh", ".cmake", ".yaml", ".txt")):
                continue
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                lines = file.read().splitlines()
            if path.endswith(rules.SOURCE_SUFFIXES):
                self.check_source(path, lines)
                self.check_words(path, lines)
                if path.endswith(".cpp"):
                    self.check_registered(path)
            elif path.endswith(".md"):
                self.check_documents(path, lines)
                self.check_words(path, lines)
            elif not path.endswith(".txt"):
                self.check_words(path, lines)
        for problem in self.problems:
            print(problem)
        return 1 if self.problems else 0


if __name__ == "__main__":
    sys.exit(Tidy(sys.argv[1] if len(sys.argv) > 1 else ".").run())
