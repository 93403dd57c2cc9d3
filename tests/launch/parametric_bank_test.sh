#!/usr/bin/env bash
# A parametric bank, as a user has it: weights of a classifier of samples, a run that is interrupted and goes on, also
# over another number of ranks, by each optimizer of rows; the bank tools on its snapshots; what is refused.
#   parametric_bank_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
shift 2
mpirun=("$@")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
cd "$work" || exit 1

slow=("${small[@]}" --bank-kind parametric --baselines off --evaluate-every 0)
weights=("${slow[@]}" --rows-lr 1)
bank() { done_by "$negatron" bank "$@"; }

# --- a run, and the same one interrupted, by each optimizer ---
done_by "$negatron" pretrain "${weights[@]}" --dry-run
says 'queries, own rows'
says '[40, 16]'
for optimizer in sgd adagrad adam; do
  rate=0.05
  [ "$optimizer" != sgd ] || rate=1
  drawn=("${slow[@]}" --rows-lr "$rate" --rows-optimizer "$optimizer" --sampler uniform --sampler-options m=12)
  done_by on 2 pretrain "${drawn[@]}" --run-dir "$optimizer"
  done_by on 2 pretrain "${drawn[@]}" --max-steps 5 --run-dir "parts-$optimizer"
  done_by on 2 pretrain "${drawn[@]}" --resume auto --run-dir "parts-$optimizer"
  [ "$(losses "$optimizer")" = "$(losses "parts-$optimizer")" ] ||
    fail "a run that was interrupted trained otherwise with $optimizer"
  bank verify "$optimizer"
  bank diff "$optimizer" "parts-$optimizer"
  says 'equal: the same rows'
  bank reshard "$optimizer" "one-$optimizer" --ranks 1
  bank verify "one-$optimizer"
  bank diff "$optimizer" "one-$optimizer"
  says 'equal: the same rows'
done
done_by on 2 pretrain "${slow[@]}" --rows-lr 0 --sampler uniform --sampler-options m=12 --run-dir still
[ "$(losses sgd)" != "$(losses still)" ] || fail 'rows that learn trained as rows that do not'
done_by on 3 pretrain --config adam/config.ini --epochs 3 --resume auto --run-dir adam
says 'resumed from step'

# --- what is in the files ---
bank info adam --json
holds 'r["kind"] == "parametric" and r["rows"] == 40 and r["filled"] == 40 and r["shards"] == 3'
holds 'r["rows_without_id"] == 0'
bank info sgd
says 'parametric: a row for each sample, trained with the encoder'
refused 'give less than 0.25, such as 0.01' "$negatron" pretrain "${weights[@]}" --rows-optimizer adam --run-dir never
refused 'leave --max-key-age out' "$negatron" pretrain "${weights[@]}" --max-key-age 3 --run-dir never
"$python" - one-sgd one-adagrad one-adam <<'END' || fail 'files hold other things than the optimizers remember'
import glob, sys, h5py, numpy
for name, dataset, width in zip(sys.argv[1:], ("velocity", "squares", "moments"), (16, 1, 33)):
    with h5py.File(name + "/bank.h5") as f:
        assert f[dataset].shape == (40, width), f[dataset].shape
        assert (f["ids"][:] == numpy.arange(40)).all() and abs(f[dataset][:]).max() > 0
        raw = f["raw"][:].astype(float)
        last = sorted(glob.glob(name.removeprefix("one-") + "/snapshots/step-*"))[-1]
        with h5py.File(last + "/bank.h5") as whole:
            # The run that adam trained has gone on since.
            for part in ("raw", dataset):
                assert name == "one-adam" or (whole[part][:] == f[part][:]).all(), part
        assert abs(raw / numpy.linalg.norm(raw, axis=1, keepdims=True) - f["rows"][:]).max() < 1e-6
END
refused 'holds a bank of the kind parametric' "$negatron" bank merge one-sgd sgd never

# --- other starts; refusals ---
done_by on 2 pretrain "${weights[@]}" --max-steps 1 --bank one-adam --run-dir begun
done_by on 2 pretrain "${weights[@]}" --head-output raw --tau 1 --run-dir products
bank verify products
bank info products --json
holds 'r["row_length"] == "raw" and r["norms"]["max"] > 1.001'
done_by on 2 pretrain "${weights[@]}" --max-steps 1 --bank-fill features --run-dir full
says 'the bank begins with what the encoder makes of each sample'
refused 'rows that were trained by adam, this run'\''s are by sgd (--rows-optimizer)' \
  on 2 pretrain "${weights[@]}" --resume one-adam --run-dir never
refused '--negatives bank, not with' "$negatron" pretrain "${weights[@]}" --negatives batch --run-dir never
refused 'has no key encoder, which --symmetric needs' "$negatron" pretrain "${weights[@]}" --symmetric on --run-dir never
refused 'leave --shards at 0' on 2 pretrain "${weights[@]}" --shards 1 --run-dir never
refused 'by which --objective supcon finds its positives' \
  "$negatron" pretrain "${weights[@]}" --objective supcon --run-dir never
refused 'takes the nearest negative alone' \
  "$negatron" pretrain "${weights[@]}" --objective lifted --objective-options negatives=max --negatives bank \
  --run-dir never
refused '--rows-optimizer' "$negatron" pretrain "${weights[@]}" --rows-optimizer momentum --run-dir never
[ ! -e never ] || fail 'a refused run made a directory'
verdict 'parametric banks'
