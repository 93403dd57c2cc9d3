"""Usage: read_bank.py SNAPSHOT EXPECTED. Reads bank.h5 and every shard with h5py and compares them with the rows of a
text file: sequence, id, label, step, vector."""
import os
import sys

import h5py
import numpy

snapshot, expected_path = sys.argv[1:]
expected = numpy.loadtxt(expected_path, ndmin=2)
numbers = expected[:, :4].astype(numpy.int64)
vectors = expected[:, 4:].astype(numpy.float32)


def check(file, rows):
    sequence = file["sequence"][:]
    at = sequence - numbers[0, 0]
    assert (numpy.stack([sequence, file["ids"][:], file["labels"][:], file["steps"][:]], 1) == numbers[at]).all(), file
    # bf16 is a type of our own: HDF5 itself converts it to float32.
    read = numpy.empty(file["rows"].shape, numpy.float32)
    if read.size:
        file["rows"].read_direct(read)
    assert (read == vectors[at]).all(), (file, read, vectors[at])
    return sequence


with h5py.File(os.path.join(snapshot, "bank.h5")) as bank:
    assert bank["rows"].shape == vectors.shape
    assert (check(bank, vectors) == numbers[:, 0]).all(), "not in ascending order"
    assert bank.attrs["capacity"] == len(expected)
    assert bank.attrs["width"] == vectors.shape[1]
    shards = int(bank.attrs["shards"])

seen = []
for shard in range(shards):
    with h5py.File(os.path.join(snapshot, f"bank.{shard:05d}-of-{shards:05d}.h5")) as file:
        sequence = check(file, vectors)
        assert (numpy.diff(sequence) > 0).all(), "a shard is not in ring order"
        assert file.attrs["shard"] == shard
        seen.extend(sequence)
assert sorted(seen) == list(numbers[:, 0]), "the shards are not the bank"

with h5py.File(os.path.join(snapshot, "trainer.h5")) as trainer:
    steps = trainer["numbers"].attrs["steps"]
    assert (trainer["tensors/query.weight"][:] == steps).all()
    assert trainer["tensors/alone"][()] == steps
    assert trainer["tensors/none"].shape == (0, 4)
    assert trainer["tensors/flags"].dtype == bool and trainer["tensors/flags"][0] == steps % 2
    assert trainer["tensors/half"].dtype == numpy.float16
    assert trainer["text/config"][()].rstrip(b"\0") == b"steps = %d" % steps
