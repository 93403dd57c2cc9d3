"""Contrastive losses over one bank of negatives, sharded over the ranks of a job.

    import negatron
    group = negatron.init()
    bank = negatron.Bank(group, rows=65536, width=128)
    loss = negatron.ContrastiveLoss(bank, objective="info-nce", tau=0.2)
    value = loss(q, k)              # [b, 128] unit rows, q with gradient
    value.backward()
    bank.enqueue(k)

Importing starts nothing; `init` does. What is collective says so: all ranks call it, in the same order.
"""

import torch as _torch

try:
    from negatron import _core
except ImportError as _error:
    raise ImportError(
        f"negatron was built for another torch or Python than this one (torch {_torch.__version__}): {_error}. "
        "Build it again with this interpreter: pip install --no-build-isolation ./launch/python"
    ) from _error

if _core.torch_version != _torch.__version__.split("+")[0]:
    raise ImportError(
        f"negatron was built for torch {_core.torch_version} and this is torch {_torch.__version__}; build it again with "
        "this interpreter: pip install --no-build-isolation ./launch/python"
    )

from negatron._core import BrokenGroupError, CommError, DisagreementError, SnapshotError, TimeoutError
from negatron.bank import Bank, HardestRows
from negatron.contrastive_loss import ContrastiveLoss
from negatron.distances import distance_queries, distance_rows
from negatron.evaluation import Knn, LinearProbe, knn, linear_probe
from negatron.job import Group, alone, finalize, init
from negatron.methods import objectives, samplers
from negatron import files, lightly

__all__ = [
    "Bank",
    "BrokenGroupError",
    "CommError",
    "ContrastiveLoss",
    "DisagreementError",
    "Group",
    "HardestRows",
    "Knn",
    "LinearProbe",
    "SnapshotError",
    "TimeoutError",
    "alone",
    "distance_queries",
    "distance_rows",
    "files",
    "finalize",
    "init",
    "knn",
    "lightly",
    "linear_probe",
    "objectives",
    "samplers",
]
