"""Runs the contract of communicators over gloo groups of torch.distributed whose ranks are threads of this process.
    process_group_contract.py FOLDER_OF_THE_MODULE [GTEST_ARGUMENT...]
"""

import os
import sys
from datetime import timedelta
from threading import Thread

# torch 2.11 notes the first message of a group in a map that it changes before it takes its lock, and so must not when
# ranks are threads.
os.environ["TORCH_FR_BUFFER_SIZE"] = "0"

import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
from torch._C._distributed_c10d import _register_process_group  # noqa: E402

sys.path.insert(0, sys.argv[1])
import process_group_contract  # noqa: E402

RANK_COUNTS = (1, 2, 3, 4)
LIMIT = timedelta(seconds=60)


def make_group(store, rank, ranks, kept):
    name = f"contract-{ranks}-{rank}"
    own = dist.PrefixStore(f"contract-{ranks}", store)
    group = dist.ProcessGroup(own, rank, ranks)
    backend = dist.ProcessGroupGloo(own, rank, ranks, LIMIT)
    group._register_backend(torch.device("cpu"), dist.ProcessGroup.BackendType.GLOO, backend)
    group._set_default_backend(dist.ProcessGroup.BackendType.GLOO)
    # That of a group, which its parts are named after, is the same on every rank; the registry is one for all threads.
    group._set_group_name(f"contract-{ranks}")
    _register_process_group(name, group)
    kept.append(group)


def main():
    kept = []
    for ranks in RANK_COUNTS:
        store = dist.HashStore()
        threads = [Thread(target=make_group, args=(store, rank, ranks, kept)) for rank in range(ranks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if len(kept) != sum(RANK_COUNTS):
        sys.exit("not all ranks found each other")
    sys.exit(process_group_contract.run(["process_group_contract", *sys.argv[2:]]))


main()
