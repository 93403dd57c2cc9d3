#!/usr/bin/env python3
"""Fails, naming file and line, on a comment or page that cites a page, section, or linked file that is not there.
    citations.py ROOT
A citation is `PAGE.md`, or `PAGE.md 2` or `PAGE.md 2.1` for its section of that number: a page of the same folder or of
one above it, or one named by its path from the root or from such a folder. A page links files as [text](path).
"""

import re
import sys
from pathlib import Path

TEXTS = ("*.h", "*.cpp", "*.cu", "*.cuh", "*.md", "*.txt", "*.cmake", "*.sh", "*.py")
CITATION = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.md)((?:,? (?:and )?\d+(?:\.\d+)*)*)")
LINK = re.compile(r"\[[^]]*\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
FOLDERS = ("comm", "samplers", "runtime", "launch", "tests")


def files(root):
    yield from (path for pattern in TEXTS for path in root.glob(pattern))
    yield from (path for folder in FOLDERS for pattern in TEXTS for path in (root / folder).rglob(pattern))


def page_of(root, path, cited):
    """The page that is meant, or None."""
    folder = path.parent
    while True:
        if (folder / cited).is_file():
            return folder / cited
        if folder == root:
            return None
        folder = folder.parent


def has_section(page, number):
    return re.search(rf"^#+ {re.escape(number)}[. ]", page.read_text(), flags=re.M) is not None


def complaints(root):
    for path in sorted(set(files(root))):
        name = path.relative_to(root)
        if name.parts[:2] == ("tests", "rules"):
            continue
        for line, text in enumerate(path.read_text().splitlines(), 1):
            prose = LINK.sub("", text) if path.suffix == ".md" else text
            for cited, sections in CITATION.findall(prose):
                page = page_of(root, path, cited)
                if page is None:
                    yield f"{name}:{line}: there is no {cited} here or above"
                    continue
                for number in re.findall(r"\d+(?:\.\d+)*", sections):
                    if not has_section(page, number):
                        yield f"{name}:{line}: {page.relative_to(root)} has no section {number}"
            if path.suffix == ".md":
                for link in LINK.findall(text):
                    if "://" not in link and not (path.parent / link).exists():
                        yield f"{name}:{line}: the link leads to no file: {link}"


def main():
    found = list(complaints(Path(sys.argv[1]).resolve()))
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
