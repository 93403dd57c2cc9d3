"""Images and labels of an IDX data set, and the kNN accuracy of features of them."""

import gzip
from pathlib import Path

import numpy
import torch
from torch.nn.functional import normalize

QUERY_BLOCK = 500
IMAGE_HEADER, LABEL_HEADER = 16, 8
SIDE = 28


class Images:
    """One part of the data set: pixels [N, 1, 28, 28] uint8, labels [N]."""

    def __init__(self, folder, part):
        pixels = self._read(Path(folder) / f"{part}-images-idx3-ubyte.gz", IMAGE_HEADER)
        self.pixels = pixels.view(-1, 1, SIDE, SIDE)
        self.labels = self._read(Path(folder) / f"{part}-labels-idx1-ubyte.gz", LABEL_HEADER).long()

    @staticmethod
    def _read(path, header):
        with gzip.open(path) as file:
            return torch.from_numpy(numpy.frombuffer(file.read(), numpy.uint8, offset=header).copy())


class Scale:
    """x = (byte / 255 - mean) / deviation, of all pixels of the training set."""

    def __init__(self, pixels):
        self.deviation, self.mean = (part.item() for part in torch.std_mean(pixels.double() / 255, correction=0))

    def __call__(self, pixels):
        return (pixels.float() / 255 - self.mean) / self.deviation


def knn_accuracy(features, train, test, k, temperature):
    """Per cent. The protocol of `negatron pretrain`: the k nearest of all training images by cosine vote with weight
    exp(similarity / temperature). `features`: pixels [b, 1, 28, 28] -> [b, D], any length."""
    with torch.no_grad():
        rows, queries = (torch.cat([normalize(features(block).float()) for block in part.pixels.split(QUERY_BLOCK)])
                         for part in (train, test))
    right = 0
    for block, labels in zip(queries.split(QUERY_BLOCK), test.labels.split(QUERY_BLOCK)):
        nearest = (block @ rows.T).topk(k)
        weights = ((nearest.values - nearest.values[:, :1]) / temperature).double().exp()
        votes = torch.zeros(len(block), int(train.labels.max()) + 1, dtype=torch.double)
        votes.scatter_add_(1, train.labels[nearest.indices], weights)
        right += (votes.argmax(1) == labels).sum().item()
    return 100 * right / len(queries)
