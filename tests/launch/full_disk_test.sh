#!/usr/bin/env bash
# A run whose whole directory lies on a disk that somebody fills and frees, three times: it goes on, says once what it
# cannot write, and each time there is room again its metrics and snapshots go on, in whole lines and whole snapshots.
#   full_disk_test.sh NEGATRON
if [ -z "${MOUNTS_OF_ITS_OWN:-}" ]; then
  for how in --mount '--mount --map-root-user'; do
    ! unshare $how true 2>/dev/null || MOUNTS_OF_ITS_OWN=yes exec unshare $how "$BASH" "$0" "$@"
  done
  echo 'skipped: no disk can be mounted here'
  exit 77
fi
source "$(dirname "$0")/small_run.sh"
negatron=$1
disk=$work/disk
mkdir "$disk"
mount -t tmpfs -o size=8m tmpfs "$disk" 2>/dev/null || { echo 'skipped: no disk can be mounted here'; exit 77; }
trap '! is_the_test || { [ -z "$job" ] || kill -KILL "$job" 2>/dev/null; umount -l "$disk"; rm -rf "$work"; }' EXIT
run=$disk/run

# wait_for CONDITION...: until it holds, for at most 30 s.
wait_for() {
  for _ in $(seq 600); do
    "$@" 2>/dev/null && return 0
    kill -0 "$job" || break
    sleep 0.05
  done
  fail "this did not come: $*: $(tail -n 3 "$work/out" "$work/err")"
  return 1
}

lines() { grep -c . "$run/metrics.jsonl"; }
failed() { grep -c 'WARNING: no snapshot of step' "$work/out"; }
newest() { ls "$run/snapshots" | grep -x 'step-[0-9]*' | tail -1; }
more() { [ "$($1)" -gt "$2" ]; }
other() { [ -n "$($1)" ] && [ "$($1)" != "$2" ]; }
stamp() { echo "$1: $(lines) lines of metrics, newest snapshot $(newest), $(failed) snapshots failed"; }

"$negatron" pretrain "${small[@]}" --baselines off --evaluate-every 0 --epochs 1000000 --snapshot-every 8 \
  --run-dir "$run" >"$work/out" 2>"$work/err" &
job=$!
wait_for more lines 10
wait_for other newest ''
stamp 'before'
for time in 1 2 3; do
  before=$(failed)
  head -c 100M /dev/zero >"$disk/somebody" 2>/dev/null
  # To the last byte: also what a page of a file that is there had left.
  wait_for more failed "$((before + 1))"
  full=$(lines) snapshot=$(newest)
  stamp "full $time"
  rm "$disk/somebody"
  wait_for more lines "$((full + 20))"
  wait_for other newest "$snapshot"
  stamp "freed $time"
done
kill -USR1 "$job"
code=0
wait "$job" || code=$?
job=
[ "$code" -eq 75 ] || fail "exit code $code: $(tail -3 "$work/err")"
stamp 'after'
! grep -qv '^{.*}$' "$run/metrics.jsonl" || fail "half a line: $(grep -v '^{.*}$' "$run/metrics.jsonl")"
[ "$(grep -c "WARNING: '$run/metrics.jsonl' cannot be written: No space left on device" "$work/out")" -eq 1 ] ||
  fail "not said once: $(grep WARNING "$work/out" | head -3)"
missing=$(sed -n "s/.*'$(sed 's|/|\\/|g' <<<"$run")\/metrics.jsonl' misses \([0-9]*\) lines that.*/\1/p" "$work/err")
[ "${missing:-0}" -gt 0 ] || fail "the end does not say what is missing: $(cat "$work/err")"
# Of all steps, those whose line is there and those that are said to be missing; some of the missing are of snapshots.
steps=$(grep -c '^{"step"' "$run/metrics.jsonl")
done=$((10#$(newest | tr -dc 0-9)))
[ "$((steps + missing))" -ge "$done" ] && [ "$steps" -lt "$done" ] || fail "$steps lines and $missing missing of $done steps"
echo "in all $done steps: $steps lines, $missing said to be missing"
"$negatron" bank verify "$run" >/dev/null || fail 'a snapshot does not verify'
"$negatron" pretrain "${small[@]}" --baselines off --evaluate-every 0 --epochs 1000000 --max-steps $((done + 2)) --run-dir "$run" \
  --resume auto >"$work/out" 2>"$work/err" || fail "it does not go on: $(cat "$work/err")"

verdict 'full disk'
