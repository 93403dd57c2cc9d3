#!/usr/bin/env bash
# What comes out of a run, as a user gets it: `negatron export` and back by --init, `evaluate` and `embed` on 1, 2 and 3
# ranks with one answer, and what they refuse.
#   after_training_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
shift 2
mpirun=("$@")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
cd "$work" || exit 1

done_by on 2 pretrain "${small[@]}" --run-dir run
printed() { awk -v name="$1" '$0 ~ "^  " name " +[0-9.]+$" { print $NF }' out; }
trained=$(printed 'after training') raw=$(printed 'raw pixels') random=$(printed 'random weights')

# --- export, and back ---
done_by "$negatron" export run weights.safetensors --head --key
says 'wrote weights.safetensors: 20 tensors'
says 'inputs [b, 1, 12, 12]'
says 'No library has this network'
grep -qF 'the newest snapshot that verifies' err || fail "which snapshot was exported: $(cat err)"
done_by "$negatron" export run/snapshots/step-000000008 weights.pt --format torch --json
holds 'r["tensors"] == 6 and r["facts"]["step"] == "8" and r["facts"]["bank_rows"] == "31"' out
holds '"encoder-channels = 8,16" in r["facts"]["settings"] and "data" not in r["facts"]["settings"].split()' out
refused "'weights.pt' exists already; --force replaces it" "$negatron" export run weights.pt
done_by "$negatron" export run weights.pt --format torch --force --head --key
"$python" - <<'END' || fail 'torch reads other weights than the snapshot holds'
import h5py, torch
state = torch.load("weights.pt", weights_only=True)
with h5py.File("run/snapshots/step-000000008/trainer.h5") as file:
    saved = {name: torch.as_tensor(values[()]) for name, values in file["tensors"].items()}
for name, values in state.items():
    if name.startswith("key_encoder.projection_head."):
        name = name.replace(".projection_head.", ".head.")
    elif name.startswith("key_encoder."):
        name = name.replace("key_encoder.", "key_encoder.backbone.")
    else:
        name = name.replace("projection_head.", "encoder.head.") if "head" in name else "encoder.backbone." + name
    assert torch.equal(values, saved[name]), name
assert len(state) == 20
END
for file in weights.safetensors weights.pt; do
  rm -rf second
  done_by on 2 pretrain "${small[@]}" --seed 9 --max-steps 1 --run-dir second --lr 1e-30 --init $file --init-key $file
  says "6 of 6 tensors of the encoder taken; none missing"
  says "6 of 6 tensors of the encoder taken from 'key_encoder.'"
  "$python" - <<'END' || fail "a run that starts with $file begins with other weights"
import glob, h5py
with h5py.File("run/snapshots/step-000000008/trainer.h5") as a, h5py.File(glob.glob("second/snapshots/*/trainer.h5")[0]) as b:
    names = [name for name in a["tensors"] if name.startswith(("encoder.backbone.", "key_encoder.backbone."))]
    # The one step has next to no rate: it moves the query encoder by nothing that fp32 can tell, and the key encoder a
    # hundredth of the way to it.
    for name in names:
        before, after = a["tensors"][name][()], b["tensors"][name][()]
        assert (before == after).all() if name.startswith("encoder.") else abs(before - after).max() < 1e-2, name
    assert len(names) == 12
END
done
refused 'takes a run or snapshot and the file to write, 1 were given' "$negatron" export run
refused "'nowhere' does not exist" "$negatron" export nowhere never.safetensors
refused 'cannot be made: there is no directory' "$negatron" export run no/such/never.safetensors
refused "'run' is a directory" "$negatron" export run run --force
refused "expected one of: safetensors, torch" "$negatron" export run never.pt --format onnx
code=0
# The first rank comes last.
"${mpirun[@]}" -n 1 sh -c 'sleep 3; exec "$0" export run never.safetensors' "$negatron" : \
  -n 1 "$negatron" export run never.safetensors >out 2>err || code=$?
