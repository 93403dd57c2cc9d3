"""What the rule tests need to know of a C++ source: its text without comments, and its functions.

Not a parser: it reads code that clang-format has laid out, and looks for what a function of this project looks like.
"""

import re
from pathlib import Path

FOLDERS = ("comm", "samplers", "runtime", "launch")
SUFFIXES = (".h", ".cpp", ".cu", ".cuh")
NO_FUNCTION = {"if", "for", "while", "switch", "catch", "return", "sizeof", "alignof", "decltype", "defined",
               "static_assert", "requires", "throw", "new", "delete", "noexcept", "alignas", "else", "do", "case"}


def sources(root, folders=FOLDERS):
    """All sources below the folders, sorted."""
    return sorted(path for folder in folders for path in (Path(root) / folder).rglob("*") if path.suffix in SUFFIXES)


def without_comments(text):
    """The same text with blanks for comments, strings and characters, so that positions and lines stay."""
    pattern = r'//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", " ", match.group(0)), text, flags=re.S)


def matching(text, start):
    """Position of the bracket that closes the one at `start`, or -1."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    depth = 0
    opens, closes = text[start], pairs[text[start]]
    for position in range(start, len(text)):
        if text[position] == opens:
            depth += 1
        elif text[position] == closes:
            depth -= 1
            if depth == 0:
                return position
    return -1


def parts_of(parameters):
    """A parameter list cut at its commas, those inside brackets and templates left alone."""
    parts, depth, begin = [], 0, 0
    for position, letter in enumerate(parameters):
        if letter in "([{<":
            depth += 1
        elif letter in ")]}>" and parameters[position - 1:position + 1] != "->":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(parameters[begin:position].strip())
            begin = position + 1
    last = parameters[begin:].strip()
    return parts + [last] if last else parts


def declares(part):
    """Whether a part reads `type name` or `type name = value`, as no argument of a call does."""
    declaration = part.split("=")[0].strip()
    return bool(re.fullmatch(r"(?:const\s+)?[\w:]+(?:<.*>)?(?:::\w+)?(?:\s*const)?(?:\s+|\s*[&*]+\s*)(?:\.\.\.)?\w+(?:\[\w*\])?",
                             declaration, flags=re.S))


def functions(path):
    """(name, first line, lines of the body or 0, parameters) of every function, constructor and lambda."""
    code = without_comments(path.read_text())
    found = []
    for match in re.finditer(r"([~\w]+|\])\s*\(", code):
        name = match.group(1)
        if name in NO_FUNCTION:
            continue
        start = match.end() - 1
        end = matching(code, start)
        if end < 0:
            continue
        after = re.match(r"\s*(?:const|noexcept|override|final|mutable|&&?|\s)*(?:->\s*[\w:<>,&*\s]+?)?\s*(\{|;|=|:(?!:))",
                         code[end + 1:end + 400])
        if not after:
            continue
        parts = parts_of(code[start + 1:end])
        if not parts or not declares(parts[0]):
            before = code[:match.start()].rstrip()
            is_definition = after.group(1) in "{:" and re.search(r"[\w>&*\]]$|::$", before) and not before.endswith("return")
            if parts or not is_definition:
                continue
        lines = 0
        if after.group(1) == "{" or after.group(1) == ":":
            body = code.find("{", end)
            while after.group(1) == ":" and body >= 0:
                # A constructor's body is the first brace that no member's name stands before.
                if not re.search(r"[\w>]\s*$", code[:body]):
                    break
                body = code.find("{", matching(code, body))
            close = matching(code, body) if body >= 0 else -1
            if close > 0:
                lines = code.count("\n", body, close) - (1 if "\n" in code[body:close] else 0)
        found.append(("lambda" if name == "]" else name, code.count("\n", 0, match.start()) + 1, lines, len(parts)))
    return found
