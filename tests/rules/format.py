#!/usr/bin/env python3
"""Fails, naming file and line, on a source that clang-format would change; exits with 77, which CTest shows as skipped,
where clang-format 14 is not installed: other versions lay code out otherwise.
    format.py ROOT
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from cpp_source import sources

VERSION = "14"
SKIPPED = 77


def find_program():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        program = shutil.which(name)
        if program and f"version {VERSION}." in subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
            return program
    return None


def main():
    program = find_program()
    if program is None:
        print(f"rules.format: Skipped\nclang-format {VERSION} is not installed: apt-get install clang-format-{VERSION}")
        sys.exit(SKIPPED)
    root = Path(sys.argv[1])
    paths = [str(path) for path in sources(root, ("comm", "samplers", "runtime", "launch", "tests"))]
    run = subprocess.run([program, "--dry-run", "--Werror", *paths], capture_output=True, text=True)
    print("\n".join(re.findall(r"^\S+:\d+:\d+: error.*$", run.stderr, flags=re.M)))
    sys.exit(1 if run.returncode else 0)


if __name__ == "__main__":
    main()
