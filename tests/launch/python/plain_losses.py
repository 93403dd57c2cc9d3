"""The objectives in plain PyTorch on one device, as samplers/objectives/LOSSES.md writes them: an anchor at a time, with
all of its negatives as a list. Slow, and easy to see through."""

import math

import torch
from torch.nn.functional import softplus


class Anchor:
    """A view with its partner and what it meets: s its score with the partner, n [N] those with its negatives, same [N]
    which of them have its label."""

    def __init__(self, vector, partner, negatives, same):
        self.vector = vector
        self.s = vector @ partner
        self.n = negatives @ vector
        self.same = same

    @property
    def distance(self):
        return torch.sqrt(2 - 2 * self.s)

    @property
    def distances(self):
        return torch.sqrt(2 - 2 * self.n)


def anchors_of(batch, bank, negatives, queries_only):
    """`batch` has q, k [B, d], ids and labels [B]; `bank` has vectors [K, d], ids and labels [K]."""
    q, k, labels = batch["q"], batch["k"], batch["labels"]
    count = len(q)
    if negatives == "batch" and not queries_only:
        views, of_views = torch.cat([q, k]), torch.cat([labels, labels])
        anchors = []
        for i in range(2 * count):
            partner = (i + count) % (2 * count)
            others = [j for j in range(2 * count) if j not in (i, partner)]
            anchors.append(Anchor(views[i], views[partner], views[others], of_views[others] == of_views[i]))
        return anchors
    anchors = []
    for i in range(count):
        met, of_met = [], []
        if negatives in ("bank", "bank-and-batch"):
            others = bank["ids"] != batch["ids"][i]
            met.append(bank["vectors"][others])
            of_met.append(bank["labels"][others])
        if negatives in ("batch", "bank-and-batch"):
            others = [j for j in range(count) if j != i]
            met.append(k[others])
            of_met.append(labels[others])
        if not met:
            met, of_met = [q.new_zeros(0, q.shape[1])], [labels[:0]]
        anchors.append(Anchor(q[i], k[i], torch.cat(met), torch.cat(of_met) == labels[i]))
    return anchors


def mean(values):
    return torch.stack(values).mean()


def active_mean(hinges):
    values = torch.cat(hinges)
    return values.clamp_min(0).sum() / max(int((values > 0).sum()), 1)


def info_nce(anchors, c):
    return mean([softplus((c * a.n).logsumexp(0) - c * a.s) for a in anchors])


def advir(anchors, c, epsilon=0.05, weight=1.0):
    x = [(c * a.n).logsumexp(0) - c * a.s for a in anchors]
    return mean([softplus(v) + weight * softplus(v + 2 * c * epsilon) for v in x])


def dcl(anchors, c):
    return mean([(c * a.n).logsumexp(0) - c * a.s for a in anchors])


def dclw(anchors, c, sigma=0.5):
    e = torch.stack([torch.exp(a.s / sigma) for a in anchors])
    w = (2 - e / e.mean()).detach()
    return mean([(c * a.n).logsumexp(0) - w_i * c * a.s for a, w_i in zip(anchors, w)])


def hcl(anchors, c, beta=1.0, tau_plus=0.1):
    values = []
    for a in anchors:
        count = len(a.n)
        mass = count * torch.exp(((1 + beta) * c * a.n).logsumexp(0) - (beta * c * a.n).logsumexp(0))
        floor = torch.as_tensor(count * math.exp(-c), dtype=a.s.dtype)
        g = torch.maximum((mass - tau_plus * count * torch.exp(c * a.s)) / (1 - tau_plus), floor)
        values.append(softplus(g.log() - c * a.s))
    return mean(values)


def debiased(anchors, c):
    return hcl(anchors, c, beta=0.0)


def supcon(anchors, c):
    values = []
    for a in anchors:
        positives = torch.cat([a.s.view(1), a.n[a.same]])
        values.append((c * torch.cat([a.s.view(1), a.n])).logsumexp(0) - c * positives.mean())
    return mean(values)


