"""Grey images of 12 x 12 with labels as IDX files, which `negatron pretrain --data` reads: the same bytes each time."""

import random
import struct

SIDE = 12
CLASSES = 3


def write_idx(folder, part, count):
    """part: "train" or "t10k"."""
    pixels = random.Random(part).randbytes(count * SIDE * SIDE)
    images = struct.pack(">4BIII", 0, 0, 8, 3, count, SIDE, SIDE) + pixels
    labels = struct.pack(">4BI", 0, 0, 8, 1, count) + bytes(i % CLASSES for i in range(count))
    (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
