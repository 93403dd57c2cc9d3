#!/usr/bin/env python3
"""Compiles each header alone, twice in one source, and fails naming those that do not.
    headers.py ROOT SCRATCH COMPILER INCLUDE_DIRECTORY...

The project's precompiled header is not used, because it hides what a header forgot to include. Parsing ATen takes many
seconds, though, and nearly every header needs it. So a header that includes ATen, itself or through another header of
the project, starts from a precompiled copy of ATen's tensor (whose header stands for ATen/ATen.h here, with the few
operators that headers call), and nothing else is in it. One that includes torch/ starts from a copy of torch's module
and autograd, which bring all of ATen. A header that includes neither is compiled without, so that one which names
at::Tensor and includes nothing for it fails. The copies are compiled beside the headers that need none.

Those that launch/LIBRARY.md lists find torch's headers and no other library's: who includes one needs no MPI, NCCL, HDF5
or CUDA for it.

Each source ends with an assertion that does not hold, which must be what the compiler stops at: what it would do behind
it, for seconds, is to instantiate templates of those libraries.
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
MODULE_INCLUDE = re.compile(r"^\s*#\s*include\s*<torch/(?:nn|optim|script|torch)\b", re.M)
MODULE_NAME = re.compile(r"\btorch::(?:nn|optim|jit)\b")
LISTED = re.compile(r"^\| `([a-z0-9_/]+\.h)` \|", re.M)
TENSOR = "".join(f"#include <ATen/{name}.h>\n" for name in ("core/Tensor", "ops/arange", "ops/empty", "ops/stack"))
MODULE = "#include <torch/autograd.h>\n#include <torch/nn/module.h>\n"
END = "the header compiles alone"


def found_in(directories):
    return [flag for directory in directories for flag in ("-isystem", str(directory))]


def is_torchs(directory):
    return any((Path(directory) / part).is_dir() for part in ("ATen", "torch"))


class Checker:
    """Compiles in `pool`."""

    def __init__(self, root, scratch, compiler, directories, pool):
        self.root, self.scratch, self.compiler, self.pool = root, scratch, compiler, pool
        page = root / "launch/LIBRARY.md"
        self.public = set(LISTED.findall(page.read_text())) if page.is_file() else set()
        self.directories = directories
        # Found before torch's, so that ATen/ATen.h means the tensor alone.
        self.stand_in = scratch / "stand_in"
        (self.stand_in / "ATen").mkdir(parents=True, exist_ok=True)
        (self.stand_in / "ATen" / "ATen.h").write_text("#pragma once\n" + TENSOR)
        self.reached, self.copies = {}, {}

    def precompiled(self, name, text, directories):
        """The header `text`, and the compilation of it, which starts when it is first asked for."""
        header = self.scratch / name
        if name not in self.copies:
            header.write_text(text)
            command = [self.compiler, "-std=c++20", *found_in(directories), "-x", "c++-header", str(header),
                       "-o", f"{header}.gch"]
            self.copies[name] = self.pool.submit(subprocess.run, command, check=True)
        return ["-include", str(header)], self.copies[name]

    def reaches(self, header, include):
        """Whether it includes such a header, itself or through another header of the project."""
        if (header, include) not in self.reached:
            self.reached[header, include] = False
            text = (self.root / header).read_text()
            self.reached[header, include] = bool(include.search(text)) or any(
                self.reaches(other, include) for other in OWN_INCLUDE.findall(text) if (self.root / other).is_file())
        return self.reached[header, include]

    def start_of(self, header):
        """Flags for what it includes of others' libraries, and the compilation that they wait for or None. No flags where
        the copy of torch's module would hide a fault."""
        if not self.reaches(header, MODULE_INCLUDE) and MODULE_NAME.search((self.root / header).read_text()):
            return None, None
        seen = [other for other in self.directories if header not in self.public or is_torchs(other)]
        if self.reaches(header, TORCH_INCLUDE):
            begin, copy = self.precompiled("module.h", MODULE, self.directories)
        elif self.reaches(header, ATEN_INCLUDE):
            begin, copy = self.precompiled("tensor.h", TENSOR, [self.stand_in, *self.directories])
            seen.insert(0, self.stand_in)
        else:
            begin, copy = [], None
        return [*found_in(seen), *begin], copy

    def complaint(self, header, start):
        """None, or what is wrong with it."""
        begin, copy = start
        if begin is None:
            return f"{header}: does not compile alone: names torch's modules and includes none"
        if copy is not None:
            copy.result()
        source = self.scratch / (header.replace("/", "_") + ".cpp")
        source.write_text(f'#include "{header}"\n#include "{header}"\nstatic_assert(false, "{END}");\n')
        flags = KERNEL_FLAGS if header.startswith(KERNEL_FOLDER) else []
        run = subprocess.run([self.compiler, "-std=c++20", "-fsyntax-only", "-Wfatal-errors", f"-I{self.root}", *flags,
                              *begin, str(source)], capture_output=True, text=True)
        first = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr)
        return None if END in first else f"{header}: does not compile alone: {first}"

    def complaints(self, headers):
        starts = {header: self.start_of(header) for header in headers}
        # Those first that wait for nothing; the copies were submitted before all of them, so that none waits for ever.
        order = sorted(headers, key=lambda header: starts[header][1] is not None)
        found = self.pool.map(lambda header: self.complaint(header, starts[header]), order)
        return sorted(complaint for complaint in found if complaint)


def main():
    root, scratch, compiler, *directories = sys.argv[1:]
    root, scratch = Path(root).resolve(), Path(scratch).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    headers = [str(path.relative_to(root)) for folder in FOLDERS for path in (root / folder).rglob("*.h")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = Checker(root, scratch, compiler, directories, pool).complaints(headers)
    print("\n".join(found) if found else f"{len(headers)} headers compile alone")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
