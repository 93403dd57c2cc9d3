#!/usr/bin/env python3
"""Compiles each header that launch/LIBRARY.md lists alone, from a prefix, with torch's folders of headers and no others:
who includes one needs no MPI, NCCL or HDF5 for it. How: tests/rules/headers.py.
    headers_alone_test.py RULES PREFIX PAGE SCRATCH COMPILER INCLUDE_DIRECTORY...
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from installed_headers_test import LISTED


def main():
    rules, prefix, page, scratch, compiler, *directories = sys.argv[1:]
    sys.path.insert(0, rules)
    from headers import Checker

    Path(scratch).mkdir(parents=True, exist_ok=True)
    checker = Checker(Path(prefix) / "include" / "negatron", Path(scratch), compiler, directories)
    # That of the contract needs GoogleTest, and is compiled with the examples.
    listed = [header for header, _ in LISTED.findall(Path(page).read_text()) if not header.startswith("tests/")]
    starts = [checker.start_of(header) for header in listed]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [complaint for complaint in pool.map(checker.complaint, listed, starts) if complaint]
    print("\n".join(found) if found else f"{len(listed)} headers compile alone")
    sys.exit(1 if found or len(listed) < 30 else 0)


if __name__ == "__main__":
    main()
