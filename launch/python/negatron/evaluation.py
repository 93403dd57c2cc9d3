"""What features are worth: the measures of `negatron evaluate`, on tensors (runtime/evaluation/MEASURES.md)."""

from __future__ import annotations

from typing import NamedTuple, Sequence

import torch

from negatron import _core
from negatron.job import Group, alone
from negatron.mistakes import assign, number, require_tensor, told_together, whole_number


class Knn(NamedTuple):
    """How a vote of nearest neighbours classifies."""

    accuracy: float  # 0 to 1, over the test rows of all ranks; nan without any
    predictions: torch.Tensor  # [m] int64, of own test rows
    votes: torch.Tensor  # [m, classes] float64, the share of the vote of each class


class LinearProbe(NamedTuple):
    """How a linear classifier of frozen features does."""

    accuracy: float  # 0 to 1, over the test rows of all ranks; nan without any
    l2: float  # the strength of the penalty that was chosen
    validation: list[float]  # what each strength did on the part of train kept apart; empty for a single one
    weights: torch.Tensor  # [classes, D + 1] float64, of features scaled to mean 0 and deviation 1 over train; last is b


def _features(train: object, train_labels: object, test: object, test_labels: object) -> _core.LabelledFeatures:
    tensors = {"train": train, "train_labels": train_labels, "test": test, "test_labels": test_labels}
    for name, tensor in tensors.items():
        require_tensor(name, tensor)
    return _core.LabelledFeatures(**tensors)


def _classes(given: int | None) -> int:
    """0 for one more than the largest label."""
    return 0 if given is None else whole_number("classes", given, least=1)


def knn(
    train: torch.Tensor,
    train_labels: torch.Tensor,
    test: torch.Tensor,
    test_labels: torch.Tensor,
    *,
    group: Group | None = None,
    k: int = 200,
    tau: float = 0.1,
    classes: int | None = None,
) -> Knn:
    """Weighted kNN classification (Wu et al., InstDisc, CVPR 2018): each of the k training rows most similar to a test row
    votes for its label with weight exp(cosine / tau). Exact; of equal scores the earlier row counts. These are the
    numbers of `negatron evaluate`: features are scaled to length 1 and compared in float32.

    Args:
        train, test: [n, D] and [m, D] features of any length and floating dtype, on one device.
        train_labels, test_labels: [n] and [m] int64, 0 or more.
        group: the ranks, each of which passes its own part of train and of test, any number of rows; this process alone
            by default. Results do not depend on how rows lie over ranks, but for their order.
        k: all vote where there are fewer rows.
        classes: one more than the largest label by default.

    Collective over the group. Raises ValueError, or DisagreementError, on all ranks before any feature travels.
    """
    group = group or alone()
    with told_together(group):
        features = _features(train, train_labels, test, test_labels)
        settings = (whole_number("k", k), number("tau", tau), _classes(classes))
    return Knn(*_core.knn(group._core, features, *settings))


def linear_probe(
    train: torch.Tensor,
    train_labels: torch.Tensor,
    test: torch.Tensor,
    test_labels: torch.Tensor,
    *,
    group: Group | None = None,
    l2: Sequence[float] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5),
    validation_share: float = 0.1,
    classes: int | None = None,
    iterations: int = 200,
    tolerance: float = 1e-6,
) -> LinearProbe:
    """Multinomial logistic regression of frozen features z, scaled to mean 0 and deviation 1 over train, in float64 by
    L-BFGS: min over W, b of mean CE(W z + b, y) + l2 / 2 |W|^2. (scikit-learn's C is 1 / (l2 n).) Convex, so that the
    number of ranks does not matter.

    Args:
        train, train_labels, test, test_labels, group, classes: as `knn` takes them.
        l2: strengths; each is tried on a part of train that is kept apart, the best is trained on all of it.
        validation_share: that part, the same share of each label.
        iterations: at most.
        tolerance: it ends where no element of the gradient is larger.

    Collective over the group. Raises ValueError, or DisagreementError, on all ranks before any feature travels.
    """
    group = group or alone()
    with told_together(group):
        features = _features(train, train_labels, test, test_labels)
        options = _core.LinearProbeOptions()
        options.l2 = [number("l2", strength) for strength in l2]
        options.classes = _classes(classes)
        assign(options, validation_share=validation_share, most_iterations=iterations, tolerance=tolerance)
    return LinearProbe(*_core.linear_probe(group._core, features, options))
