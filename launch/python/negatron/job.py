"""Which ranks a program is one of, and what becomes of them when it ends."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn

import torch
import torch.distributed as dist

from negatron import _core
from negatron.mistakes import told_before

_DEVICE = "the device of negatron.init()"


class Group:
    """The ranks that share banks and losses; `init` makes one. Use it from one thread at a time."""

    def __init__(self, core: _core.Group, carried_by: dist.ProcessGroup | None = None) -> None:
        self._core = core
        # Kept, as its messages are this group's.
        self._carried_by = carried_by

    @property
    def rank(self) -> int:
        """This process among the ranks, from 0."""
        return self._core.rank

    @property
    def size(self) -> int:
        """How many ranks there are."""
        return self._core.size

    @property
    def transport(self) -> str:
        """What carries tensors between ranks: "mpi", "torch" (a process group of torch.distributed), "nccl" or "alone"."""
        return self._core.transport

    def barrier(self) -> None:
        """Returns when every rank has entered. Collective."""
        self._core.barrier()

    def __repr__(self) -> str:
        return f"negatron.Group(rank {self.rank} of {self.size}, {self.transport})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a negatron.Group is a place among running processes and cannot be pickled or copied")


def _started_by_mpi() -> bool:
    if any(name in os.environ for name in ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")):
        return True
    tasks = os.environ.get("SLURM_STEP_NUM_TASKS", "1")
    return "SLURM_PROCID" in os.environ and "SLURM_STEP_ID" in os.environ and tasks.isdigit() and int(tasks) > 1


def _carrier(group: dist.ProcessGroup) -> dist.ProcessGroup:
    """The group itself, or one of the same ranks over gloo where it has no backend for host tensors (nccl alone)."""
    try:
        group._get_backend(torch.device("cpu"))
        return group
    except RuntimeError:
        ranks = dist.get_process_group_ranks(group)
        return dist.new_group(ranks, backend="gloo", use_local_synchronization=True)


def _found(group: dist.ProcessGroup | None, time_limit: float, check: bool) -> Group:
    """The ranks of this job, over whatever carries host tensors."""
    if group is None and dist.is_available() and dist.is_initialized():
        group = dist.group.WORLD
    if group is not None:
        carrier = _carrier(group)
        return Group(_core.torch_group(carrier.group_name, time_limit, check), carrier)
    # Before MPI's: srun may have started torchrun.
    if "TORCHELASTIC_RUN_ID" in os.environ:
        raise _core.CommError(
            "torchrun started this process, and torch.distributed has no group yet; call "
            "torch.distributed.init_process_group() before negatron.init()"
        )
    if _started_by_mpi():
        return Group(_core.mpi_group(time_limit, check))
    others = os.environ.get("WORLD_SIZE", "1")
    if "RANK" in os.environ and others.isdigit() and int(others) > 1:
        raise _core.CommError(
            f"RANK and WORLD_SIZE say that there are {others} processes, and torch.distributed has no group yet; call "
            "torch.distributed.init_process_group() before negatron.init(), or negatron.alone()"
        )
    return alone(time_limit=time_limit, check=check)


def _gpu_of(device: torch.device) -> int:
    if device.type != "cuda":
        raise ValueError(f"device must be 'cuda', a GPU's tensors then travel by NCCL, or 'cpu', and is '{device}'")
    gpus = torch.cuda.device_count()
    if gpus <= (device.index or 0):
        raise ValueError(f"device is '{device}', and torch finds {gpus} GPUs here")
    return torch.cuda.current_device() if device.index is None else device.index


def init(
    group: dist.ProcessGroup | None = None,
    *,
    device: torch.device | str = "cpu",
    time_limit: float = 600.0,
    check: bool = False,
) -> Group:
    """Finds the ranks of this job.

    They are those of `group` when it is given; else those of torch.distributed when its default group exists; else those
    that mpirun or srun started, over MPI; else this process is alone.

    What is no GPU's travels over the host: of a group of nccl alone, over a gloo group of the same ranks that is made
    here. Collective.

    Args:
        group: a process group of torch.distributed with this process in it.
        device: "cuda", for this process's current GPU, or "cuda:1": tensors of that GPU travel from GPU to GPU by NCCL,
            each rank with a GPU of its own. "cpu": they travel over the host as well.
        time_limit: seconds. A collective that takes longer is a TimeoutError, and says which ranks did not answer.
        check: compare every collective over the ranks before it runs. For debugging.

    Raises:
        CommError: the ranks do not find each other, torchrun started this process and no group was made, two ranks have
            one GPU, or this build has no NCCL.
        ValueError: this rank has no such GPU. The others hear of it by a DisagreementError.
    """
    found = _found(group, time_limit, check)
    with told_before(found, _DEVICE):
        wanted = torch.device(device)
        gpu = None if wanted.type == "cpu" else _gpu_of(wanted)
    _core.agree(found._core, _DEVICE, wanted.type)
    if gpu is None:
        return found
    return Group(_core.nccl_group(found._core, gpu, time_limit, check), found._carried_by)


def alone(*, time_limit: float = 600.0, check: bool = False) -> Group:
    """A group of this process alone, whoever started it. Local."""
    return Group(_core.lone_group(time_limit, check))


def finalize() -> None:
    """Closes all groups and ends MPI; banks and losses cannot communicate afterwards. A program that ends does this by
    itself. Collective."""
    _core.close_groups()


@atexit.register
def _close_at_exit() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    _core.begin_program_end()
    _core.close_groups_at_exit()
