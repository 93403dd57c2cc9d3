"""Loads export.safetensors and export.pt of a folder, which must hold the same, in the ways of people who use them: with
torch, without running anything in the file, with the library safetensors, and, where the file names a network of
torchvision or timm, into that, strictly, made by the lines of Python in the file. Features must be those of features.pt.
    load_exported.py FOLDER
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch

folder = Path(sys.argv[1])
state = torch.load(folder / "export.pt", weights_only=True)
assert type(state) is OrderedDict, type(state)
assert torch.load(folder / "export.pt", weights_only=True, mmap=True).keys() == state.keys()
with open(folder / "export.safetensors", "rb") as file:
    length = int.from_bytes(file.read(8), "little")
    facts = json.loads(file.read(length))["__metadata__"]
assert length % 8 == 0 and all(isinstance(value, str) for value in facts.values()), facts
try:
    from safetensors import safe_open
    from safetensors.torch import load_file

    same = load_file(folder / "export.safetensors")
    with safe_open(folder / "export.safetensors", "pt") as file:
        assert file.metadata() == facts
    assert same.keys() == state.keys()
    for name, values in state.items():
        assert torch.equal(values, same[name]) and values.dtype == same[name].dtype, name
except ImportError:
    print("without safetensors")
if "python" in facts:
    exec(facts["python"])
    model.load_state_dict(state, strict=True)
    model.eval()
    wanted = torch.load(folder / "features.pt", weights_only=True)
    with torch.no_grad():
        features = model(wanted["images"])
    scale = wanted["features"].abs().max()
    difference = (features - wanted["features"]).abs().max() / scale
    print(facts["loads_into"], features.shape, float(difference))
    assert features.shape == wanted["features"].shape and difference < 1e-5, float(difference)
