"""Writes the state dict of a network of torchvision or timm with random weights, by torch.save and, where there is such a
library, as safetensors, and the features that it makes of two images.
    write_network.py torchvision|timm NAME FOLDER
"""

import sys
from pathlib import Path

import torch

library, name, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
torch.manual_seed(2)
if library == "torchvision":
    import torchvision

    side = 64
    network = getattr(torchvision.models, name)(weights=None)
else:
    import timm

    side = 224
    network = timm.create_model(name, pretrained=False)
    for parameter in network.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
network.eval()
# Running statistics that are not those of a start.
for buffer in network.buffers():
    if buffer.is_floating_point():
        buffer.add_(0.1 * torch.rand_like(buffer))
torch.save(network.state_dict(), folder / "state.pt")
try:
    from safetensors.torch import save_file

    save_file(network.state_dict(), folder / "state.safetensors")
except ImportError:
    pass
if library == "torchvision":
    network.fc = torch.nn.Identity()
else:
    network.head = torch.nn.Identity()
images = torch.rand(2, 3, side, side)
with torch.no_grad():
    torch.save({"images": images, "features": network(images)}, folder / "features.pt")
