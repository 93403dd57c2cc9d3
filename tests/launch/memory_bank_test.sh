#!/usr/bin/env bash
# A memory bank, as a user has it: a run that is interrupted and goes on, also over another number of ranks; the bank
# tools on its snapshots; what is refused.
#   memory_bank_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
shift 2
mpirun=("$@")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
cd "$work" || exit 1

memory=("${small[@]}" --bank-kind memory --baselines off --evaluate-every 0)
bank() { done_by "$negatron" bank "$@"; }

# --- a run, and the same one interrupted ---
done_by "$negatron" pretrain "${memory[@]}" --dry-run
says 'one view'
says '[40, 16]'
says 'bank-rows = 40'
done_by "$negatron" pretrain "${memory[@]}" --sampler nscaching --dry-run
says 'lists of samples'
grep -qF 'every positive is a random row' err || fail "no warning of random rows: $(cat err)"
done_by on 2 pretrain "${memory[@]}" --run-dir whole
done_by on 2 pretrain "${memory[@]}" --max-steps 5 --run-dir parts
done_by on 2 pretrain "${memory[@]}" --resume auto --run-dir parts
[ "$(losses whole)" = "$(losses parts)" ] || fail 'a run that was interrupted trained otherwise'
bank diff whole parts
says 'equal: the same rows'
# The settings that it leaves are settings.
done_by on 3 pretrain --config whole/config.ini --epochs 3 --resume auto --run-dir whole
says 'resumed from step 8'

# --- the bank tools ---
bank verify whole
bank info whole --json
holds 'r["kind"] == "memory" and r["rows"] == 40 and r["filled"] == 40 and r["shards"] == 3'
holds 'r["age"]["rows_without_step"] == 0 and r["rows_without_id"] == 0 and sum(b["rows"] for b in r["age"]["bins"]) == 40'
bank info whole
says 'memory: a row for each sample'
bank reshard whole one --ranks 1
bank diff whole one
says 'equal: the same rows'
bank extract one some.h5 --ids 3,39
"$python" - one/bank.h5 some.h5 <<'END' || fail 'rows are not those of their samples'
import sys, h5py, numpy
with h5py.File(sys.argv[1]) as bank, h5py.File(sys.argv[2]) as some:
    assert (bank["ids"][:] == numpy.arange(40)).all()
    # Each row was written in the third epoch, by one of its four steps.
    assert sorted(set(bank["steps"][:])) == [8, 9, 10, 11], bank["steps"][:]
    assert (numpy.bincount(bank["steps"][:])[8:] == [12, 12, 12, 4]).all()
    assert abs(numpy.linalg.norm(bank["rows"][:], axis=1) - 1).max() < 1e-6
    assert (some["rows"][:] == bank["rows"][:][[3, 39]]).all()
END
refused 'holds a bank of the kind memory, whose rows belong to its run' "$negatron" bank merge one whole never
[ ! -e never ] || fail 'a refused merge made something'

# --- start from its rows; refusals ---
done_by on 2 pretrain "${memory[@]}" --max-steps 1 --bank whole --run-dir begun
done_by on 2 pretrain "${small[@]}" --max-steps 1 --baselines off --run-dir queue
done_by on 2 pretrain "${memory[@]}" --max-steps 1 --bank-fill features --run-dir full
says 'the bank begins with what the encoder makes of each sample'
! grep -qF 'every positive is a random row' err || fail "warned of rows that are features: $(cat err)"
bank info full --json
holds 'r["rows_without_id"] == 0 and r["labels"]["without"] == 0 and r["age"]["rows_without_step"] == 28'
refused 'is for rows that stay' "$negatron" pretrain "${small[@]}" --bank-fill features --run-dir never
refused 'holds a bank of kind memory' on 2 pretrain "${small[@]}" --bank-rows 40 --bank whole --run-dir never
refused 'holds a bank of kind queue' on 2 pretrain "${memory[@]}" --bank queue --run-dir never
refused 'a row for each sample' on 2 pretrain "${memory[@]}" --holdout 4 --bank whole --run-dir never
for flag in '--negatives batch' '--negatives bank-and-batch' '--symmetric' '--mask-own-sample' '--bank-fill' 'mode=no-fetch'; do
  case $flag in
    --symmetric) asked=(--symmetric on) ;;
    --mask-own-sample) asked=(--mask-own-sample off) ;;
    --bank-fill) asked=(--bank-fill empty) ;;
    mode=no-fetch) asked=(--sampler mochi --sampler-options mode=no-fetch) ;;
    *) read -ra asked <<<"$flag"; flag='--negatives bank' ;;
  esac
  refused "$flag" "$negatron" pretrain "${memory[@]}" "${asked[@]}" --run-dir never
