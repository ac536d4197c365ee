#!/usr/bin/env python3
"""Writes files into a C++ source as constants.

usage: embed.py OUTPUT ROOT FILE...   (FILEs relative to ROOT)
"""
import sys


def literal(text):
    """Raw strings, cut where a compiler's limit on their length would be reached."""
    step = 12000
    return "\n".join(f'R"embedded({text[i:i + step]})embedded"' for i in range(0, max(len(text), 1), step))


def main():
    output, root, *paths = sys.argv[1:]
    rows = []
    for path in sorted(paths):
        with open(f"{root}/{path}", encoding="utf-8") as file:
            rows.append(f'    EmbeddedFile{{"{path}",\n{literal(file.read())}}},')
    with open(output, "w", encoding="utf-8") as file:
        file.write('#include "manifests/embedded.h"\n\n#include <array>\n\nnamespace coracle::manifests {\nnamespace {\n\n'
                   "constexpr std::array kFiles = {\n" + "\n".join(rows) + "\n};\n\n}  // namespace\n\n"
                   "std::span<const EmbeddedFile> embedded_files() { return kFiles; }\n\n"
                   "}  // namespace coracle::manifests\n")


if __name__ == "__main__":
    main()
