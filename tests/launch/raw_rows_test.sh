#!/usr/bin/env bash
# Rows that are not divided by their length, as a user has them: N-pair, NEG and NCE over bank and batch, a run that is
# interrupted and goes on, the bank tools on its snapshots, embeddings, and what is refused.
#   raw_rows_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
shift 2
mpirun=("$@")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
cd "$work" || exit 1

unit=("${small[@]}" --bank-fill empty --tau 1 --lr 0.01 --baselines off --evaluate-every 0)
unit_n_pair=("${unit[@]}" --objective n-pair --objective-options l2=0.02)
raw=("${unit[@]}" --head-output raw)
n_pair=("${unit_n_pair[@]}" --head-output raw)
bank() { done_by "$negatron" bank "$@"; }

# --- the flag ---
"$negatron" pretrain --help | grep -A3 -F -- '--head-output' | grep -qF 'unit (the head divides' || fail '--help does not say it'
done_by "$negatron" pretrain "${n_pair[@]}" --negatives bank --dry-run
says '[12, 16] of any length'
says 'head-output = raw'
! grep -q warning err || fail "a warning: $(cat err)"
done_by "$negatron" pretrain "${small[@]}" --head-output raw --dry-run
grep -qF 'random rows of the start have length 1' err || fail "no warning of random rows: $(cat err)"
grep -qF -- '--head-output raw with --tau 0.2' err || fail "no warning of tau: $(cat err)"
refused '--head-output raw does not go with --objective byol: its loss is' "$negatron" pretrain "${raw[@]}" --objective byol
refused '--head-output raw does not go with --objective triplet: its distances' "$negatron" pretrain "${raw[@]}" --objective triplet
refused '--head-output raw does not go with --sampler mochi: its mixes' "$negatron" pretrain "${raw[@]}" --sampler mochi
refused '--head-output raw does not go with --bank-kind learned' "$negatron" pretrain "${small[@]}" --head-output raw --bank-kind learned
"$negatron" pretrain --list-objectives | grep -A1 -F '[Grill' | grep -qF -- '--head-output unit' || fail '--list-objectives does not say it'

# --- the objectives that it is for ---
for negatives in batch bank bank-and-batch; do
  done_by on 2 pretrain "${n_pair[@]}" --negatives $negatives --run-dir n_pair_$negatives
done
done_by on 1 pretrain "${n_pair[@]}" --negatives bank-and-batch --run-dir alone
for objective in neg nce; do done_by on 2 pretrain "${raw[@]}" --objective $objective --run-dir $objective; done
"$python" - <<'END' || fail 'losses are not those of raw scores'
import json, math
lines = lambda run: [row for row in map(json.loads, open(f"{run}/metrics.jsonl")) if "event" not in row]
for run in ("n_pair_batch", "n_pair_bank", "n_pair_bank-and-batch", "neg", "nce"):
    steps = lines(run)
    assert len(steps) == 8 and all(math.isfinite(step["loss"]) for step in steps), run
# Of one rank and of two.
for one, two in zip(lines("alone"), lines("n_pair_bank-and-batch")):
    assert abs(one["loss"] - two["loss"]) < 1e-4 * max(1, abs(one["loss"])), (one["loss"], two["loss"])
END

# --- a run that was interrupted; other settings ---
done_by on 2 pretrain "${n_pair[@]}" --negatives bank --max-steps 5 --run-dir parts
done_by on 2 pretrain "${n_pair[@]}" --negatives bank --resume auto --run-dir parts
[ "$(losses n_pair_bank)" = "$(losses parts)" ] || fail 'a run that was interrupted trained otherwise'
bank diff n_pair_bank parts
says 'equal: the same rows'
done_by on 2 pretrain "${unit[@]}" --max-steps 1 --run-dir unit
refused '--head-output raw -> unit' "$negatron" pretrain "${unit_n_pair[@]}" --negatives bank --resume auto --run-dir parts
refused '--head-output raw -> unit' "$negatron" pretrain "${unit_n_pair[@]}" --negatives batch --resume auto --run-dir n_pair_batch
refused 'row length raw' "$negatron" pretrain "${small[@]}" --bank parts --run-dir never
done_by on 2 pretrain "${n_pair[@]}" --negatives bank --max-steps 1 --bank parts --run-dir begun

# --- the bank tools ---
bank verify parts
bank info parts
says 'raw: as the encoder made them'
bank info parts --json
holds 'r["row_length"] == "raw" and r["norms"]["max"] - r["norms"]["min"] > 1e-3'
bank info unit --json
holds 'r["row_length"] == "unit"'
bank reshard parts one --ranks 1
bank diff parts one
says 'equal: the same rows'
refused 'they cannot be in one bank' "$negatron" bank merge parts unit never
bank extract parts rows.npy --range "$("$negatron" bank info parts --json | "$python" -c 'import json, sys; r = json.load(sys.stdin); print(*r["keys"], sep=":")')"
bank import rows.npy imported --raw
bank info imported --json
holds 'r["row_length"] == "raw"'
refused '--raw keeps them' "$negatron" bank import rows.npy never
bank near parts rows.npy --top 1
"$python" - one/bank.h5 n_pair_bank/snapshots <<'END' || fail 'the files do not say what they hold'
import json, pathlib, sys, h5py
with h5py.File(sys.argv[1]) as bank:
    assert bank.attrs["format"] == 3 and bank.attrs["unit_rows"] == 0
manifest = json.loads((sorted(pathlib.Path(sys.argv[2]).glob("step-*"))[-1] / "manifest.json").read_text())
assert manifest["version"] == 3 and manifest["bank"]["row_length"] == "raw"
manifest = json.loads((sorted(pathlib.Path("unit/snapshots").glob("step-*"))[-1] / "manifest.json").read_text())
assert manifest["version"] == 1 and "row_length" not in manifest["bank"]
END

# --- embeddings are what the bank has, features what they were ---
done_by "$negatron" embed parts rows.npy --embeddings --force
done_by "$negatron" embed parts features.npy --unit-rows
"$python" - <<'END' || fail 'embeddings are unit rows, or features are not'
import numpy
lengths = lambda file: numpy.linalg.norm(numpy.load(file), axis=1)
assert lengths("rows.npy").shape == (40,) and abs(lengths("rows.npy") - 1).max() > 1e-3
assert abs(lengths("features.npy") - 1).max() < 1e-5
END

verdict 'raw rows'
