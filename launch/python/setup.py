"""pip install --no-build-isolation ./launch/python: CMake builds the extension for this interpreter and its torch.

NEGATRON_BUILD_DIR names a build folder to use; by default a new one beside pip's files, which takes some minutes.
NEGATRON_CMAKE_ARGS are further arguments of cmake.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parents[2]


class CMakeBuild(build_ext):
    def build_extension(self, extension):
        try:
            import torch
        except ImportError:
            sys.exit("negatron is built with the torch of this environment, which has none; install torch, and call pip "
                     "with --no-build-isolation")
        if not (ROOT / "samplers").is_dir():
            sys.exit(f"negatron is built from its repository, and {ROOT} is none: pip install ./launch/python in it")
        build = Path(os.environ.get("NEGATRON_BUILD_DIR", Path(self.build_temp).absolute() / "cmake"))
        if not (build / "CMakeCache.txt").is_file():
            generator = ["-G", "Ninja"] if shutil.which("ninja") else []
            settings = {
                "Python3_EXECUTABLE": sys.executable,
                "CMAKE_PREFIX_PATH": torch.utils.cmake_prefix_path,
                "NEGATRON_PYTHON": "ON",
                "NEGATRON_TESTS": "OFF",
            }
            self.run(["cmake", "-S", ROOT, "-B", build, "-Wno-dev", *generator,
                      *(f"-D{name}={value}" for name, value in settings.items()),
                      *shlex.split(os.environ.get("NEGATRON_CMAKE_ARGS", ""))])
        self.run(["cmake", "--build", build, "--target", "negatron_python"])
        (built,) = (build / "python" / "negatron").glob("_core*.so")
        target = Path(self.get_ext_fullpath(extension.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(built, target)

    def run(self, command=None):
        if command is None:
            super().run()
        else:
            subprocess.run([str(word) for word in command], check=True)


class WithExtension(Distribution):
    def has_ext_modules(self):
        return True


setup(ext_modules=[Extension("negatron._core", sources=[])], cmdclass={"build_ext": CMakeBuild}, distclass=WithExtension)
