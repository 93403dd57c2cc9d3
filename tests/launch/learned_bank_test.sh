#!/usr/bin/env bash
# A learned bank, as a user has it: a run that is interrupted and goes on, also over another number of ranks; the bank
# tools on its snapshots; what is refused.
#   learned_bank_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
shift 2
mpirun=("$@")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
cd "$work" || exit 1

sed 's/^bank-rows = .*/bank-rows = 30/' "$work/small.ini" >"$work/learned.ini"
learned=(--config "$work/learned.ini" --bank-kind learned --rows-tau 0.1 --baselines off --evaluate-every 0)
fast=("${learned[@]}" --rows-lr 1)
bank() { done_by "$negatron" bank "$@"; }

# --- a run, and the same one interrupted ---
done_by "$negatron" pretrain "${fast[@]}" --dry-run
says 'two views'
says '[30, 16]'
says 'rows-lr = 1'
done_by on 2 pretrain "${fast[@]}" --run-dir whole
done_by on 2 pretrain "${fast[@]}" --max-steps 5 --run-dir parts
done_by on 2 pretrain "${fast[@]}" --resume auto --run-dir parts
[ "$(losses whole)" = "$(losses parts)" ] || fail 'a run that was interrupted trained otherwise'
bank diff whole parts
says 'equal: the same rows'
grep -q '"rows_loss":' whole/metrics.jsonl || fail 'no loss of the rows in the metrics'
done_by on 2 pretrain "${learned[@]}" --rows-lr 0 --telemetry-every 2 --run-dir still
grep -q '"hard_turnover":' still/metrics.jsonl || fail 'no look at the hard sets in the metrics'
! grep -q '"hard_same_label":' still/metrics.jsonl || fail 'rows without labels have a share of false negatives'
[ "$(losses whole)" != "$(losses still)" ] || fail 'rows that learn trained as rows that do not'
done_by on 3 pretrain --config whole/config.ini --epochs 3 --resume auto --run-dir whole
says 'resumed from step 8'

# --- the bank tools: raw rows and velocities go where rows go ---
bank verify whole
bank info whole --json
holds 'r["kind"] == "learned" and r["rows"] == 30 and r["filled"] == 30 and r["shards"] == 3'
holds 'r["age"]["rows_without_step"] == 0 and r["rows_without_id"] == 30'
bank info whole
says 'learned: rows that are trained'
bank reshard whole one --ranks 1
bank verify one
bank diff whole one
says 'equal: the same rows'
"$python" - whole/snapshots one <<'END' || fail 'resharded rows are others'
import glob, sys, h5py, numpy
last = sorted(glob.glob(sys.argv[1] + "/step-*"))[-1]
with h5py.File(last + "/bank.h5") as a, h5py.File(sys.argv[2] + "/bank.h5") as b:
    for name in ("rows", "raw", "velocity", "ids", "steps", "sequence"):
        assert a[name].shape[0] == 30 and (a[name][:] == b[name][:]).all(), name
    raw = a["raw"][:].astype(float)
    assert abs(raw / numpy.linalg.norm(raw, axis=1, keepdims=True) - a["rows"][:]).max() < 1e-6
    assert (a["steps"][:] == 11).all() and (a["ids"][:] == -1).all() and abs(a["velocity"][:]).max() > 0
END
refused 'holds a bank of the kind learned, whose rows belong to its run' "$negatron" bank merge one whole never
[ ! -e never ] || fail 'a refused merge made something'

# --- start from its rows; refusals ---
done_by on 2 pretrain "${fast[@]}" --max-steps 1 --bank one --run-dir begun
done_by on 2 pretrain "${small[@]}" --max-steps 1 --baselines off --bank-rows 30 --run-dir queue
done_by on 2 pretrain "${fast[@]}" --max-steps 1 --bank-fill features --run-dir full
says 'the bank begins with what the encoder makes of 30 samples'
done_by on 2 pretrain "${fast[@]}" --max-steps 2 --negatives bank-and-batch --symmetric on --run-dir both
refused 'for each of 40 samples at most, and --bank-rows is 41' \
  "$negatron" pretrain "${small[@]}" --bank-kind learned --bank-rows 41 --bank-fill features --run-dir never
refused 'holds a bank of kind learned' on 2 pretrain "${small[@]}" --bank-rows 30 --bank one --run-dir never
refused 'holds a bank of kind queue' on 2 pretrain "${fast[@]}" --bank queue --run-dir never
refused '--bank-fill is random or features' "$negatron" pretrain "${fast[@]}" --bank-fill empty --run-dir never
refused '--negatives bank or bank-and-batch' "$negatron" pretrain "${fast[@]}" --negatives batch --run-dir never
refused 'leave --shards at 0' on 2 pretrain "${fast[@]}" --shards 1 --run-dir never
refused 'mode=fetch' "$negatron" pretrain "${fast[@]}" --sampler mochi --sampler-options mode=no-fetch --run-dir never
refused 'by which --objective supcon finds its positives' \
  "$negatron" pretrain "${fast[@]}" --objective supcon --run-dir never
refused 'by which --sampler oracle tells them apart' \
  "$negatron" pretrain "${fast[@]}" --sampler oracle --allow-oracle on --run-dir never
refused 'and bank=off none does' \
  "$negatron" pretrain "${fast[@]}" --sampler negcut --sampler-options bank=off --run-dir never
seq 40 | sed 's/.*/0/' >types
refused 'by which --sampler mochi tells them apart' "$negatron" pretrain "${fast[@]}" --sampler mochi \
  --sampler-options budgets=4 --sample-types types --run-dir never
refused '--rows-momentum' "$negatron" pretrain "${fast[@]}" --rows-momentum 1 --run-dir never
[ ! -e never ] || fail 'a refused run made a directory'
verdict 'learned banks'
