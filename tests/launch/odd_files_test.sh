#!/usr/bin/env bash
# Snapshots and paths that are unusual, as the program meets them: names that are not UTF-8, links to files elsewhere,
# pipes, files that are hostile with right digests, and runs of which only damaged snapshots are left.
#   odd_files_test.sh NEGATRON PYTHON
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }

pretrain=("$negatron" pretrain "${small[@]}" --baselines off --evaluate-every 0)

# ends CODE COMMAND...: the command ends with this exit code.
ends() {
  local expected=$1 code=0
  shift
  "$@" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: $*: $(tail -n 5 "$work/out" "$work/err")"
}

# says NEEDLE: the last command did, on either stream.
says() { grep -qaF -- "$1" "$work/out" "$work/err" || fail "'$1' is not in: $(cat "$work/out" "$work/err")"; }

# path_in KEY BYTES: the last command's JSON has this path, by the way of launch/RUNNING.md back to bytes.
path_in() {
  "$python" - "$work/out" "$1" "$2" <<'END' || fail "the path of $1 does not come back: $(cat "$work/out")"
import json, os, re, sys
value = json.loads(open(sys.argv[1], encoding="utf-8").read())
for key in sys.argv[2].split("."):
    value = value[int(key) if key.isdigit() else key]
found = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), value.encode())
sys.exit(not found.startswith(os.fsencode(sys.argv[3])))
END
}

# --- names are bytes: no UTF-8, a line break, a backslash before an x ---
odd=$work/$'caf\xe9 \\x41\nrun'
ends 0 "${pretrain[@]}" --run-dir "$odd" --epochs 1
ends 0 "${pretrain[@]}" --run-dir "$odd" --resume auto
"$python" - "$odd/metrics.jsonl" <<'END' || fail 'metrics.jsonl is not JSON in UTF-8'
import json, sys
events = [json.loads(line).get("event") for line in open(sys.argv[1], encoding="utf-8")]
sys.exit(not {"resume", "snapshot"} <= set(events))
END
newest=$odd/snapshots/step-000000008
ends 0 "$negatron" bank info "$odd" --json
path_in path "$odd"
path_in notes.0 "reading '$odd" 
ends 0 "$negatron" bank verify "$odd" --json
path_in snapshots.0.path "$odd"
ends 0 "$negatron" bank diff "$odd" "$newest" --json
path_in a.path "$odd"
ends 0 "$negatron" bank reshard "$newest" "$odd/wide" --ranks 3 --json
path_in path "$odd/wide"
ends 0 "$negatron" bank merge "$newest" "$odd/wide" "$odd/both" --json
path_in path "$odd/both"
ends 0 "$negatron" bank extract "$newest" "$odd/rows.h5" --ids $(seq -s, 0 39) --json
path_in path "$odd/rows.h5"
ends 0 "$negatron" bank import "$odd/rows.h5" "$odd/again" --dataset rows --json
path_in path "$odd/again"
ends 0 "$negatron" evaluate "$odd" --data "$work/data" --knn-k 5 --threads 1 --json
ends 0 "$negatron" export "$odd" "$odd/weights.safetensors" --json
path_in path "$odd/weights.safetensors"
ends 0 "$negatron" report "$odd" --out "$odd/page.html"
"$python" -c 'import sys; open(sys.argv[1], encoding="utf-8").read()' "$odd/page.html" || fail 'the page is not UTF-8'

# --- what can be read once only, and a link ---
"$python" -c 'import numpy, sys; numpy.save(sys.argv[1], numpy.eye(6, dtype="f4"))' "$work/q.npy"
ln -s q.npy "$work/link.npy"
ends 0 "$negatron" bank import "$work/link.npy" "$work/of-link"
ends 0 "$negatron" bank import <(cat "$work/q.npy") "$work/of-pipe"
ends 0 "$negatron" bank import /dev/stdin "$work/of-stdin" --dataset rows < <(cat "$odd/rows.h5")
ends 2 "$negatron" bank import <(head -c 3000000 /dev/zero) "$work/never" --memory 1
says 'write it into a file first'

# --- a data manager keeps the files elsewhere ---
run=$work/run
ends 0 "${pretrain[@]}" --run-dir "$run"
mkdir "$work/store"
for file in "$run"/snapshots/step-*/*; do
  name=$(echo "${file#"$run"/}" | tr / -)
  mv "$file" "$work/store/$name"
  ln -s "$work/store/$name" "$file"
done
ends 0 "${pretrain[@]}" --run-dir "$run" --resume auto --epochs 3
says 'resumed from step 8'
[ -z "$(ls "$run/snapshots" | grep quarantine)" ] || fail "links were set aside: $(ls "$run/snapshots")"
# What is not brought here yet is no damage.
last=$run/snapshots/step-000000012
mv "$last/trainer.h5" "$work/store/last.h5"
ln -s "$work/store/not-here.h5" "$last/trainer.h5"
before=$(cat "$run/metrics.jsonl" | cksum)
refused 'may be good but cannot be read' "${pretrain[@]}" --run-dir "$run" --resume auto --epochs 4
[ -e "$last/manifest.json" ] || fail 'a snapshot that cannot be read was set aside'
rm "$last/trainer.h5"
cp "$work/store/last.h5" "$last/trainer.h5"

# --- only damaged snapshots: nothing is begun, nothing is emptied ---
for file in "$run"/snapshots/step-*/trainer.h5; do
  cp "$file" "$work/copy" && rm "$file" && printf 'nothing' >"$file"
done
names=$(ls "$run/snapshots")
for again in 1 2; do
  refused 'no snapshot in' "${pretrain[@]}" --run-dir "$run" --resume auto --epochs 4
  says 'another --run-dir begins a new run'
  [ "$(ls "$run/snapshots")" = "$names" ] || fail "something was renamed: $(ls "$run/snapshots")"
  [ "$(cat "$run/metrics.jsonl" | cksum)" = "$before" ] || fail 'the history was changed'
done

# --- text of files reaches no terminal as it is ---
bad=$work/bad
cp -r "$odd" "$bad"
printf '\033[2J\007{"format"' >"$bad/snapshots/step-000000008/manifest.json"
ends 1 "$negatron" bank verify "$bad/snapshots/step-000000008"
printf '\033[31m7,x' >"$work/ids"
ends 2 "$negatron" bank extract "$newest" "$work/never" --ids "$work/ids"
grep -q $'\033' "$work/out" "$work/err" && fail 'a control character reached the terminal'

# --- a huge file costs nothing ---
cp -r "$odd" "$work/huge"
truncate -s 1T "$work/huge/snapshots/step-000000008/bank.h5"
ends 1 timeout 20 "$negatron" bank verify "$work/huge/snapshots/step-000000008"
ends 1 timeout 20 "$negatron" bank info "$work/huge/snapshots/step-000000008"

verdict odd_files
