"""Weighted kNN and logistic regression in plain PyTorch, and features to try them on."""

import torch
import torch.nn.functional as F


def clusters(train=180, test=90, width=6, classes=3, seed=2):
    """Features of classes that overlap, of any length, the labels beside them: train and test."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, width, generator=generator)
    made = []
    for count in (train, test):
        labels = torch.randint(0, classes, (count,), generator=generator)
        features = centres[labels] + 1.2 * torch.randn(count, width, generator=generator)
        made += [features * (0.5 + torch.rand(count, 1, generator=generator)), labels]
    return made


def plain_knn(train, labels, test, k, tau, classes):
    """[m, classes] votes; of equal scores the earlier row counts."""
    scores = F.normalize(test.float(), dim=1) @ F.normalize(train.float(), dim=1).T
    best = scores.double().sort(dim=1, descending=True, stable=True)
    k = min(k, len(train))
    weights = torch.exp((best.values[:, :k] - best.values[:, :1]) / tau)
    votes = torch.zeros(len(test), classes, dtype=torch.float64)
    votes.scatter_add_(1, labels[best.indices[:, :k]], weights)
    return votes / votes.sum(1, keepdim=True)


def plain_probe(train, labels, classes, l2):
    """[classes, D + 1], by gradient descent of the same convex loss until it stands."""
    train = train.double()
    mean, deviation = train.mean(0), train.std(0, correction=0)
    deviation[deviation == 0] = 1
    z = (train - mean) / deviation
    weights = torch.zeros(classes, z.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, tolerance_grad=1e-10, tolerance_change=1e-16,
                                  line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        logits = z @ weights[:, :-1].T + weights[:, -1]
        loss = F.cross_entropy(logits, labels) + l2 / 2 * weights[:, :-1].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)

    def predict(test):
        return ((test.double() - mean) / deviation @ weights[:, :-1].T + weights[:, -1]).argmax(1)

    return weights.detach(), predict