def soft_nn(anchors, c):
    values = []
    for a in anchors:
        near, far = torch.cat([a.s.view(1), a.n[a.same]]), torch.cat([a.s.view(1), a.n])
        values.append((2 * c * far).logsumexp(0) - (2 * c * near).logsumexp(0))
    return mean(values)


def neg(anchors, c):
    return mean([softplus(-c * a.s) + softplus(c * a.n).sum() for a in anchors])


def siglip(anchors, c, parameters):
    t, b = parameters[0].exp(), parameters[1]
    return mean([softplus(-(t * a.s + b)) + softplus(t * a.n + b).sum() for a in anchors])


def contrastive(anchors, c, margin=1.0):
    pairs = torch.cat([margin - a.distances for a in anchors])
    active = max(int((pairs > 0).sum()), 1)
    return mean([1 - a.s for a in anchors]) + (pairs.clamp_min(0) ** 2 / 2).sum() / active


def triplet(anchors, c, margin=0.2):
    return active_mean([2 * a.n - 2 * a.s + margin for a in anchors])


def margin_ranking(anchors, c, margin=0.1):
    return active_mean([a.n - a.s + margin for a in anchors])


def n_pair(anchors, c):
    return info_nce(anchors, 1.0)


def lifted(anchors, c, alpha=1.0):
    m = [(alpha - a.distances).logsumexp(0) for a in anchors]
    return mean([(m_i + a.distance).clamp_min(0) ** 2 / 2 for a, m_i in zip(anchors, m)])


def lifted_in_batch(anchors, c, alpha=1.0):
    m = [(alpha - a.distances).logsumexp(0) for a in anchors]
    half = len(anchors) // 2
    both = [torch.logaddexp(m[i], m[(i + half) % len(m)]) for i in range(len(m))]
    return mean([(m_i + a.distance).clamp_min(0) ** 2 / 2 for a, m_i in zip(anchors, both)])


def whole_data(anchors, c, weight=0.01):
    return mean([(1 - a.s) ** 2 + weight * (a.n**2).sum() for a in anchors])


def byol(anchors, c):
    return mean([2 - 2 * a.s for a in anchors])


def triplet_in_batch(anchors, c, margin=0.2):
    triplets = []
    for a in anchors:
        for positive in [a.s, *a.n[a.same]]:
            far = 2 * positive - 2 * a.n
            semi_hard = ~a.same & (far > 0) & (far < margin)
            if semi_hard.any():
                triplets.append(2 * a.n[semi_hard].max() - 2 * positive + margin)
    return torch.stack(triplets).mean() if triplets else sum(a.s * 0 for a in anchors)


# Objective, negatives, plain form.
CASES = [
    ("info-nce", "bank", info_nce),
    ("info-nce", "bank-and-batch", info_nce),
    ("nt-xent", "batch", info_nce),
    ("info-nce-in-batch", "bank-and-batch", info_nce),
    ("advir", "bank", advir),
    ("dcl", "bank", dcl),
    ("dclw", "bank", dclw),
    ("debiased", "bank", debiased),
    ("hcl", "bank", hcl),
    ("hcl", "batch", hcl),
    ("supcon", "bank", supcon),
    ("supcon", "batch", supcon),
    ("soft-nn", "bank", soft_nn),
    ("soft-nn", "batch", soft_nn),
    ("nce", "bank", neg),
    ("neg", "bank", neg),
    ("siglip", "bank", siglip),
    ("contrastive", "bank", contrastive),
    ("contrastive", "batch", contrastive),
    ("triplet", "bank", triplet),
    ("triplet", "batch", triplet),
    ("triplet-in-batch", "batch", triplet_in_batch),
    ("margin-ranking", "bank", margin_ranking),
    ("n-pair", "batch", n_pair),
    ("lifted", "bank", lifted),
    ("lifted", "batch", lifted_in_batch),
    ("whole-data", "bank", whole_data),
    ("byol", "none", byol),
]
QUERIES_ONLY = {"n-pair"}
