"""MoCo's step in eager PyTorch, as one would write it by hand for one GPU, to be timed beside `negatron pretrain`.

A torchvision network under bf16 autocast, channels last, cuDNN's benchmark mode, SGD and momentum encoder fused where
PyTorch offers it, a queue in bf16 on the device, and views that are there already, so that no data are waited for.
Prints one line of JSON. Ends 77 where torchvision is missing.
    python3 peer_moco.py --encoder resnet50 --image-size 224 --batch 256
"""

import argparse
import copy
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional

SKIPPED = 77


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--encoder", default="resnet50", help="a ResNet's name in torchvision")
    parser.add_argument("--stem", choices=["imagenet", "cifar"], default="imagenet")
    parser.add_argument("--channels", type=int, default=1, help="of the images")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--bank-rows", type=int, default=65536)
    parser.add_argument("--hidden", type=int, default=2048, help="width of the projection head's hidden layer")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--tau", type=float, default=0.2)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--warm-up", type=int, default=10, help="steps before, of which nothing is timed")
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def make_encoder(options):
    try:
        from torchvision import models
    except ImportError:
        print("peer_moco.py needs torchvision, which this Python does not have.", file=sys.stderr)
        sys.exit(SKIPPED)
    network = models.get_model(options.encoder, weights=None)
    first = network.conv1
    if options.stem == "cifar":
        network.conv1 = nn.Conv2d(options.channels, first.out_channels, 3, 1, 1, bias=False)
        network.maxpool = nn.Identity()
    else:
        network.conv1 = nn.Conv2d(options.channels, first.out_channels, first.kernel_size, first.stride, first.padding,
                                  bias=False)
    network.fc = nn.Sequential(nn.Linear(network.fc.in_features, options.hidden), nn.ReLU(inplace=True),
                               nn.Linear(options.hidden, options.width))
    return network.to(options.device, memory_format=torch.channels_last)


class Moco:
    def __init__(self, options):
        self.options = options
        self.query, self.on_gpu = make_encoder(options), options.device.startswith("cuda")
        self.key = copy.deepcopy(self.query).requires_grad_(False)
        self.followers = list(self.key.parameters())
        self.leaders = [parameter.detach() for parameter in self.query.parameters()]
        self.optimizer = torch.optim.SGD(self.query.parameters(), lr=0.06, momentum=0.9, weight_decay=1e-4,
                                         fused=self.on_gpu)
        rows = torch.randn(options.bank_rows, options.width, device=options.device)
        self.bank, self.next_row = functional.normalize(rows).to(torch.bfloat16), 0

    def embed(self, encoder, view):
        with torch.autocast(self.options.device.split(":")[0], torch.bfloat16, self.options.precision == "bf16"):
            return functional.normalize(encoder(view).float())

    def step(self, view_a, view_b):
        queries = self.embed(self.query, view_a)
        with torch.no_grad():
            keys = self.embed(self.key, view_b)
        negative = queries.to(torch.bfloat16) @ self.bank.t()
        positive = (queries * keys).sum(1, keepdim=True)
        logits = torch.cat([positive, negative.float()], 1) / self.options.tau
        loss = functional.cross_entropy(logits, torch.zeros(len(queries), dtype=torch.long, device=queries.device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.followers, self.leaders, 0.01)
            places = torch.arange(self.next_row, self.next_row + len(keys), device=keys.device) % len(self.bank)
            self.bank.index_copy_(0, places, keys.to(self.bank.dtype))
        self.next_row = (self.next_row + len(keys)) % len(self.bank)
        return loss


def main():
    options = arguments()
    torch.manual_seed(options.seed)
    torch.backends.cudnn.benchmark = True
    moco = Moco(options)
    sizes = options.batch, options.channels, options.image_size, options.image_size
    views = [torch.randn(sizes, device=options.device).to(memory_format=torch.channels_last) for _ in range(2)]
    wait = torch.cuda.synchronize if moco.on_gpu else lambda: None
    begin = 0.0
    for step in range(options.warm_up + options.steps):
        if step == options.warm_up:
            wait()
            begin = time.perf_counter()
        loss = moco.step(*views)
    wait()
    seconds = time.perf_counter() - begin
    print(json.dumps({"images_per_second": options.steps * options.batch / seconds,
                      "step_ms": 1e3 * seconds / options.steps, "loss": loss.item(), "torch": torch.__version__,
                      "device": torch.cuda.get_device_name() if moco.on_gpu else options.device}))


if __name__ == "__main__":
    main()
