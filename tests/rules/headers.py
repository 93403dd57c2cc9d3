#!/usr/bin/env python3
"""Compiles each header alone, twice in one source, and fails naming those that do not.
    headers.py ROOT SCRATCH COMPILER INCLUDE_DIRECTORY...

The project's precompiled header is not used, because it hides what a header forgot to include. Parsing ATen takes many
seconds, though, and nearly every header needs it. So a header that includes ATen, itself or through another header of
the project, starts from a precompiled copy of ATen's tensor (whose header stands for ATen/ATen.h here, where no operator
is called), and nothing else is in it. A header that does not is compiled without, so that one which names at::Tensor and
includes nothing for it fails. What needs more of ATen than its tensor is compiled with all of it, slowly.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDERS = ("comm", "samplers", "runtime", "launch", "tests")
# Vector code of a header is compiled with all that it may use.
KERNEL_FOLDER = "samplers/pass/cpu/kernels"
KERNEL_FLAGS = ["-mavx2", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16", "-mamx-tile", "-mamx-bf16",
                "-mfma", "-Wno-psabi"]
OWN_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
HEAVY_INCLUDE = re.compile(r"^\s*#\s*include\s*<(?:ATen|torch|c10)/", re.M)
TENSOR = "#include <ATen/core/Tensor.h>\n"


class Checker:
    def __init__(self, root, scratch, compiler, directories):
        self.root, self.scratch = root, scratch
        system = [flag for directory in directories for flag in ("-isystem", directory)]
        self.base = [compiler, "-std=c++20", "-fsyntax-only", f"-I{root}"]
        self.system = system
        self.heavy = {}
        # Found before torch's, so that ATen/ATen.h means the tensor alone.
        stand_in = scratch / "stand_in"
        (stand_in / "ATen").mkdir(parents=True, exist_ok=True)
        (stand_in / "ATen" / "ATen.h").write_text("#pragma once\n" + TENSOR)
        self.light = ["-isystem", str(stand_in), *system]
        tensor = scratch / "tensor.h"
        tensor.write_text(TENSOR)
        subprocess.run([compiler, "-std=c++20", *self.light, "-x", "c++-header", str(tensor), "-o", str(tensor) + ".gch"],
                       check=True)
        self.precompiled = ["-include", str(tensor)]

    def is_heavy(self, header):
        """Whether it includes ATen, itself or through another header of the project."""
        if header not in self.heavy:
            self.heavy[header] = False
            text = (self.root / header).read_text()
            self.heavy[header] = bool(HEAVY_INCLUDE.search(text)) or any(
                self.is_heavy(other) for other in OWN_INCLUDE.findall(text) if (self.root / other).is_file())
        return self.heavy[header]

    def complaint(self, header):
        """None, or what the compiler says first."""
        source = self.scratch / (header.replace("/", "_") + ".cpp")
        source.write_text(f'#include "{header}"\n#include "{header}"\n')
        flags = KERNEL_FLAGS if header.startswith(KERNEL_FOLDER) or "/amx/" in header else []
        tries = [[*self.light, *self.precompiled], self.system] if self.is_heavy(header) else [self.system]
        for includes in tries:
            run = subprocess.run([*self.base, *flags, *includes, str(source)], capture_output=True, text=True)
            if run.returncode == 0:
                return None
        first = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr)
        return f"{header}: does not compile alone: {first}"


def main():
    root, scratch, compiler, *directories = sys.argv[1:]
    root, scratch = Path(root).resolve(), Path(scratch).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    headers = sorted(str(path.relative_to(root)) for folder in FOLDERS for path in (root / folder).rglob("*.h"))
    checker = Checker(root, scratch, compiler, directories)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [complaint for complaint in pool.map(checker.complaint, headers) if complaint]
    print("\n".join(found) if found else f"{len(headers)} headers compile alone")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
