#!/usr/bin/env python3
"""Fails, naming file and line, on a function of more than six parameters, a folder of more than 25 units (a header with
its source is one) and a file of more than 400 lines.
    limits.py ROOT
"""

import sys
from collections import defaultdict
from pathlib import Path

from cpp_source import functions, sources

MOST_PARAMETERS = 6
MOST_UNITS = 25
MOST_LINES = 400


def complaints(root):
    units = defaultdict(set)
    for path in sources(root, ("comm", "samplers", "runtime", "launch", "tests")):
        name = path.relative_to(root)
        units[name.parent].add(path.stem)
        lines = path.read_text().count("\n")
        if lines > MOST_LINES:
            yield f"{name}:{MOST_LINES + 1}: {lines} lines; what is the second idea in this file?"
        # What tests imitate has the signatures of others.
        for function, line, _, parameters in functions(path) if name.parts[0] != "tests" else ():
            if parameters > MOST_PARAMETERS:
                yield f"{name}:{line}: {function} takes {parameters} parameters; which of them belong together?"
    for folder, names in sorted(units.items()):
        if len(names) > MOST_UNITS:
            yield f"{folder}: {len(names)} units in one folder; which rooms are in there?"


def main():
    found = list(complaints(Path(sys.argv[1])))
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