[ "$code" -eq 2 ] || fail "exit code $code under mpirun"
[ "$(grep -c '^negatron: negatron export is one process' err)" -eq 1 ] || fail "under mpirun: $(cat err)"
[ ! -e never.safetensors ] || fail 'a refused export wrote something'
[ -z "$(ls | grep partial)" ] || fail "something was left behind: $(ls)"

# --- evaluate: what the run itself measured, on any number of ranks ---
for ranks in 1 2 3; do
  done_by on $ranks evaluate run --json --threads 1
  cp out "evaluated$ranks"
done
cmp -s evaluated1 evaluated2 && cmp -s evaluated1 evaluated3 || fail "ranks differ: $(cat evaluated1 evaluated2 evaluated3)"
holds "['%.2f' % (100 * s['knn']) for s in r['subjects']] == ['$raw', '$random', '$trained']" evaluated1
holds '[s["name"] for s in r["subjects"]] == ["raw pixels", "random weights", "trained"] and r["step"] == 8' evaluated1
holds 'all(0 <= s["linear_probe"] <= 1 for s in r["subjects"]) and r["classes"] == 3 and r["knn_k"] == 5' evaluated1
done_by on 2 evaluate weights.safetensors --data data --knn-k 5 --json --threads 1
"$python" - <<'END' || fail "the exported file is judged otherwise than the run: $(cat out)"
import json
assert json.load(open("out"))["subjects"] == json.load(open("evaluated1"))["subjects"]
END
# Raw pixels are what the run compared with, whatever it normalised them by.
done_by on 2 pretrain "${small[@]}" --normalize '1;0.1' --max-steps 1 --run-dir bright
bright=$(printed 'raw pixels')
[ "$bright" != "$raw" ] || fail "raw pixels of either normalisation are $raw"
done_by on 2 evaluate bright --probe off --json
holds "'%.2f' % (100 * r['subjects'][0]['knn']) == '$bright'" out
done_by on 2 evaluate run --data data --normalize '1;0.1' --probe off --json
holds "'%.2f' % (100 * r['subjects'][0]['knn']) == '$bright'" out
# Of its own data a run's views stay normalised as they were, also where the images measure something else.
cp -r data lit
"$python" - <<'END'
for part in ("train", "t10k"):
    with open(f"lit/{part}-images-idx3-ubyte", "r+b") as file:
        head, pixels = file.read(16), file.read()
        file.seek(0)
        file.write(head + bytes(value + 120 for value in pixels))
END
raw_of() { "$python" -c 'import json; print(json.load(open("out"))["subjects"][0]["knn"])'; }
done_by on 2 pretrain "${small[@]}" --data lit --epochs 3 --resume run --run-dir moved
done_by on 2 evaluate moved --probe off --json
own=$(raw_of)
done_by on 2 evaluate moved --data lit --probe off --json
[ "$own" != "$(raw_of)" ] || fail "raw pixels of either normalisation are $own"
kept=$("$python" -c 'import h5py, sys; print(h5py.File(sys.argv[1])["text/normalization"][()].decode())' \
  moved/snapshots/step-000000012/trainer.h5)
done_by on 2 evaluate moved --data lit --normalize "$kept" --probe off --json
[ "$own" = "$(raw_of)" ] || fail "raw pixels of the run's own data are $own, normalised as it did $(raw_of)"
done_by on 2 evaluate run --data data --holdout 10 --baselines off --probe off
says '30 training images, 10 classified, 3 classes'
grep -qE '^  trained +[0-9.]+ +- +64$' out || fail "no line of the trained encoder: $(cat out)"
grep -q 'raw pixels' out && fail '--baselines off evaluates baselines'
# A run that spared itself the baselines is compared with them afterwards.
done_by on 2 pretrain "${small[@]}" --baselines off --evaluate-every 0 --max-steps 1 --run-dir spared
done_by on 2 evaluate spared --probe off
for subject in 'raw pixels' 'random weights' trained; do
  grep -qE "^  $subject +[0-9.]+ " out || fail "a run without baselines is not compared with $subject: $(cat out)"
