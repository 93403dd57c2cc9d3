"""Grey images of noise as IDX files, which `negatron pretrain --data DIRECTORY` reads: what they show does not matter
to how fast they are trained on."""

import os
import struct

LABELS = 10
TEST_IMAGES = 64


def write_part(directory, part, count, side):
    with open(directory / f"{part}-images-idx3-ubyte", "wb") as file:
        file.write(struct.pack(">IIII", 2051, count, side, side))
        for _ in range(count):
            file.write(os.urandom(side * side))
    with open(directory / f"{part}-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">II", 2049, count) + bytes(i % LABELS for i in range(count)))


def write_grey_images(directory, count, side):
    directory.mkdir(parents=True, exist_ok=True)
    write_part(directory, "train", count, side)
    write_part(directory, "t10k", TEST_IMAGES, side)
