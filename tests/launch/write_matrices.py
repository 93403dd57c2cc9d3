"""Writes into the working directory the matrices that bank_command_test.sh imports, as people save them."""
import h5py, numpy
random = numpy.random.default_rng(5)
rows = random.standard_normal((300, 16))
rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
for name in ("f2", "f4", "f8"):
    numpy.save(f"{name}.npy", rows.astype(name))
rows = rows.astype("f4")
numpy.save("fortran.npy", numpy.asfortranarray(rows))
numpy.save("queue.npy", numpy.ascontiguousarray(rows.T))
numpy.save("scaled.npy", rows * 7)
numpy.save("big_endian.npy", rows.astype(">f4"))
numpy.save("integers.npy", numpy.zeros((3, 4), "i4"))
numpy.save("pickled.npy", numpy.array([{}, {}], dtype=object), allow_pickle=True)
numpy.save("other.npy", -rows[:50])
with open("version2.npy", "wb") as file:
    numpy.lib.format.write_array(file, rows, version=(2, 0))
bad = rows.copy()
bad[41, 3] = numpy.nan
numpy.save("bad.npy", bad)
with h5py.File("queue.h5", "w") as file:
    file["queue"] = rows.T
    file["queue_ptr"] = 0
with h5py.File("two.h5", "w") as file:
    file["model/queue"] = rows.T
    file["model/keys"] = rows
    file["step"] = 3
with h5py.File("group.h5", "w") as file:
    file["model/queue"] = rows
with h5py.File("packed.h5", "w") as file:
    file.create_dataset("queue", data=rows, compression="gzip", shuffle=True, fletcher32=True)
with h5py.File("big_endian.h5", "w") as file:
    file["queue"] = rows.astype(">f4")
    file["half"] = rows.astype(">f2")
numpy.savez("plain.npz", queue=rows.T, queue_ptr=0, names=numpy.array(["a"]))
numpy.savez_compressed("packed.npz", queue=rows)
numpy.savez("two.npz", a=rows, b=-rows)
numpy.savez_compressed("large.npz", queue=numpy.zeros((70000, 16), "f4"))
# As ml_dtypes has bfloat16: two raw bytes.
half = rows.view("u4") + 0x8000 >> 16
numpy.save("bf16.npy", half.astype("<u2").view("V2"))
open("empty.npy", "w")
open("pickled.pkl", "wb").write(__import__("pickle").dumps({"queue": rows}))
open("packed.npy.gz", "wb").write(__import__("gzip").compress(b"x"))
open("cut.npz", "wb").write(open("plain.npz", "rb").read()[:-30])
broken = bytearray(open("packed.npz", "rb").read())
broken[3000] ^= 0xFF
open("broken.npz", "wb").write(broken)
def safetensors(name, **tensors):
    import json
    header, data = {}, b""
    for key, value in tensors.items():
        raw = numpy.ascontiguousarray(value).tobytes()
        header[key] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    open(name, "wb").write(len(text).to_bytes(8, "little") + text + data)
safetensors("plain.safetensors", queue=rows)
safetensors("several.safetensors", **{"module.queue": rows.T, "fc.weight": rows[:3], "fc.bias": rows[0]})
with h5py.File("hostile.h5", "w") as file:
    file["rows"] = h5py.ExternalLink("queue.h5", "queue")
open("no_matrix.txt", "w").write("hello")
