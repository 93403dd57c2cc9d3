"""Writes what torch.save writes of a small network, the ways in which people save networks, into a folder.
    write_checkpoints.py FOLDER
"""

import argparse
import sys
from collections import OrderedDict
from pathlib import Path

import numpy
import torch

folder = Path(sys.argv[1])
torch.manual_seed(1)
network = torch.nn.Sequential(OrderedDict(conv1=torch.nn.Conv2d(3, 4, 3), bn1=torch.nn.BatchNorm2d(4), fc=torch.nn.Linear(4, 2)))
state = network.state_dict()
state["conv1.weight"] = torch.arange(4 * 3 * 3 * 3).view(4, 3, 3, 3).float()
optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
for parameter in network.parameters():
    parameter.grad = torch.ones_like(parameter)
optimizer.step()

torch.save(state, folder / "state.pt")
torch.save({"epoch": 3, "arch": "resnet50", "state_dict": state, "optimizer": optimizer.state_dict()}, folder / "checkpoint.pt")
torch.save(OrderedDict((name, torch.nn.Parameter(value) if value.is_floating_point() else value) for name, value in state.items()),
           folder / "parameters.pt")
torch.save({name: value.half() for name, value in state.items()}, folder / "half.pt")
torch.save({name: value.bfloat16() for name, value in state.items()}, folder / "bfloat16.pt")
whole = torch.arange(100.0).view(10, 10)
torch.save({"whole": whole, "part": whole[2:5, 1:3].t()}, folder / "views.pt")
moco = OrderedDict()
for encoder, shift in (("encoder_q", 0.0), ("encoder_k", 1.0)):
    for name, value in state.items():
        moco[f"module.{encoder}.{name}"] = value + shift if value.is_floating_point() else value
moco["module.queue"] = torch.zeros(8, 4)
torch.save({"epoch": 1, "state_dict": moco}, folder / "moco.pt")
queue = torch.arange(12.0).view(3, 4)
torch.save(queue.t(), folder / "tensor.pt")
torch.save({"state_dict": {"module.queue": queue, "module.queue_ptr": torch.tensor([1])}, "keys": queue.bfloat16()}, folder / "beside.pt")
torch.save({"model": {f"module.backbone.{name}": value for name, value in state.items()}}, folder / "ddp.pt")

torch.save({"state_dict": state, "args": argparse.Namespace(lr=0.1), "names": {"a", "b"}}, folder / "namespace.pt")
torch.save({"best": numpy.float64(0.5), "order": numpy.arange(3), "state_dict": state}, folder / "numpy.pt")
torch.save({"state_dict": state}, folder / "protocol4.pt", pickle_protocol=4)
torch.save({"empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5), "flag": torch.tensor([True]), "complex": torch.zeros(2, dtype=torch.complex64)}, folder / "odd.pt")

# What is not read.
torch.save(network, folder / "module.pt")
torch.save(state, folder / "old.pt", _use_new_zipfile_serialization=False)
torch.save([1, 2, 3], folder / "list.pt")
torch.save({"sparse": torch.eye(3).to_sparse()}, folder / "sparse.pt")
torch.jit.script(network.conv1).save(str(folder / "script.pt"))
