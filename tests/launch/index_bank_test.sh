#!/usr/bin/env bash
# An index of all samples, as a user has it: mining in it, batches of samples that are alike, a run that is interrupted
# and goes on, also over another number of ranks; the bank tools on its snapshots; what is refused.
#   index_bank_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
shift 2
mpirun=("$@")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
cd "$work" || exit 1

index=("${small[@]}" --bank-kind index --baselines off --evaluate-every 0)
ance=("${index[@]}" --sampler ance --sampler-options n=2,top=12,draw=6 --refresh-every 3)
bank() { done_by "$negatron" bank "$@"; }

# --- a run, and the same one interrupted ---
done_by "$negatron" pretrain "${ance[@]}" --dry-run
says 'views of mined samples'
says '[24, 1, 12, 12]'
says 'bank-rows = 40'
says 'refresh-every = 3'
says 'lists of samples'
done_by on 2 pretrain "${ance[@]}" --run-dir whole
says 'index made anew in'
says 'samples mined in'
done_by on 2 pretrain "${ance[@]}" --max-steps 5 --run-dir parts
done_by on 2 pretrain "${ance[@]}" --resume auto --run-dir parts
[ "$(losses whole)" = "$(losses parts)" ] || fail 'a run that was interrupted trained otherwise'
bank diff whole parts
says 'equal: the same rows'
done_by on 3 pretrain "${ance[@]}" --epochs 3 --resume auto --run-dir whole
says 'resumed from step 8'

# --- batches of samples that are alike ---
alike=("${small[@]}" --negatives batch --batch-order similar --baselines off --evaluate-every 0)
done_by on 2 pretrain "${alike[@]}" --run-dir alike
says 'order of the epoch in'
says '50.00 % of a batch chosen for being alike'
done_by on 2 pretrain "${alike[@]}" --max-steps 6 --run-dir alike_parts
done_by on 2 pretrain "${alike[@]}" --resume auto --run-dir alike_parts
[ "$(losses alike)" = "$(losses alike_parts)" ] || fail 'an order that was interrupted went on otherwise'
done_by "$negatron" export alike alike.safetensors

# --- the bank tools ---
bank verify whole
bank info whole --json
holds 'r["kind"] == "index" and r["rows"] == 40 and r["filled"] == 40 and r["shards"] == 3'
holds 'r["age"]["rows_without_step"] == 0 and r["rows_without_id"] == 0 and r["labels"]["without"] == 0'
bank info whole
says 'index: a row for each sample, made anew all at once'
bank reshard whole one --ranks 1
bank diff whole one
says 'equal: the same rows'
"$python" - one/bank.h5 <<'END' || fail 'rows are not those of one refresh'
import sys, h5py, numpy
with h5py.File(sys.argv[1]) as bank:
    assert (bank["ids"][:] == numpy.arange(40)).all()
    # Of 12 steps the last refresh was before the tenth.
    assert set(bank["steps"][:]) == {9}, bank["steps"][:]
    assert abs(numpy.linalg.norm(bank["rows"][:], axis=1) - 1).max() < 1e-6
END

# --- refusals ---
refused 'holds a bank of the kind index, whose rows belong to its run' "$negatron" bank merge one whole never
refused 'holds a bank of kind index' on 2 pretrain "${small[@]}" --bank-rows 40 --bank whole --run-dir never
refused 'draws 40 other samples for each, and the data have 40' on 2 pretrain "${index[@]}" --sampler ance \
  --sampler-options draw=40 --run-dir never
refused '--symmetric goes with a key encoder' "$negatron" pretrain "${ance[@]}" --symmetric on
refused 'leave --mask-own-sample on' "$negatron" pretrain "${index[@]}" --mask-own-sample off
refused 'leave --max-key-age out' "$negatron" pretrain "${index[@]}" --max-key-age 5
refused '--bank gives rows that --bank-kind index' "$negatron" pretrain "${index[@]}" --bank whole --run-dir never
refused 'leave --bank-fill out' "$negatron" pretrain "${index[@]}" --bank-fill features
refused '--bank-kind index goes with --negatives bank' "$negatron" pretrain "${index[@]}" --negatives batch
refused 'mode=fetch' "$negatron" pretrain "${index[@]}" --sampler mochi --sampler-options mode=no-fetch
[ ! -e never ] || fail 'a refused command made something'

verdict index_bank
