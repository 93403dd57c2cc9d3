"""A bank that is filled and saved, or loaded and looked at: prints what it holds, which no number of ranks changes.
    job_bank.py mpi | torch | alone   save | load   PATH   [DTYPE]
"""

import sys

import torch
import torch.distributed as dist
import torch.nn.functional as F

import negatron

ROWS, WIDTH, BATCH = 41, 16, 12


def main():
    carrier, action, path = sys.argv[1:4]
    dtype = getattr(torch, sys.argv[4]) if len(sys.argv) > 4 else torch.float32
    if carrier == "torch":
        dist.init_process_group("gloo")
    group = negatron.init()
    assert group.transport == carrier, group
    keys = F.normalize(torch.randn(60, WIDTH, generator=torch.Generator().manual_seed(5)), dim=1)
    if action == "save":
        bank = negatron.Bank(group, ROWS, WIDTH, dtype, global_batch=BATCH)
        for begin in range(0, 60, BATCH):
            own = torch.arange(begin, begin + BATCH).tensor_split(group.size)[group.rank]
            bank.enqueue(keys[own], own, own % 4)
        bank.save(path)
    else:
        bank = negatron.Bank.load(group, path)
    found = bank.hardest(F.normalize(keys[:3, :WIDTH], dim=1)[:, : bank.width], 4)
    if group.rank == 0:
        shard = bank.shard()
        rows = [shard[name][shard["slots"] >= 0].tolist() for name in ("steps", "ids", "labels")]
        print("oldest", sorted(zip(*rows))[:6])
        print("holds", bank.rows, bank.filled, bank.step, bank.dtype, found.slots.tolist(), found.ids.tolist())
    if carrier == "torch":
        dist.destroy_process_group()


main()
