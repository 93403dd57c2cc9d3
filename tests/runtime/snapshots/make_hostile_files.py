"""Usage: make_hostile_files.py DIRECTORY. Writes files whose dataset `rows` must not be read, and two that may be."""
import os
import sys

import h5py
import numpy

os.chdir(sys.argv[1])
rows = numpy.arange(6, dtype=numpy.float32).reshape(3, 2)


def make(name):
    return h5py.File(name, "w")


with make("good.h5") as file:
    file["rows"] = rows
with make("chunked.h5") as file:
    file.create_dataset("rows", data=rows, chunks=(3, 2))
with make("external_link.h5") as file:
    file["rows"] = h5py.ExternalLink("good.h5", "rows")
with make("soft_link.h5") as file:
    file["real"] = rows
    file["rows"] = h5py.SoftLink("/real")
with make("virtual.h5") as file:
    layout = h5py.VirtualLayout(shape=(3, 2), dtype="f4")
    layout[:] = h5py.VirtualSource("good.h5", "rows", shape=(3, 2))
    file.create_virtual_dataset("rows", layout)
rows.tofile("raw.bin")
with make("external_storage.h5") as file:
    file.create_dataset("rows", shape=(3, 2), dtype="f4", external=[("raw.bin", 0, 24)])
with make("compressed.h5") as file:
    file.create_dataset("rows", data=rows, compression="gzip")
with make("huge.h5") as file:
    file.create_dataset("rows", shape=(2**60,), dtype="f4", chunks=(1024,))
with make("overflow.h5") as file:
    file.create_dataset("rows", shape=(2**40, 2**22), dtype="f4", chunks=(16, 16))
with make("sparse.h5") as file:
    file.create_dataset("rows", shape=(64, 2), dtype="f4", chunks=(4, 2))
with make("hollow.h5") as file:
    file.create_dataset("rows", shape=(2**28, 2), dtype="f4", chunks=(2**12, 2))
with make("group.h5") as file:
    file.create_group("rows")
with make("big_endian.h5") as file:
    file["rows"] = rows.astype(">f4")
with make("text.h5") as file:
    file["rows"] = ["not", "a", "number"]
with make("no_rows.h5") as file:
    file["other"] = rows
with open("not_hdf5.h5", "w") as file:
    file.write("this is no HDF5 file\n" * 100)
open("empty.h5", "w").close()
