"""How tests start programs. CTest says by variables where things are: NEGATRON_ROOT, NEGATRON_PROGRAM, NEGATRON_BUILD and
NEGATRON_MPIRUN, which is mpirun with its flags. PYTHONPATH names the module."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIMIT = 280


def run(command, cwd=None, code=0):
    """The output of a program that must end with `code`; "failure" is any but 0."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, text=True, timeout=LIMIT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    fits = done.returncode != 0 if code == "failure" else done.returncode == code
    assert fits, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def group():
    """This process alone. Imported here, as not every file of tests needs it."""
    import negatron

    return negatron.init()


@pytest.fixture
def bank(group):
    import negatron

    return negatron.Bank(group, rows=20, width=8, global_batch=4)


@pytest.fixture
def python():
    def start(script, *arguments, **how):
        return run([sys.executable, HERE / script, *arguments], **how)

    return start


@pytest.fixture
def mpirun():
    def start(ranks, script, *arguments, **how):
        return run([*os.environ["NEGATRON_MPIRUN"].split(), "-n", ranks, sys.executable, HERE / script, *arguments], **how)

    return start


@pytest.fixture
def torchrun():
    def start(ranks, script, *arguments, **how):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", ranks]
        return run([*command, HERE / script, *arguments], **how)

    return start


@pytest.fixture
def program():
    """The C++ program."""
    return lambda *arguments, **how: run([os.environ["NEGATRON_PROGRAM"], *arguments], **how)


@pytest.fixture(scope="session")
def root():
    return Path(os.environ["NEGATRON_ROOT"])
