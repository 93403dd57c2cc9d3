#!/usr/bin/env python3
"""Compiles each header alone, twice in one source, and fails naming those that do not.
    headers.py ROOT SCRATCH COMPILER INCLUDE_DIRECTORY...

The project's precompiled header is not used, because it hides what a header forgot to include. Parsing ATen takes many
seconds, though, and nearly every header needs it. So a header that includes ATen, itself or through another header of
the project, starts from a precompiled copy of ATen's tensor (whose header stands for ATen/ATen.h here, where no operator
is called), and nothing else is in it. One that includes torch/, or calls operators, starts from a copy of all of ATen
with autograd, which those headers bring anyhow. A header that includes neither is compiled without, so that one which
names at::Tensor and includes nothing for it fails.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDERS = ("comm", "samplers", "runtime", "launch")
# Vector code of a header is compiled with all that it may use.
KERNEL_FOLDER = "samplers/pass/cpu/kernels"
KERNEL_FLAGS = ["-mavx2", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512bf16", "-mamx-tile", "-mamx-bf16",
                "-mfma", "-Wno-psabi"]
OWN_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
ATEN_INCLUDE = re.compile(r"^\s*#\s*include\s*<(?:ATen|torch|c10)/", re.M)
TORCH_INCLUDE = re.compile(r"^\s*#\s*include\s*<torch/", re.M)
TENSOR = "#include <ATen/core/Tensor.h>\n"
EVERYTHING = "#include <ATen/ATen.h>\n#include <torch/autograd.h>\n"


class Checker:
    def __init__(self, root, scratch, compiler, directories):
        self.root, self.scratch, self.compiler = root, scratch, compiler
        self.reached = {}
        self.none = [flag for directory in directories for flag in ("-isystem", directory)]
        # Found before torch's, so that ATen/ATen.h means the tensor alone.
        stand_in = scratch / "stand_in"
        (stand_in / "ATen").mkdir(parents=True, exist_ok=True)
        (stand_in / "ATen" / "ATen.h").write_text("#pragma once\n" + TENSOR)
        self.tensor = self.precompiled("tensor.h", TENSOR, ["-isystem", str(stand_in), *self.none])
        self.everything = None

    def precompiled(self, name, text, includes):
        """Flags that begin a source with `text`, compiled beforehand."""
        header = self.scratch / name
        header.write_text(text)
        subprocess.run([self.compiler, "-std=c++20", *includes, "-x", "c++-header", str(header), "-o", f"{header}.gch"],
                       check=True)
        return [*includes, "-include", str(header)]

    def with_everything(self):
        """Made by the first header that asks, before the others are compiled side by side."""
        if self.everything is None:
            self.everything = self.precompiled("everything.h", EVERYTHING, self.none)
        return self.everything

    def reaches(self, header, include):
        """Whether it includes such a header, itself or through another header of the project."""
        if (header, include) not in self.reached:
            self.reached[header, include] = False
            text = (self.root / header).read_text()
            self.reached[header, include] = bool(include.search(text)) or any(
                self.reaches(other, include) for other in OWN_INCLUDE.findall(text) if (self.root / other).is_file())
        return self.reached[header, include]

    def start_of(self, header):
        """Flags for what it includes of others' libraries."""
        if self.reaches(header, TORCH_INCLUDE):
            return self.with_everything()
        return self.tensor if self.reaches(header, ATEN_INCLUDE) else self.none

    def error(self, header, start):
        """None, or what the compiler says first."""
        source = self.scratch / (header.replace("/", "_") + ".cpp")
        source.write_text(f'#include "{header}"\n#include "{header}"\n')
        flags = KERNEL_FLAGS if header.startswith(KERNEL_FOLDER) else []
        run = subprocess.run([self.compiler, "-std=c++20", "-fsyntax-only", f"-I{self.root}", *flags, *start, str(source)],
                             capture_output=True, text=True)
        if run.returncode == 0:
            return None
        return next((line for line in run.stderr.splitlines() if "error" in line), run.stderr)

    def complaint(self, header):
        """None, or what is wrong with it."""
        start = self.start_of(header)
        error = self.error(header, start)
        if error and start is self.tensor:
            error = self.error(header, self.with_everything())
        return f"{header}: does not compile alone: {error}" if error else None


def main():
    root, scratch, compiler, *directories = sys.argv[1:]
    root, scratch = Path(root).resolve(), Path(scratch).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    headers = sorted(str(path.relative_to(root)) for folder in FOLDERS for path in (root / folder).rglob("*.h"))
    checker = Checker(root, scratch, compiler, directories)
    if any(checker.reaches(header, TORCH_INCLUDE) for header in headers):
        checker.with_everything()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [complaint for complaint in pool.map(checker.complaint, headers) if complaint]
    print("\n".join(found) if found else f"{len(headers)} headers compile alone")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
