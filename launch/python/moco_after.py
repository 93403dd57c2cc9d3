"""MoCo (He et al., CVPR 2020) in one file: the loop of its published script, with random images and a small network.
    torchrun --nproc-per-node 2 moco_after.py [STEPS]
"""

import copy
import sys

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

import negatron

K, DIM, T, M, BATCH = 1024, 128, 0.2, 0.999, 32


def encoder():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, 256), torch.nn.ReLU(), torch.nn.Linear(256, DIM))


def main(steps):
    dist.init_process_group("gloo")
    torch.manual_seed(0)
    encoder_q = encoder()
    encoder_k = copy.deepcopy(encoder_q).requires_grad_(False)
    bank = negatron.Bank(negatron.init(), rows=K, width=DIM)
    contrast = negatron.ContrastiveLoss(bank, tau=T, reduction="mean")
    encoder_q = DistributedDataParallel(encoder_q)
    optimizer = torch.optim.SGD(encoder_q.parameters(), lr=0.03, momentum=0.9)
    torch.manual_seed(1 + dist.get_rank())
    for step in range(steps):
        images = torch.rand(BATCH, 3, 16, 16)
        im_q, im_k = images + 0.1 * torch.randn_like(images), images + 0.1 * torch.randn_like(images)
        q = F.normalize(encoder_q(im_q), dim=1)
        with torch.no_grad():
            for p_q, p_k in zip(encoder_q.parameters(), encoder_k.parameters()):
                p_k.mul_(M).add_(p_q, alpha=1 - M)
            k = F.normalize(encoder_k(im_k), dim=1)
        loss = contrast(q, k)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        bank.enqueue(k)
        print(f"step {step} rank {dist.get_rank()} loss {loss.item():.5f}", flush=True)
    dist.destroy_process_group()


main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
