#!/usr/bin/env bash
# Scores that are squared distances, as a user has them: the same run on 1 to 4 ranks over every kind of bank, one that is
# interrupted and goes on, the bank tools on its snapshots, embeddings, and what is refused.
#   distance_rows_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
shift 2
mpirun=("$@")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
cd "$work" || exit 1

far=("${small[@]}" --head-output distance --bank-fill empty --tau 1 --lr 0.1 --baselines off --evaluate-every 0)
# Rows that stay are there from the start, one for each sample.
stay=("${small[@]}" --head-output distance --tau 1 --lr 0.1 --baselines off --evaluate-every 0)
bank() { done_by "$negatron" bank "$@"; }

# --- the flag ---
"$negatron" pretrain --help | grep -A5 -F -- '--head-output' | grep -qF 'or distance (it does not' || fail '--help does not say it'
done_by "$negatron" pretrain "${far[@]}" --dry-run
says '[12, 16] of any length'
says '[31, 18] fp32, two numbers of each for distances'
says 'head-output = distance'
! grep -q warning err || fail "a warning: $(cat err)"
done_by "$negatron" pretrain "${small[@]}" --head-output distance --dry-run
grep -qF 'random rows of the start have length 1' err || fail "no warning of random rows: $(cat err)"
"$negatron" pretrain --list-objectives | grep -A1 -F '[Sohn' | grep -qF -- '--head-output unit | raw' || fail '--list-objectives does not say it'
"$negatron" pretrain --list-objectives | grep -A1 -F '[Chen et al., SimCLR' | grep -qF -- '--head-output unit | raw' || fail '--list-objectives does not say it of batches'
"$negatron" pretrain --list-samplers | grep -A1 -F '[Xiong' | grep -qF -- '--head-output unit | raw' || fail '--list-samplers does not say it'

# --- what is refused, before anything starts ---
never=("$negatron" pretrain "${far[@]}" --run-dir never)
refused 'distance does not go with --objective triplet: its distances are those of unit' "${never[@]}" --objective triplet
refused 'distance does not go with --objective n-pair: lengths' "${never[@]}" --objective n-pair
refused 'distance does not go with --objective whole-data: it draws' "${never[@]}" --objective whole-data --negatives bank
refused 'distance does not go with --objective dcl: it leaves' "${never[@]}" --objective dcl
refused 'distance does not go with --objective nt-xent and --negatives batch: both views' "${never[@]}" --objective nt-xent
refused 'distance does not go with --sampler mochi: its mixes' "${never[@]}" --sampler mochi
refused 'distance does not go with --sampler ance: its index is searched by its own rows' \
  "$negatron" pretrain "${stay[@]}" --bank-rows 40 --bank-kind index --sampler ance --run-dir never
refused 'distance does not go with --batch-order similar' "${never[@]}" --batch-order similar
refused 'take --bank-dtype fp32' "${never[@]}" --bank-dtype bf16
[ ! -e never ] || fail 'a refused run made a directory'

