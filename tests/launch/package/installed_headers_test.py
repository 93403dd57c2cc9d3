#!/usr/bin/env python3
"""Fails unless the headers of a prefix are those that launch/LIBRARY.md lists and what these include, each listed once
with a line about it and the same as in the sources, where tests/rules compiles each alone, and none of them names a
header of MPI, NCCL, HDF5 or another library that who includes it need not have.
    installed_headers_test.py SOURCES PREFIX PAGE
"""

import re
import sys
from pathlib import Path

LISTED = re.compile(r"^\| `([a-z0-9_/]+\.h)` \| (.*\w.*) \|$", re.M)
OWN_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
OTHER_INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.M)
# Torch's, CUDA's within what only nvcc reads, and none of a library that only sources use.
HIDDEN = re.compile(r"^(mpi|nccl|hdf5|H5\w*|xxhash|jpeglib|png|webp/.*|boost/.*|google/.*|.*\.pb)\.h(pp)?$")


def complaints(sources, root, page):
    listed = [header for header, _ in LISTED.findall(page)]
    yield from (f"the page lists {header} {listed.count(header)} times" for header in sorted(set(listed))
                if listed.count(header) > 1)
    if len(listed) < 30:
        yield f"the page lists {len(listed)} headers; was its table not read?"
    installed = {str(path.relative_to(root)): path.read_text() for path in root.rglob("*.h")}
    yield from (f"{header} is listed, and not installed" for header in listed if header not in installed)

    reached, left = set(), list(listed)
    while left:
        header = left.pop()
        if header in reached or header not in installed:
            continue
        reached.add(header)
        for included in OWN_INCLUDE.findall(installed[header]):
            if included not in installed:
                yield f"{header} includes {included}, which is not installed"
            left.append(included)
    yield from (f"{header} is installed, and neither listed nor included by what is" for header in sorted(set(installed) - reached))
    for header, text in sorted(installed.items()):
        source = sources / header
        if not source.is_file() or source.read_text() != text:
            yield f"{header} is not what the sources have"
        yield from (f"{header} includes <{other}>" for other in OTHER_INCLUDE.findall(text) if HIDDEN.match(other))


def main():
    sources, prefix, page = map(Path, sys.argv[1:])
    found = list(complaints(sources, prefix / "include" / "negatron", page.read_text()))
    print("\n".join(found) if found else "the page and the prefix agree")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
