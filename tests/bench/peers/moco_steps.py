"""Steps of MoCo (He et al., CVPR 2020) on random images, with a queue in PyTorch, with a sharded bank, or with each in turn.
Rank 0 prints one JSON object, of each kind: the seconds of each step that counts, the losses of all, and the most memory
that a step took for itself.
    moco_steps.py queue|bank|both ROWS STEPS GLOBAL_BATCH THREADS
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


class Training:
    """Of one kind, which begins and goes on as the others do."""

    def __init__(self, kind, rank, rows, batch):
        self.rank, self.batch = rank, batch // rank.size
        torch.manual_seed(0)
        self.query_encoder = make_encoder()
        self.key_encoder = copy.deepcopy(self.query_encoder).requires_grad_(False)
        self.memory = Queue(rank, rows) if kind == "queue" else ShardedBank(rank, rows, batch)
        self.trained = DistributedDataParallel(self.query_encoder) if rank.size > 1 else self.query_encoder
        self.optimizer = torch.optim.SGD(self.trained.parameters(), lr=0.03, momentum=0.9)
        self.random = torch.Generator().manual_seed(100 + rank.number)
        self.seconds, self.losses, self.transient = [], [], 0

    def views(self):
        images = torch.rand(self.batch, 1, SIDE, SIDE, generator=self.random)
        return [images + 0.1 * torch.randn(images.shape, generator=self.random) for _ in range(2)]

    def train_on(self, view_q, view_k):
        q = F.normalize(self.trained(view_q), dim=1)
        with torch.no_grad():
            for p_q, p_k in zip(self.query_encoder.parameters(), self.key_encoder.parameters()):
                p_k.mul_(MOMENTUM).add_(p_q, alpha=1 - MOMENTUM)
            k = F.normalize(self.key_encoder(view_k), dim=1)
        loss = self.memory.loss(q, k)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.memory.take(k)
        return loss

    def step(self, counts):
        view_q, view_k = self.views()
        if self.rank.size > 1:
            dist.barrier()
        forget_peak()
        resident, begin = memory_now("VmRSS"), time.perf_counter()
        loss = self.train_on(view_q, view_k)
        if counts:
            self.seconds.append(time.perf_counter() - begin)
            self.transient = max(self.transient, memory_now("VmHWM") - resident)
        self.losses.append(self.rank.mean(loss))


def main(kind, rows, steps, batch, threads):
    torch.set_num_threads(threads)
    rank = Rank()
    trainings = {name: Training(name, rank, rows, batch) for name in (("queue", "bank") if kind == "both" else (kind,))}
    for step in range(steps):
        for training in trainings.values():
            training.step(step >= WARM_STEPS)
    if rank.number == 0:
        print(json.dumps({name: {"seconds": training.seconds, "losses": training.losses, "transient": training.transient}
                          for name, training in trainings.items()}), flush=True)
    if rank.size > 1:
        # torch 2.11 may abort a process that ends while a thread of gloo's still runs: so none is left to wait for one.
        dist.barrier()
        sys.stdout.flush()
        os._exit(0)


main(sys.argv[1], *map(int, sys.argv[2:6]))
