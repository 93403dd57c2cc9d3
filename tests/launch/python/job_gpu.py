"""Ranks with a GPU each: the loss over NCCL is that over the host.
    job_gpu.py mpi | torch
"""

import os
import sys

import torch
import torch.distributed as dist
import torch.nn.functional as F

import negatron

WIDTH, ROWS, OWN, STEPS = 32, 512, 16, 3


def unit(seed, rank, device):
    generator = torch.Generator().manual_seed(100 * seed + rank)
    return F.normalize(torch.randn(OWN, WIDTH, generator=generator), dim=1).to(device)


def trained(group, device):
    """Of a few steps: losses [s], gradients of q [s, b, d]; then scores [b, 8] of the hardest rows."""
    bank = negatron.Bank(group, ROWS, WIDTH, device=device, global_batch=OWN * group.size)
    loss = negatron.ContrastiveLoss(bank, sampler="top-n", sampler_options={"n": 64})
    losses, gradients = [], []
    for step in range(STEPS):
        q = unit(2 * step, group.rank, device).requires_grad_()
        k = unit(2 * step + 1, group.rank, device)
        value = loss(q, k)
        value.backward()
        bank.enqueue(k)
        losses.append(value.detach())
        gradients.append(q.grad)
    scores = bank.hardest(unit(99, group.rank, device), 8).scores
    return torch.stack(losses), torch.stack(gradients), scores


def main():
    carrier = sys.argv[1]
    local = int(os.environ.get("LOCAL_RANK", os.environ.get("OMPI_COMM_WORLD_LOCAL_RANK", 0)))
    torch.cuda.set_device(local)
    if carrier == "torch":
        dist.init_process_group("nccl")
    host, nccl = negatron.init(), negatron.init(device="cuda")
    assert host.transport == carrier and nccl.transport == "nccl", (host, nccl)
    device = torch.device("cuda", local)
    for over_host, over_nccl in zip(trained(host, device), trained(nccl, device)):
        assert over_nccl.device == device
        torch.testing.assert_close(over_nccl, over_host, rtol=1e-5, atol=1e-6)
    print(f"rank {nccl.rank} is done\n", end="", flush=True)
    if carrier == "torch":
        negatron.finalize()
        dist.destroy_process_group()


main()