# --- every kind of bank, on 1 to 4 ranks ---
queue=("${far[@]}" --symmetric on --sampler top-n --sampler-options n=9)
memory=("${stay[@]}" --bank-rows 40 --bank-kind memory --bank-fill features --bank-per-view on)
learned=("${stay[@]}" --bank-kind learned --bank-fill features --rows-lr 0.5)
parametric=("${stay[@]}" --bank-rows 40 --bank-kind parametric --bank-fill features --rows-lr 0.5)
index=("${stay[@]}" --bank-rows 40 --bank-kind index --sampler uniform --sampler-options m=9)
# Each kind on one rank and on another number of them, the queue on all.
compared=(queue:1 queue:2 queue:3 queue:4 memory:1 memory:3 learned:1 learned:2 parametric:1 parametric:4 index:1 index:3)
for one in "${compared[@]}"; do
  declare -n flags=${one%:*}
  done_by on ${one#*:} pretrain "${flags[@]}" --precision fp64 --run-dir ${one/:/_}
done
"$python" - "${compared[@]}" <<'END' || fail 'losses depend on the number of ranks'
import json, math, sys
lines = lambda run: [row for row in map(json.loads, open(f"{run}/metrics.jsonl")) if "event" not in row]
for run in sys.argv[1:]:
    kind, ranks = run.split(":")
    one, many = lines(f"{kind}_1"), lines(f"{kind}_{ranks}")
    assert len(many) == 8 and all(math.isfinite(step["loss"]) for step in many), run
    assert max(step["loss"] for step in many) - min(step["loss"] for step in many) > 1e-4, run
    # Minus half of a square.
    assert all(step["positive_similarity"] <= 0 for step in many), run
    for a, b in zip(one, many):
        assert abs(a["loss"] - b["loss"]) <= 1e-10 * abs(a["loss"]), (run, a["loss"], b["loss"])
END

# --- a run that was interrupted; other settings; other ranks ---
done_by on 2 pretrain "${far[@]}" --run-dir whole
done_by on 2 pretrain "${far[@]}" --max-steps 5 --run-dir parts
done_by on 2 pretrain "${far[@]}" --resume auto --run-dir parts
[ "$(losses whole)" = "$(losses parts)" ] || fail 'a run that was interrupted trained otherwise'
bank diff whole parts
says 'equal: the same rows'
done_by on 3 pretrain --config learned_2/config.ini --epochs 3 --resume auto --run-dir learned_2
says 'resumed from step 8'
raw=("${small[@]}" --head-output raw --bank-fill empty --tau 1 --lr 0.01 --baselines off --evaluate-every 0)
refused '--head-output distance -> raw' "$negatron" pretrain "${raw[@]}" --resume auto --run-dir parts
refused 'row length distance' "$negatron" pretrain "${raw[@]}" --bank parts --run-dir never
refused 'width 16, this run' "$negatron" pretrain "${far[@]}" --width 8 --bank parts --run-dir never
done_by on 2 pretrain "${far[@]}" --max-steps 1 --bank parts --run-dir begun

# --- the bank tools ---
for run in parts learned_2 memory_3 parametric_4 index_1; do bank verify $run; done
bank info parts
says 'distance: vectors n of 16 numbers'
bank info parts --json
holds 'r["row_length"] == "distance" and r["width"] == 18 and r["vector_width"] == 16'
bank reshard learned_2 one --ranks 1
bank verify one
bank diff learned_2 one
says 'equal: the same rows'
range=$("$negatron" bank info parts --json | "$python" -c 'import json, sys; r = json.load(sys.stdin); print(*r["keys"], sep=":")')
bank extract parts rows.npy --range "$range"
bank import rows.npy imported --distance
bank info imported --json
holds 'r["row_length"] == "distance" and r["width"] == 18'
bank verify imported
bank near parts rows.npy --top 1 --json
holds 'all(abs(q["rows"][0]["score"]) < 1e-12 for q in r["near"])'
refused 'leave one of them out' "$negatron" bank import rows.npy never --distance --raw
refused 'too few digits' "$negatron" bank import rows.npy never --distance --dtype bf16
done_by on 2 pretrain "${raw[@]}" --max-steps 1 --run-dir raw
refused 'they cannot be in one bank' "$negatron" bank merge parts raw never
"$python" - parts/snapshots one/bank.h5 whole <<'END' || fail 'the files do not say what they hold'
import json, pathlib, sys, h5py, numpy
last = sorted(pathlib.Path(sys.argv[1]).glob("step-*"))[-1]
manifest = json.loads((last / "manifest.json").read_text())
assert manifest["version"] == 5 and manifest["bank"]["row_length"] == "distance" and manifest["bank"]["width"] == 18
with h5py.File(last / "bank.h5") as bank:
    assert bank.attrs["format"] == 5 and bank.attrs["unit_rows"] == 0 and bank.attrs["distance_rows"] == 1
    rows = bank["rows"][:].astype(float)
    assert abs(rows[:, 16] + (rows[:, :16] ** 2).sum(1) / 2).max() < 1e-5 and (rows[:, 17] == 1).all()
with h5py.File(sys.argv[2]) as bank:
    assert bank["raw"].shape == (31, 16) and bank["velocity"].shape == (31, 16) and bank["rows"].shape == (31, 18)
    assert (bank["raw"][:] == bank["rows"][:, :16]).all() and abs(bank["velocity"][:]).max() > 0
END

# --- embeddings are what the head made, features what they were ---
done_by "$negatron" embed parts embedded.npy --embeddings
"$python" - <<'END' || fail 'embeddings are not those of the head'
import numpy
lengths = numpy.linalg.norm(numpy.load("embedded.npy"), axis=1)
assert numpy.load("embedded.npy").shape == (40, 16) and abs(lengths - 1).max() > 1e-3
END
bank near parts embedded.npy --top 3

verdict 'rows of distances'
