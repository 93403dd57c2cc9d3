#!/usr/bin/env bash
# Drives the real program through what an operator meets: kill -9 and --resume auto on the same and on fewer ranks,
# SIGUSR1, SIGTERM, a directory in use, and snapshots that do not fit.
#   resume_test.sh NEGATRON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
shift
mpirun=("$@")

ranks() { local count=$1; shift; "${mpirun[@]}" -n "$count" "$negatron" pretrain "$@"; }

# ends CODE LOG COMMAND...: the command ends with this exit code.
ends() {
  local expected=$1 log=$2 code=0
  shift 2
  "$@" >"$log" 2>&1 || code=$?
  [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: $*: $(tail -5 "$log")"
}

snapshots() { (cd "$1/snapshots" 2>/dev/null && ls -d step-????????? 2>/dev/null) | tr '\n' ' '; }
steps() { grep -o '^{"step":[0-9]*' "$1/metrics.jsonl" | cut -d: -f2; }
has_steps() { [ "$(steps "$1" | wc -l)" -ge "$2" ]; }
has_snapshot() { [ -n "$(snapshots "$1")" ]; }
# The ranks of a run directory's job, by their command line.
pids_of() { pgrep -f -- "^$negatron pretrain .*--run-dir $1( |\$)"; }

# In the file, so that the command line can still say otherwise.
sed -i '/^epochs/d' "$work/small.ini"
printf '%s\n' 'epochs = 6' 'seed = 1' 'baselines = off' 'evaluate-every = 0' >>"$work/small.ini"
# 4 steps an epoch. Runs that shall be interrupted are so long that they never end by themselves.
endless=("${small[@]}" --epochs 100000)
every8=(--snapshot-every 8)

# --- refusals, before anything is made ---
refused "--snapshot-every is 'often'" "$negatron" pretrain "${small[@]}" --snapshot-every often
refused "--keep takes a whole number from 2" "$negatron" pretrain "${small[@]}" --keep 1
refused "--on-usr1 is 'dance'" "$negatron" pretrain "${small[@]}" --on-usr1 dance
refused "--resume auto needs --run-dir" "$negatron" pretrain "${small[@]}" --resume auto
refused "$work/none" ranks 2 "${small[@]}" --resume "$work/none" --run-dir "$work/never"
refused "$work/none" "$negatron" pretrain "${small[@]}" --bank "$work/none" --run-dir "$work/never"
[ ! -e "$work/never" ] || fail 'a refused run left a run directory'

# --- a run in two parts; one snapshot a part, so that none depends on how fast the disk is ---
ends 0 "$work/log" ranks 4 "${small[@]}" --snapshot-every 100 --run-dir "$work/whole" --max-steps 16
ends 0 "$work/log" ranks 4 "${small[@]}" --snapshot-every 100 --resume auto --run-dir "$work/whole"
[ "$(snapshots "$work/whole")" = 'step-000000016 step-000000024 ' ] || fail "kept: $(snapshots "$work/whole")"
grep -q '"event":"snapshot","step":16,"outcome":"committed"' "$work/whole/metrics.jsonl" ||
  fail 'no metrics of a snapshot'

# --- the same, killed at once on all ranks after a snapshot, then resumed on 4 and on 3 ranks ---
# All are kept, and the first may be late: nothing depends on how fast the disk is.
ranks 4 "${endless[@]}" "${every8[@]}" --keep 1000 --run-dir "$work/killed" >"$work/log" 2>&1 &
job=$!
wait_for has_snapshot "$work/killed"
pids_of "$work/killed" | xargs -r kill -9
wait "$job" 2>/dev/null
job=
[ -e "$work/killed/lock" ] || fail 'a killed run leaves its lock behind'
newest=$(snapshots "$work/killed" | awk '{ print $NF }')
refused 'already holds a run; --resume auto goes on with it' ranks 4 "${small[@]}" --run-dir "$work/killed"

# From the oldest that is still there, in a directory of its own, so that the end is in reach.
oldest=$(snapshots "$work/killed" | awk '{ print $1 }')
first=$((10#${oldest#step-}))
more=$((first + 12))
ends 0 "$work/log" ranks 4 "${endless[@]}" --resume "$work/killed/snapshots/$oldest" --run-dir "$work/on4" \
  --max-steps $more
ends 0 "$work/log" ranks 3 "${endless[@]}" --resume "$work/killed/snapshots/$oldest" --run-dir "$work/on3" \
  --max-steps $more
grep -q 'ranks 4 -> 3' "$work/log" || fail 'nothing says that the number of ranks changed'
grep -q "resumed from step $first" "$work/log" || fail 'nothing says where the run resumes'
ends 0 "$work/log" ranks 4 "${endless[@]}" --run-dir "$work/straight" --max-steps $more
[ "$(losses "$work/on4")" = "$(losses "$work/straight" | tail -12)" ] ||
  fail 'on 4 ranks the losses are not bit-equal'
[ "$(losses "$work/on4" | wc -l)" -eq 12 ] || fail 'the resumed run does not have 12 losses'
paste <(losses "$work/on3") <(losses "$work/straight" | tail -12) |
  awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-4 * $1) bad = 1 } END { exit bad || NR != 12 }' ||
  fail 'on 3 ranks the losses differ by more than rounding'

# --resume auto where it was killed: steps after the snapshot are written once, the dead owner's lock is taken over.
last=$((10#${newest#step-} + 5))
ends 0 "$work/log" ranks 3 "${endless[@]}" --resume auto --run-dir "$work/killed" --max-steps $last
grep -q 'taken over' "$work/log" || fail 'nothing says that the lock of the dead run was taken over'
[ ! -e "$work/killed/lock" ] || fail 'a run that is done leaves its lock behind'
[ "$(steps "$work/killed")" = "$(seq 0 $((last - 1)))" ] || fail 'steps are missing or doubled in metrics.jsonl'
ls "$work/killed"/config-until-step-*.ini >/dev/null 2>&1 || fail 'the configuration of the first start is gone'

# --- snapshots that do not fit: both values and the flag ---
refused '--width 16 -> 32' ranks 2 "${small[@]}" --width 32 --resume auto --run-dir "$work/whole"
refused '--encoder-channels 8,16 -> 8,24' "$negatron" pretrain "${small[@]}" --encoder-channels 8,24 \
  --resume auto --run-dir "$work/whole"
refused '--objective info-nce -> hcl' "$negatron" pretrain "${small[@]}" --objective hcl --resume auto \
  --run-dir "$work/whole"
refused '--bank-rows' ranks 2 "${small[@]}" --bank-rows 40 --resume auto --run-dir "$work/whole"
refused '--convert-bank' "$negatron" pretrain "${small[@]}" --bank-dtype bf16 --resume auto --run-dir "$work/whole"

# --- back to an older snapshot of the same run: later ones are set aside, not lost ---
ends 0 "$work/log" ranks 2 "${small[@]}" --resume "$work/whole/snapshots/step-000000016" --run-dir "$work/whole" \
  --max-steps 18
[ "$(snapshots "$work/whole")" = 'step-000000016 step-000000018 ' ] || fail "set back: $(snapshots "$work/whole")"
ls -d "$work/whole/snapshots/step-000000024.quarantine" >/dev/null || fail 'the later snapshot is gone'

# --- a damaged newest snapshot: the one before is taken ---
printf 'x' | dd of="$work/whole/snapshots/step-000000018/trainer.h5" bs=1 seek=3000 conv=notrunc 2>/dev/null
ends 0 "$work/log" ranks 2 "${small[@]}" --resume auto --run-dir "$work/whole" --max-steps 17
grep -q 'does not verify' "$work/log" || fail 'nothing says that a snapshot was damaged'
grep -q 'resumed from step 16' "$work/log" || fail 'the older snapshot was not taken'

# --- --bank: a new run from a bank alone ---
ends 0 "$work/log" ranks 3 "${small[@]}" --bank "$work/whole/snapshots/step-000000016" --head-hidden 24 \
  --run-dir "$work/bank" --max-steps 2
[ "$(steps "$work/bank" | wc -l)" -eq 2 ] || fail 'a run from a bank does not start at its first step'

# --- SIGUSR1 to one rank: snapshot, and code 75; the same command goes on ---
ranks 3 "${endless[@]}" --snapshot-every never --resume auto --run-dir "$work/usr1" >"$work/log" 2>&1 &
job=$!
wait_for has_steps "$work/usr1" 3
refused 'is in use by process' ranks 2 "${endless[@]}" --resume auto --run-dir "$work/usr1"
kill -USR1 "$(pids_of "$work/usr1" | tail -1)"
code=0
wait "$job" || code=$?
job=
[ "$code" -eq 75 ] || fail "exit code $code instead of 75 after SIGUSR1: $(tail -5 "$work/log")"
saved=$(snapshots "$work/usr1" | awk '{ print $NF }')
[ "$saved" = "$(printf 'step-%09d ' "$(steps "$work/usr1" | wc -l)" | tr -d ' ')" ] ||
  fail "after SIGUSR1 there is '$saved'"
ends 0 "$work/log" ranks 3 "${endless[@]}" --resume auto --run-dir "$work/usr1" --max-steps $((10#${saved#step-} + 2))
grep -q "resumed from step $((10#${saved#step-}))" "$work/log" || fail 'the run does not go on where SIGUSR1 saved it'

# --- SIGUSR1 with --on-usr1 continue, then SIGTERM that shall not save: gone at once, nothing half ---
ranks 2 "${endless[@]}" --snapshot-every never --on-usr1 continue --on-term leave --run-dir "$work/term" >"$work/log" 2>&1 &
job=$!
wait_for has_steps "$work/term" 2
kill -USR1 "$(pids_of "$work/term" | head -1)"
wait_for grep -q committed "$work/term/metrics.jsonl"
before=$(snapshots "$work/term")
pids=$(pids_of "$work/term")
kill -TERM $(echo "$pids" | head -1)
# Gone, or dead and only not yet waited for by mpirun.
gone() { ! ps -o stat= -p "$(echo "$pids" | paste -sd,)" | grep -qv Z; }
# A second, or some where other tests want the cores.
for _ in $(seq 50); do gone && break; sleep 0.1; done
gone || fail 'SIGTERM: ranks are still there after 5 seconds'
code=0
wait "$job" || code=$?
job=
[ "$code" -eq 143 ] || fail "exit code $code instead of 143 after SIGTERM: $(tail -5 "$work/log")"
[ "$(snapshots "$work/term")" = "$before" ] || fail 'SIGTERM changed the snapshots'
ends 0 "$work/log" ranks 2 "${endless[@]}" --resume auto --run-dir "$work/term" --max-steps 1

verdict resume
