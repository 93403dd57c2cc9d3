"""Rows that stay or learn in plain PyTorch on one device, all K in one tensor."""

import torch
import torch.nn.functional as F


class PlainRows:
    """K rows [K, d]; those that learn are `raw`, of which the unit vectors score, with an optimizer of PyTorch."""

    def __init__(self, vectors, labels, optimizer=None, raises=False):
        self.raw = vectors.clone().requires_grad_(optimizer is not None)
        self.labels = labels
        self.raises = raises
        self.optimizer = optimizer
        # Row-wise sums of squares: PyTorch's own Adagrad has them for each number.
        self.squares = torch.zeros(len(vectors), 1, dtype=vectors.dtype)
        self.torch_optimizer = None

    @property
    def vectors(self):
        return F.normalize(self.raw, dim=1) if self.optimizer else self.raw

    def blend(self, ids, features, momentum):
        seen = set()
        for i, own in enumerate(ids.tolist()):
            if own not in seen:
                self.raw[own] = F.normalize(momentum * self.raw[own] + (1 - momentum) * features[i], dim=0)
            seen.add(own)

    def step(self, lr, momentum, weight_decay):
        """By what backward left in `raw`, whose rows it is negated for where they raise the loss."""
        if self.raises:
            self.raw.grad.neg_()
        if self.optimizer == "adagrad":
            with torch.no_grad():
                self.squares += self.raw.grad.square().mean(1, keepdim=True)
                self.raw *= 1 - lr * weight_decay
                self.raw -= lr * self.raw.grad / (self.squares.sqrt() + 1e-10)
        else:
            if self.torch_optimizer is None:
                self.torch_optimizer = (
                    torch.optim.SGD([self.raw], lr, momentum=momentum, weight_decay=weight_decay)
                    if self.optimizer == "sgd"
                    else torch.optim.AdamW([self.raw], lr, betas=(momentum, 0.999), weight_decay=weight_decay)
                )
            self.torch_optimizer.step()
        self.raw.grad = None
