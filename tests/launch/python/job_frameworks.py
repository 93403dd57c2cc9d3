"""The loss in the loops of others, over gloo: parameters that FSDP has cut up, and a loop as Lightning's, which owns the
step, sums gradients over parts of a batch, clips them, and goes on from a checkpoint. Afterwards weights are those of one
process.
    torchrun job_frameworks.py fsdp | loop   FOLDER
"""

import contextlib
import gc
import sys

import torch
import torch.distributed as dist
import torch.nn.functional as F

import negatron

WIDTH, INPUT, PER_RANK, STEPS = 8, 6, 4, 6


def unit(rows, seed, width=WIDTH):
    return F.normalize(torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def encoder():
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(INPUT, 16), torch.nn.Tanh(), torch.nn.Linear(16, WIDTH))


class Module(torch.nn.Module):
    """What a user of Lightning writes: an encoder, a loss, and what they do with a batch."""

    def __init__(self, group, model, batch):
        super().__init__()
        self.model = model
        self.bank = negatron.Bank(group, 40, WIDTH, global_batch=batch)
        self.loss = negatron.ContrastiveLoss(self.bank, learn_tau=True, reduction="mean")

    def training_step(self, views, others):
        value = self.loss(F.normalize(self.model(views), dim=1), others)
        self.bank.enqueue(others)
        return value


def batches(group, ranks, parts):
    """This rank's parts of every step; one process alone has those of all ranks."""
    for number in range(STEPS * parts):
        views, others = unit(PER_RANK * ranks, 10 + number, INPUT), unit(PER_RANK * ranks, 200 + number)
        own = slice(group.rank * PER_RANK, (group.rank + 1) * PER_RANK) if group.size > 1 else slice(None)
        yield views[own], others[own]


def average(tensors, group):
    """As the loop does with parameters that DistributedDataParallel does not hold."""
    if group.size == 1:
        return
    for tensor in tensors:
        dist.all_reduce(tensor.grad)
        tensor.grad /= group.size


def whole(parameter):
    return parameter.full_tensor() if hasattr(parameter, "full_tensor") else parameter


def trained_by_fsdp(group, ranks):
    model = encoder()
    if group.size > 1:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh("cpu", (group.size,))
        for layer in (model[0], model[2]):
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
    module = Module(group, model, PER_RANK * ranks)
    optimizers = [torch.optim.SGD(part.parameters(), 0.5, momentum=0.9) for part in (model, module.loss)]
    for views, others in batches(group, ranks, 1):
        for optimizer in optimizers:
            optimizer.zero_grad()
        module.training_step(views, others).backward()
        average(module.loss.parameters(), group)
        for optimizer in optimizers:
            optimizer.step()
    return [whole(p).detach().clone() for p in (*model.parameters(), *module.loss.parameters())]


def trained_by_loop(group, ranks, folder):
    """Two parts a step, gradients clipped, and half way everything is saved, thrown away and loaded."""
    parts = 2
    module = Module(group, encoder(), PER_RANK * ranks)
    wrapped, optimizer = None, None
    for number, (views, others) in enumerate(batches(group, ranks, parts)):
        if number == STEPS * parts // 2:
            state = {"module": module.state_dict(), "optimizer": optimizer.state_dict()}
            module.bank.save(f"{folder}/bank-{group.size}")
            module = Module(group, encoder(), PER_RANK * ranks)
            module.bank = negatron.Bank.load(group, f"{folder}/bank-{group.size}")
            module.loss = negatron.ContrastiveLoss(module.bank, learn_tau=True, reduction="mean")
            module.load_state_dict(state["module"])
            wrapped = None
        if wrapped is None:
            wrapped = torch.nn.parallel.DistributedDataParallel(module.model) if group.size > 1 else module.model
            optimizer = torch.optim.AdamW(module.parameters(), 0.01)
            if number > 0:
                optimizer.load_state_dict(state["optimizer"])
        last = number % parts == parts - 1
        silent = wrapped.no_sync() if group.size > 1 and not last else contextlib.nullcontext()
        with silent:
            value = module.loss(F.normalize(wrapped(views), dim=1), others)
            (value / parts).backward()
        module.bank.enqueue(others)
        if last:
            average(module.loss.parameters(), group)
            torch.nn.utils.clip_grad_norm_(module.parameters(), 0.5)
            optimizer.step()
            optimizer.zero_grad()
    return [p.detach().clone() for p in module.parameters()]


def main():
    action, folder = sys.argv[1:]
    dist.init_process_group("gloo")
    group = negatron.init()
    train = trained_by_fsdp if action == "fsdp" else lambda group, ranks: trained_by_loop(group, ranks, folder)
    together = train(group, group.size)
    if group.rank == 0:
        alone = train(negatron.alone(), group.size)
        start = [*encoder().parameters()]
        for one, other, before in zip(together, alone, start):
            assert (one - before).abs().max() > 1e-2, "nothing was learned"
        for one, other in zip(together, alone, strict=True):
            assert torch.allclose(one, other, atol=2e-5), (one - other).abs().max()
    print(f"rank {group.rank} is done\n", end="", flush=True)
    dist.barrier()
    # DistributedDataParallel stays in a cycle, and with it a thread of gloo's, which must not outlive the interpreter.
    gc.collect()
    dist.destroy_process_group()


main()
