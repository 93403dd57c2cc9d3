"""Steps of MoCo (He et al., CVPR 2020) on random images, with a queue in PyTorch or with a sharded bank. Rank 0 prints one
JSON object: the seconds of each step that counts, the losses of all, and the most memory that a step took for itself.
    moco_steps.py queue|bank ROWS STEPS GLOBAL_BATCH THREADS
"""

import copy
import json
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

WIDTH, TAU, MOMENTUM, SIDE = 128, 0.2, 0.99, 28
WARM_STEPS = 3
CHUNK = 4096


class Rank:
    def __init__(self):
        self.size, self.number = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        if self.size > 1:
            dist.init_process_group("gloo")

    def all_keys(self, keys):
        if self.size == 1:
            return keys
        gathered = [torch.empty_like(keys) for _ in range(self.size)]
        dist.all_gather(gathered, keys)
        return torch.cat(gathered)

    def mean(self, value):
        total = value.detach().clone()
        if self.size > 1:
            dist.all_reduce(total)
        return total.item() / self.size


def make_encoder():
    """The network of the Fashion-MNIST preset."""
    layers, width = [], 1
    for output in (64, 128, 256):
        layers += [nn.Conv2d(width, output, 3, 2, padding=1, bias=False), nn.GroupNorm(8, output), nn.ReLU(inplace=True)]
        width = output
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, 512), nn.ReLU(inplace=True),
                         nn.Linear(512, WIDTH))


def first_rows(begin, end):
    """[end - begin, d] of the rows that both begin with, whatever part of them a rank asks for."""
    parts = []
    for chunk in range(begin // CHUNK, -(-end // CHUNK)):
        generator = torch.Generator().manual_seed(1 + chunk)
        rows = F.normalize(torch.randn(CHUNK, WIDTH, generator=generator), dim=1)
        parts.append(rows[max(begin - chunk * CHUNK, 0):end - chunk * CHUNK])
    return torch.cat(parts)


class Queue:
    """As MoCo's published script has it: every rank has all keys, and every step their logits."""

    def __init__(self, rank, rows):
        self.rank, self.pointer = rank, 0
        self.keys = torch.empty(WIDTH, rows)
        for begin in range(0, rows, CHUNK):
            end = min(begin + CHUNK, rows)
            self.keys[:, begin:end] = first_rows(begin, end).T

    def loss(self, q, k):
        positive = torch.einsum("nc,nc->n", q, k).unsqueeze(1)
        negative = torch.einsum("nc,ck->nk", q, self.keys.clone().detach())
        logits = torch.cat([positive, negative], dim=1) / TAU
        return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))

    def take(self, k):
        keys = self.rank.all_keys(k)
        self.keys[:, self.pointer:self.pointer + len(keys)] = keys.T
        self.pointer = (self.pointer + len(keys)) % self.keys.shape[1]


class ShardedBank:
    def __init__(self, rank, rows, batch):
        import negatron

        self.bank = negatron.Bank(negatron.init(), rows=rows, width=WIDTH, fill="empty", global_batch=batch)
        self.contrast = negatron.ContrastiveLoss(self.bank, tau=TAU, reduction="mean")
        for begin in range(0, rows, batch):
            own = batch // rank.size
            self.bank.enqueue(first_rows(begin + rank.number * own, begin + (rank.number + 1) * own))

    def loss(self, q, k):
        return self.contrast(q, k)

    def take(self, k):
        self.bank.enqueue(k)


def memory_now(name):
    """In bytes: VmRSS is resident, VmHWM the most that was since forget_peak()."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))


def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def main(kind, rows, steps, batch, threads):
    torch.set_num_threads(threads)
    rank = Rank()
    torch.manual_seed(0)
    query_encoder = make_encoder()
    key_encoder = copy.deepcopy(query_encoder).requires_grad_(False)
    memory = Queue(rank, rows) if kind == "queue" else ShardedBank(rank, rows, batch)
    trained = DistributedDataParallel(query_encoder) if rank.size > 1 else query_encoder
    optimizer = torch.optim.SGD(trained.parameters(), lr=0.03, momentum=0.9)
    torch.manual_seed(100 + rank.number)
    seconds, losses, transient = [], [], 0
    for step in range(steps):
        images = torch.rand(batch // rank.size, 1, SIDE, SIDE)
        view_q, view_k = images + 0.1 * torch.randn_like(images), images + 0.1 * torch.randn_like(images)
        if rank.size > 1:
            dist.barrier()
        forget_peak()
        resident, begin = memory_now("VmRSS"), time.perf_counter()
        q = F.normalize(trained(view_q), dim=1)
        with torch.no_grad():
            for p_q, p_k in zip(query_encoder.parameters(), key_encoder.parameters()):
                p_k.mul_(MOMENTUM).add_(p_q, alpha=1 - MOMENTUM)
            k = F.normalize(key_encoder(view_k), dim=1)
        loss = memory.loss(q, k)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        memory.take(k)
        if step >= WARM_STEPS:
            seconds.append(time.perf_counter() - begin)
            transient = max(transient, memory_now("VmHWM") - resident)
        losses.append(rank.mean(loss))
        del loss, q, k
    if rank.number == 0:
        print(json.dumps({"seconds": seconds, "losses": losses, "transient": transient}), flush=True)
    if rank.size > 1:
        dist.destroy_process_group()


main(sys.argv[1], *map(int, sys.argv[2:6]))
