"""One run on JPEG files, by Negatron and by lightly, with the same network, batches and optimizer. Rates in images/s."""

import copy
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from lightly.loss import NTXentLoss
from lightly.models.modules import MoCoProjectionHead
from lightly.models.utils import deactivate_requires_grad, update_momentum
from torch import nn
from torchvision.models import resnet18

from photograph_views import make_loader
from train_negatron import POLL_SECONDS, MetricsFile

BATCH, BANK_ROWS, HIDDEN, WIDTH = 64, 4096, 512, 128
TAU, KEY_MOMENTUM, RATE, SGD_MOMENTUM, WEIGHT_DECAY = 0.2, 0.999, 0.03, 0.9, 1e-4
NOT_COUNTED = 4
"""Steps that fill queues, start workers and choose kernels."""


def rate_of_negatron(folder, precision, side, steps):
    with tempfile.TemporaryDirectory() as scratch:
        run, log = Path(scratch) / "run", Path(scratch) / "log"
        flags = {"data": folder, "data-channels": 3, "image-size": side, "views": "moco-v2", "normalize": "imagenet",
                 "encoder": "resnet18", "head-hidden": HIDDEN, "width": WIDTH, "bank-rows": BANK_ROWS, "tau": TAU,
                 "global-batch": BATCH, "key-momentum": KEY_MOMENTUM, "lr": RATE, "sgd-momentum": SGD_MOMENTUM,
                 "weight-decay": WEIGHT_DECAY, "precision": precision, "drop-last": "on", "max-steps": NOT_COUNTED + steps,
                 "epochs": NOT_COUNTED + steps, "warmup-epochs": 0, "baselines": "off", "evaluate-every": 0,
                 "run-dir": run}
        metrics, begin, end = MetricsFile(run / "metrics.jsonl"), None, None
        command = ["build/negatron", "pretrain", *(f"--{name}={value}" for name, value in flags.items())]
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            while process.poll() is None and end is None:
                metrics.read()
                if begin is None and len(metrics.losses) >= NOT_COUNTED:
                    begin, first = time.perf_counter(), len(metrics.losses)
                if len(metrics.losses) >= NOT_COUNTED + steps:
                    end = time.perf_counter()
                time.sleep(POLL_SECONDS)
            process.wait()
        finally:
            process.kill()
        if process.returncode != 0 or end is None:
            raise RuntimeError(f"negatron pretrain ended {process.returncode}: {log.read_text().strip()}")
    return (NOT_COUNTED + steps - first) * BATCH / (end - begin)


class MoCo(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = resnet18()
        self.backbone.fc = nn.Identity()
        self.head = MoCoProjectionHead(HIDDEN, HIDDEN, WIDTH)
        self.key_backbone, self.key_head = copy.deepcopy(self.backbone), copy.deepcopy(self.head)
        deactivate_requires_grad(self.key_backbone)
        deactivate_requires_grad(self.key_head)

    def forward(self, views):
        """Queries, and their keys."""
        query = self.head(self.backbone(views[0]))
        with torch.no_grad():
            return query, self.key_head(self.key_backbone(views[1]))

    def follow(self):
        update_momentum(self.backbone, self.key_backbone, KEY_MOMENTUM)
        update_momentum(self.head, self.key_head, KEY_MOMENTUM)


def batches_without_end(loader):
    while True:
        yield from loader


def rate_of_lightly(paths, precision, on_tensors, workers, side, steps):
    model = MoCo()
    trained = [*model.backbone.parameters(), *model.head.parameters()]
    optimizer = torch.optim.SGD(trained, RATE, SGD_MOMENTUM, weight_decay=WEIGHT_DECAY)
    criterion = NTXentLoss(TAU, (BANK_ROWS, WIDTH))
    for done, views in enumerate(batches_without_end(make_loader(paths, on_tensors, side, BATCH, workers)), 1):
        model.follow()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            query, key = model(views)
        criterion(query.float(), key.float()).backward()
        optimizer.step()
        optimizer.zero_grad()
        if done == NOT_COUNTED:
            begin = time.perf_counter()
        if done == NOT_COUNTED + steps:
            return steps * BATCH / (time.perf_counter() - begin)
