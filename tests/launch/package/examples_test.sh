#!/usr/bin/env bash
# tests/examples as a project of its own that finds the installed package: built in SCRATCH, where a later test finds what
# did not change, and run on one rank and on two.
#   examples_test.sh CMAKE EXAMPLES PREFIX SCRATCH PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/../small_run.sh"
cmake=$1
examples=$2
prefix=$3
scratch=$4
python=$5
shift 5
mpirun=("$@")
negatron=$prefix/bin/negatron
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
"$cmake" -S "$examples" -B "$scratch" -G Ninja -Wno-dev -DCMAKE_PREFIX_PATH="$prefix" >"$work/out" 2>&1 ||
  { cat "$work/out"; exit 1; }
"$cmake" --build "$scratch" >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
cd "$work" || exit 1

# --- the loss goes down, and is the same on two ranks, to what 200 steps in fp32 and bf16 leave ---
done_by "$scratch/moco_loop"
mv out alone
done_by "${mpirun[@]}" -n 2 "$scratch/moco_loop"
paste alone out | awk '
  NR == 1 { first = $4 }
  { last = $4; difference = $4 - $8; if (difference < 0) difference = -difference; if (difference > 0.01) wrong = 1 }
  END { exit !(NR == 10 && !wrong && last < first - 0.3) }' || fail "losses on one rank and on two: $(paste alone out)"

# --- a bank of a run over two ranks, asked on one to three: what `negatron bank near` finds there ---
done_by on 2 pretrain "${small[@]}" --baselines off --evaluate-every 0 --run-dir run
"$python" - <<'END'
import numpy
rows = numpy.random.default_rng(3).standard_normal((5, 16))
numpy.save("queries.npy", (rows / numpy.linalg.norm(rows, axis=1, keepdims=True)).astype("f4"))
END
done_by "$negatron" bank near run queries.npy --top 4 --json
mv out near.json
for ranks in 1 2 3; do
  done_by "${mpirun[@]}" -n "$ranks" "$scratch/restored_bank" run queries.npy 4
  "$python" - out near.json <<'END' || fail "restored_bank on $ranks ranks and bank near differ: $(cat out near.json)"
import json, sys
found = [line.split(":")[1].split() for line in open(sys.argv[1])]
near = json.load(open(sys.argv[2]))["near"]
assert len(found) == len(near) == 5
for ours, theirs in zip(found, near):
    assert len(theirs["rows"]) == 4 and len(ours) == 12
    for i, row in enumerate(theirs["rows"]):
        slot, sample, score = ours[3 * i : 3 * i + 3]
        assert (int(slot), int(sample)) == (row["sequence"] % 31, row["id"]) and abs(float(score) - row["score"]) < 1e-5
END
done
"$scratch/restored_bank" nowhere queries.npy 4 >out 2>err && fail 'a bank that is not there was read'
grep -q "^rank 0: 'nowhere' does not exist" err || fail "no sentence about it: $(cat err)"

# --- a communicator of somebody else's keeps the contract ---
done_by "$scratch/folder_communicator_test" --gtest_brief=1
says '[  PASSED  ]'

verdict examples
