#!/usr/bin/env python3
"""Plants one violation after the other in a small tree: each rule must name file and line of it, and must pass the tree
without it.
    self_test.py FOLDER_OF_RULES COMPILER INCLUDE_DIRECTORY...
"""

import subprocess
import sys
import tempfile
from pathlib import Path

RULES, COMPILER, DIRECTORIES = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
GOOD = {
    "comm/range.h": "#pragma once\n\n#include <vector>\n\nstruct Range {\n  std::vector<int> ends;\n};\n",
    "samplers/pass/pass.h": "#pragma once\n\n#include <ATen/ATen.h>\n\n/// FORMULAS.md 2\nat::Tensor run(int a, int b, int c, int d, int e, int f);\n",
    "samplers/pass/pass.cpp": '#include "samplers/pass/pass.h"\n\n#include <utility>\n\nat::Tensor six(int a, std::pair<int, int> b, int c, int d, int e, int f) {\n  return run(a, b.first, c, d, e, f);\n}\n',
    "samplers/pass/FORMULAS.md": "# Formulas\n\n## 2. A tree\n\n[the pass](pass.h)\n",
    "runtime/data/loader.h": "#pragma once\n",
    "launch/main.cpp": "int main() {\n  return 0;\n}\n",
    "tests/a_test.cpp": "// runs\n",
    ".clang-format": "BasedOnStyle: Google\nColumnLimit: 120\nAllowShortFunctionsOnASingleLine: Inline\n",
}


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def tree(root, changes):
    for name, text in {**GOOD, **changes}.items():
        write(root, name, text)


def run(rule, root):
    arguments = [root]
    if rule == "headers":
        arguments += [root / "scratch", COMPILER, *DIRECTORIES]
    done = subprocess.run([sys.executable, RULES / f"{rule}.py", *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def expect(rule, changes, named):
    """`named` is how the complaint begins, or a tuple of such; None where the rule must pass."""
    with tempfile.TemporaryDirectory() as folder:
        tree(Path(folder), changes)
        code, output = run(rule, Path(folder))
    if rule == "format" and code == 77:
        return
    lines = [line.removeprefix(folder + "/") for line in output.splitlines()]
    complaints = (named,) if isinstance(named, str) else named or ()
    fits = code == (1 if complaints else 0) and all(any(line.startswith(start) for line in lines) for start in complaints)
    fits = fits and (rule != "headers" or len(lines) == len(complaints))
    if not fits:
        sys.exit(f"{rule} with {changes or 'the good tree'} should say {named}, but ended {code} and said:\n{output}")


def main():
    for rule in ("limits", "citations", "format"):
        expect(rule, {}, None)
    seven = "int a, int b, int c, int d, int e, int f, int g"
    expect("limits", {"comm/a.h": f"#pragma once\n\nvoid join({seven});\n"}, "comm/a.h:3: join takes 7")
    expect("limits", {"comm/a.cpp": "class Join {\n  Join(" + seven + ") : a_(a) {}\n  int a_;\n};\n"}, "comm/a.cpp:2: Join takes 7")
    expect("limits", {"comm/a.cpp": "const auto f = [](" + seven + ") { return a; };\n"}, "comm/a.cpp:1: lambda takes 7")
    expect("limits", {"comm/a.cpp": "void f() {\n  run(1, 2, 3, 4, 5, 6, 7);\n  // void g(" + seven + ");\n}\n"}, None)
    expect("limits", {"comm/long.h": "//\n" * 401}, "comm/long.h:401: 401 lines")
    expect("limits", {f"runtime/data/{number}.h": "#pragma once\n" for number in range(25)}, "runtime/data: 26 units")
    expect("limits", {f"runtime/data/{number}.h": "#pragma once\n" for number in range(24)}, None)
    expect("citations", {"comm/a.h": "/// FORMULAS.md 2\n"}, "comm/a.h:1: there is no FORMULAS.md here or above")
    expect("citations", {"comm/a.h": "/// samplers/pass/FORMULAS.md 2\n"}, None)
    expect("citations", {"samplers/pass/cpu/a.h": "\n/// FORMULAS.md 2.1\n"}, "samplers/pass/cpu/a.h:2: samplers/pass/FORMULAS.md has no section 2.1")
    expect("citations", {"samplers/pass/FORMULAS.md": "[x](gone.h)\n## 2. A tree\n"}, "samplers/pass/FORMULAS.md:1: the link leads to no file: gone.h")
    expect("format", {"comm/a.h": "#pragma once\nint  a;\n"}, "comm/a.h:2:")
    if COMPILER != "none":
        # All in one tree, as a run of this rule begins with a copy of ATen's tensor: the others of it are not named.
        alone = "does not compile alone"
        expect("headers", {
            "comm/no_vector.h": "#pragma once\n#include <cstdint>\nstd::vector<std::int64_t> a();\n",
            "comm/no_guard.h": "struct Twice {};\n",
            "comm/no_tensor.h": "#pragma once\nat::Tensor a();\n",
            "comm/no_module.h": "#pragma once\n#include <torch/autograd.h>\ntorch::nn::Module* a();\n",
        }, (f"comm/no_guard.h: {alone}: ", f"comm/no_module.h: {alone}: names torch's modules",
            f"comm/no_tensor.h: {alone}: ", f"comm/no_vector.h: {alone}: "))
    print("every planted violation was named")


if __name__ == "__main__":
    main()
