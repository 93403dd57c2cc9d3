#!/usr/bin/env bash
# What cannot work is refused before anything is made: exit code 2, one sentence that names the flag, no run directory;
# with --dry-run and for plan alike. Then what is as good as a snapshot's path, and the configuration that --dry-run prints.
#   checked_first_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
python=$2
shift 2
mpirun=("$@")

ranks() { local count=$1; shift; "${mpirun[@]}" -n "$count" "$negatron" "$@"; }
# never NEEDLE FLAGS...: a run, and a look at one, are refused with NEEDLE and leave nothing.
never() {
  local needle=$1
  shift
  refused "$needle" "$negatron" pretrain "${small[@]}" --run-dir "$work/never" "$@"
  refused "$needle" "$negatron" pretrain "${small[@]}" --run-dir "$work/never" --dry-run "$@"
  [ ! -e "$work/never" ] || fail "a refused run left its directory: $*"
}

never '--bank-rows takes a whole number from 1 to 4294967295, not' --bank-rows 5000000000
never '--lr takes a number from' --lr 1e300
never '--epochs takes a whole number from 1 to' --epochs 9223372036854775807
never '--telemetry-top takes a whole number' --telemetry-every 1 --telemetry-top 9223372036854775807
never '--collective-time-limit takes a number from 0.001 to 1e+09' --collective-time-limit 1e16
never "option 'n' takes a whole number" --sampler mochi --sampler-options n=9223372036854775807
# More than any machine has: the need, the limit, and what lowers it.
never 'of memory on' --bank-rows 4000000000 --width 65536
never 'a smaller --bank-rows' --bank-rows 4000000000 --width 65536
never 'a smaller encoder' --encoder-channels 8,8192 --pool-grid 256 --head-hidden 65536
refused 'of memory on' ranks 2 pretrain "${small[@]}" --run-dir "$work/never" --bank-rows 4000000000 --width 65536
refused '--bank-rows takes a whole number from 1 to 4294967295' "$negatron" plan --bank-rows 5000000000
refused '--images-per-second takes a number' "$negatron" plan --images-per-second 1e300
# As large as they may be, these work.
ranks 2 pretrain "${small[@]}" --run-dir "$work/limit" --max-steps 1 --baselines off --collective-time-limit 1e9 \
  --telemetry-every 1 --telemetry-top 65536 --epochs 1000000000 --snapshot-every never --evaluate-every 0 \
  --evaluate-queries 5 >"$work/log" 2>&1 ||
  fail "a run at the limits of its flags ended with $?: $(cat "$work/log")"

# A run directory is its newest snapshot wherever a snapshot is taken; what does not fit is known before a directory is.
"$negatron" pretrain "${small[@]}" --run-dir "$work/base" --max-steps 3 --baselines off >"$work/log" 2>&1 ||
  fail "a run of three steps: $(cat "$work/log")"
for flag in --bank --resume; do
  "$negatron" pretrain "${small[@]}" --run-dir "$work/on$flag" --max-steps 5 --baselines off "$flag" "$work/base" \
    >"$work/log" 2>&1 || fail "$flag RUN ended with $?: $(cat "$work/log")"
  grep -qF "the newest snapshot of '$work/base'" "$work/log" || fail "$flag RUN does not say which snapshot it read"
done
[ "$(grep -c '"loss"' "$work/on--resume/metrics.jsonl")" -eq 2 ] || fail '--resume RUN did not go on from step 3'
never 'is neither a snapshot' --bank "$work/data"
never 'does not exist; a snapshot or a run' --resume "$work/nowhere"
never '--bank-rows' --bank "$work/base" --bank-rows 40
never '--width' --resume "$work/base" --width 8
refused 'already holds a run' "$negatron" pretrain "${small[@]}" --run-dir "$work/base" --dry-run

# What --dry-run prints is a file for --config, whatever bytes its values have.
odd=$work/$'odd #1 "x" \xff\n dir '
cp -r "$work/data" "$odd"
"$negatron" pretrain "${small[@]}" --data "$odd" --tau 0.3 --dry-run >"$work/my.ini" || fail '--dry-run failed on an odd path'
grep -q '^# .*bank, this rank' "$work/my.ini" || fail 'the summary is no remark'
"$negatron" pretrain --config "$work/my.ini" --run-dir "$work/mine" --max-steps 1 --baselines off >"$work/log" 2>&1 ||
  fail "what --dry-run printed does not start a run: $(cat "$work/log")"
"$negatron" pretrain --config "$work/mine/config.ini" --run-dir "$work/mine2" --max-steps 1 >"$work/log" 2>&1 ||
  fail "config.ini of a run on an odd path does not start a run: $(cat "$work/log")"
diff <(grep -v '^run-dir' "$work/mine/config.ini") <(grep -v '^run-dir' "$work/mine2/config.ini") >"$work/diff" ||
  fail "config.ini reads back as another: $(cat "$work/diff")"
"$negatron" evaluate "$work/mine" --json >"$work/json" 2>"$work/err" || fail "evaluate on an odd path: $(cat "$work/err")"
{ printf '\xef\xbb\xbf' && cat "$work/small.ini"; } >"$work/marked.ini"
"$negatron" pretrain --config "$work/marked.ini" --dry-run >/dev/null || fail 'a byte order mark is not passed over'

# A container without ssh, and without anything else in its environment.
env -i "$negatron" pretrain "${small[@]}" --run-dir "$work/bare" --max-steps 1 --baselines off >"$work/log" 2>&1 ||
  fail "a run without an environment ended with $?: $(cat "$work/log")"
# The shell of salloc -n 4: a step of one task.
SLURM_NTASKS=4 SLURM_STEP_ID=4294967290 SLURM_STEP_NUM_TASKS=1 SLURM_PROCID=0 "$negatron" plan >"$work/log" 2>&1 ||
  fail "plan in an interactive step ended with $?: $(cat "$work/log")"
# A rank that starts a program of one process.
OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=2 "$negatron" bank info "$work/base" >"$work/log" 2>&1 ||
  fail "bank of a rank ended with $?: $(cat "$work/log")"
"${mpirun[@]}" -n 2 "$python" -c 'import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))' \
  "$negatron" bank info "$work/base" >"$work/log" 2>&1 || fail "bank of each rank ended with $?: $(cat "$work/log")"
[ "$(grep -c uniformity "$work/log")" -eq 2 ] || fail "not every rank's bank says what it found: $(cat "$work/log")"

verdict 'checked first'
