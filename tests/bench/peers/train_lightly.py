"""MoCo as lightly's example trains it, with Negatron's settings."""

import math
import time

import torch
from lightly.loss import NTXentLoss

from moco_network import MoCo
from trained import Trained
from views import make_loader


def make_optimizer(settings, parameters):
    """SGD that decays matrices and kernels only."""
    groups = [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": settings.number("weight-decay")},
              {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=settings.number("lr"), momentum=settings.number("sgd-momentum"))


def make_schedule(settings, optimizer, epoch_steps):
    """Linear warm-up, then half a cosine: factors of --lr."""
    peak = settings.count("global-batch") / 256
    least = settings.number("min-lr") / settings.number("lr")
    warmup = round(settings.number("warmup-epochs") * epoch_steps)
    total = settings.count("epochs") * epoch_steps

    def factor(step):
        if step < warmup:
            return peak * (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, total - warmup))
        return least + (peak - least) * 0.5 * (1 + math.cos(math.pi * progress))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def train(settings, train_images, scale, seed, workers, steps, warm_steps, make_loss=NTXentLoss):
    """`make_loss(tau, (K, d))` makes the loss with its bank."""
    torch.manual_seed(seed)
    loader = make_loader(settings, train_images.pixels, scale, workers)
    model = MoCo(settings)
    optimizer = make_optimizer(settings, model.trained())
    schedule = make_schedule(settings, optimizer, len(loader))
    criterion = make_loss(settings.number("tau"), (settings.count("bank-rows"), settings.count("width")))
    losses, begin = [], None
    while len(losses) < steps:
        for views in loader:
            model.follow(settings.number("key-momentum"))
            with torch.autocast("cpu", torch.bfloat16, enabled=settings.text("precision") == "bf16"):
                query, key = model.query(views[0]), model.key(views[1])
            # In fp32 at either precision, as Negatron's.
            loss = criterion(query.float(), key.float())
            loss.backward()
            if settings.number("clip-norm") > 0:
                torch.nn.utils.clip_grad_norm_(model.trained(), settings.number("clip-norm"))
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            if len(losses) == warm_steps:
                begin = time.perf_counter()
            if len(losses) == steps:
                break
    seconds = time.perf_counter() - begin
    return Trained((steps - warm_steps) * settings.count("global-batch") / seconds, losses, model.backbone)