done
done_by on 2 evaluate spared --probe off --baselines off
grep -q 'raw pixels' out && fail '--baselines off beside a run evaluates baselines'
refused 'did you mean --probe' "$negatron" evaluate run --prob off
refused '0 paths were given; usage: negatron evaluate RUN|SNAPSHOT|FILE' on 2 evaluate
refused "'nowhere' does not exist" on 2 evaluate nowhere
refused '--data is missing' on 2 evaluate weights.pt
refused 'leave one of them out' "$negatron" evaluate run --data data --eval-data data --holdout 3
mkdir unlabelled
cp data/*images* unlabelled
refused 'has no labels' on 2 evaluate run --data unlabelled
truncate -s 2000 weights.safetensors
refused 'weights.safetensors' on 2 evaluate weights.safetensors --data data

# --- embed: the same rows on any number of ranks, in either file ---
done_by on 1 embed run rows1.npy --threads 1 --batch 7
says 'wrote rows1.npy: features [40, 64]'
done_by on 2 embed run rows2.npy --threads 1 --batch 7
done_by on 3 embed run rows3.h5 --threads 1 --batch 7
done_by on 2 embed run embedded.h5 --embeddings --part test --batch 16
done_by on 2 embed run unit.npy --unit-rows
"$python" - <<'END' || fail 'rows differ'
import h5py, numpy
rows = numpy.load("rows1.npy")
labels = numpy.load("rows1.labels.npy")
assert rows.dtype == "f4" and rows.shape == (40, 64) and (numpy.load("rows1.ids.npy") == range(40)).all()
assert (labels == [i % 3 for i in range(1, 41)]).all(), labels
assert abs(numpy.load("rows2.npy") - rows).max() <= 1e-6 * abs(rows).max()
with h5py.File("rows3.h5") as file:
    assert abs(file["features"][:] - rows).max() <= 1e-6 * abs(rows).max()
    assert (file["labels"][:] == labels).all() and (file["ids"][:] == range(40)).all() and file.attrs["step"] == 8
with h5py.File("embedded.h5") as file:
    assert file["embeddings"].shape == (40, 16)
    assert abs(numpy.linalg.norm(file["embeddings"][:], axis=1) - 1).max() < 1e-5
unit = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
assert abs(numpy.load("unit.npy") - unit).max() < 1e-6
END
# --- rows of the bank by their labels ---
done_by "$negatron" bank extract run all.h5 --range 80:111
done_by "$negatron" bank extract run chosen.h5 --labels 0,2
"$python" - <<'END' || fail 'rows of other labels, or other rows, were extracted'
import h5py, numpy
with h5py.File("all.h5") as all_rows, h5py.File("chosen.h5") as chosen:
    labels = all_rows["labels"][:]
    wanted = numpy.isin(labels, [0, 2])
    assert 0 < wanted.sum() < len(labels) and (labels >= 0).all(), labels
    for name in ("labels", "ids", "sequence", "rows"):
        assert (chosen[name][:] == all_rows[name][:][wanted]).all(), name
END

# What was embedded is data again.
done_by on 2 pretrain --data rows1.npy --encoder mlp:hidden=8,layers=1 --holdout 8 --global-batch 8 --bank-rows 16 \
  --max-steps 2 --run-dir on_features --width 8 --head-hidden 8 --precision fp32
done_by on 2 evaluate on_features
says 'raw features'
refused "'rows1.npy' exists already; --force replaces it" on 2 embed run rows1.npy
refused 'ends in neither .npy nor .h5' "$negatron" embed run rows.csv
refused '1 path was given; usage: negatron embed' "$negatron" embed run
refused 'has no test part' "$negatron" embed on_features never.npy --data rows1.npy --part test
refused 'takes images' "$negatron" embed run never.npy --data rows1.npy
refused 'takes features' "$negatron" embed on_features never.npy --data data
[ ! -e never.npy ] || fail 'a refused embed wrote something'

verdict 'after training'