done
[ ! -e never ] || fail 'a refused run made a directory'

# --- a bank for each view ---
views=("${memory[@]}" --bank-per-view on)
done_by "$negatron" pretrain "${views[@]}" --dry-run
says 'two views'
says 'bank of a view, this rank'
done_by on 2 pretrain "${views[@]}" --run-dir views
done_by on 2 pretrain "${views[@]}" --max-steps 5 --run-dir half
done_by on 2 pretrain "${views[@]}" --resume auto --run-dir half
[ "$(losses views)" = "$(losses half)" ] || fail 'a run with two banks that was interrupted trained otherwise'
bank verify views
says 'bank-view-a.00001-of-00002.h5'
bank diff views half
[ "$(grep -c 'equal: the same rows' out)" -eq 2 ] || fail "not both banks are equal: $(cat out)"
bank info views --json
holds '[b["name"] for b in r] == ["view-b", "view-a"] and all(b["rows"] == 40 and b["kind"] == "memory" for b in r)'
bank info views --name view-a --json
holds 'r["name"] == "view-a"'
bank reshard views wide --ranks 3
says "the banks 'view-b' and 'view-a'"
bank diff views wide
for name in view-a view-b; do
  bank extract views "$name.h5" --ids 3,39 --name "$name"
  bank near views --ids 3 --name "$name" --json
  mv out "near-$name.json"
done
"$python" - <<'END' || fail 'a name did not choose its bank'
import glob, json, h5py, numpy
last = sorted(glob.glob("views/snapshots/step-*"))[-1]
nearest = []
for name in ("view-a", "view-b"):
    with h5py.File(f"{last}/bank-{name}.h5") as bank, h5py.File(f"{name}.h5") as some:
        rows = bank["rows"][:].astype(float)
        assert (some["rows"][:] == bank["rows"][:][[3, 39]]).all(), name
        scores = rows @ rows[3]
        scores[3] = -9
        found = json.load(open(f"near-{name}.json"))["near"][0]["rows"][0]
        assert found["id"] == int(scores.argmax()) and abs(found["score"] - scores.max()) < 1e-5, (name, found)
        nearest.append(rows[3])
assert abs(nearest[0] - nearest[1]).max() > 1e-3
END
# Both are filled: rows of samples that the one step did not meet are still the same.
done_by on 2 pretrain "${views[@]}" --max-steps 1 --bank-fill features --run-dir filled
"$python" - <<'END' || fail 'not both banks began with features'
import glob, h5py
last = glob.glob("filled/snapshots/step-*")[-1]
with h5py.File(f"{last}/bank-view-a.h5") as a, h5py.File(f"{last}/bank-view-b.h5") as b:
    same = (a["rows"][:] == b["rows"][:]).all(axis=1)
    assert same.sum() == 28 and (a["steps"][:][same] == -1).all(), same
END
refused "holds the banks 'view-b' and 'view-a'; say which with --name" "$negatron" bank near views --ids 3
refused "holds the banks 'view-b' and 'view-a'; say which" "$negatron" bank extract views x.h5 --ids 3 --name view-c
refused 'holds one bank, which needs no --name' "$negatron" bank near whole --ids 3 --name view-a
refused 'hold banks of other names' "$negatron" bank diff views whole
refused "holds the banks 'view-b' and 'view-a'; what is asked for takes a snapshot of one" \
  "$negatron" bank merge views whole merged
"$negatron" bank diff views whole --name view-a >out 2>err
[ $? -eq 1 ] || fail "one of two views was not compared with the bank of another run: $(cat out err)"
says 'only in A'
done_by on 3 pretrain --config views/config.ini --epochs 3 --resume wide --run-dir later
done_by on 2 pretrain "${views[@]}" --max-steps 1 --bank wide --run-dir anew
refused "holds the banks 'view-b' and 'view-a', this run has one bank (--bank-per-view)" \
  on 2 pretrain "${memory[@]}" --bank wide --run-dir never
refused 'holds one bank, this run has a bank for each view (--bank-per-view)' \
  on 2 pretrain "${views[@]}" --bank whole --run-dir never
refused '--bank-per-view needs --bank-kind memory' "$negatron" pretrain "${small[@]}" --bank-per-view on --run-dir never
[ ! -e never ] || fail 'a refused run made a directory'
verdict 'memory banks'
