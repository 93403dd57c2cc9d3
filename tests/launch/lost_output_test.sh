#!/usr/bin/env bash
# What cannot be written: where the output is the job the exit code says so; a run goes on, says what its files miss, and
# ends as it would have. Full disks, readers that left or stopped, closed streams, limits on files, files and
# directories that somebody removed, links; and that no record of settings is overwritten.
#   lost_output_test.sh NEGATRON LAUNCH_RANKS MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
ranks=$2
shift 2
mpirun=("$@")
quick=("${small[@]}" --baselines off --evaluate-every 0 --seed 1)
endless=("${quick[@]}" --epochs 100000 --snapshot-every never)

# ends CODE COMMAND...: what it says is in out and err, unless the command sends it elsewhere.
ends() {
  local expected=$1 code=0
  shift
  "$@" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: $*: $(tail -5 "$work/err")"
}

says() { grep -q -- "$1" "$work/err" || fail "'$1' is not in: $(cat "$work/err")"; }

# What was said but notes.
spoken() { grep -v '^negatron: note: ' "$work/err"; }

has_steps() { [ "$(grep -c '^{"step"' "$1/metrics.jsonl")" -ge "$2" ]; }
has_snapshot() { ls "$1"/snapshots/step-*/manifest.json >/dev/null; }
is_gone() { ! kill -0 "$1"; }

# leaves CODE SIGNAL: the run in the background does, for it.
leaves() {
  local code=0
  kill "-$2" "$job"
  wait_for is_gone "$job" || kill -KILL "$job"
  wait "$job" || code=$?
  job=
  [ "$code" -eq "$1" ] || fail "exit code $code instead of $1 after $2: $(tail -5 "$work/err")"
}

whole_lines() { [ -s "$1" ] && ! grep -qv '^{.*}$' "$1" && [ -z "$(tail -c 1 "$1")" ]; }

run=$work/whole
ends 0 "$negatron" pretrain "${quick[@]}" --run-dir "$run"
[ ! -s "$work/err" ] || fail "a run that lost nothing warns: $(cat "$work/err")"

# --- where the output is the job ---
into() { local to=$1; shift; "$@" >"$to"; }
for command in --help --version help 'pretrain --help' 'pretrain --list-samplers' 'pretrain --list-objectives' \
  "pretrain ${small[*]} --dry-run" plan "bank info $run" "bank info $run --json" "bank verify $run" 'bank --help' \
  'completion bash' "report $run --pictures 0" "evaluate $run --data $work/data --probe off --baselines off --json"; do
  ends 1 into /dev/full "$negatron" $command
  [ "$(spoken)" = 'negatron: standard output cannot be written: No space left on device; what there is to read of it is not all.' ] ||
    fail "$command > /dev/full: $(cat "$work/err")"
done
# A pipe whose reader is gone.
exec 9> >(exec true)
wait $!
for command in --help "bank info $run" 'completion bash' "pretrain ${small[*]} --dry-run"; do
  ends 141 into /dev/fd/9 "$negatron" $command
  [ -z "$(spoken)" ] || fail "$command, which nobody reads: $(cat "$work/err")"
done
closed() { "$@" >&-; }
ends 1 closed "$negatron" bank info "$run"
says 'Bad file descriptor'

# --- a run that nobody reads ---
same_losses() { [ "$(losses "$1")" = "$(losses "$run")" ] || fail "$1 trained otherwise"; }
ends 0 into /dev/fd/9 "$negatron" pretrain "${quick[@]}" --run-dir "$work/unread"
says 'warning: standard output cannot be written: nobody reads it any more'
says 'warning: standard output misses [0-9]* lines'
grep -q 'after training' "$work/unread/log" && grep -q 'standard output misses' "$work/unread/log" || fail "its log: $(cat "$work/unread/log")"
same_losses "$work/unread"
has_snapshot "$work/unread" || fail 'a run that nobody reads saves nothing'
unheard() { "$@" >&9 2>&9; }
ends 0 unheard "$negatron" pretrain "${quick[@]}" --run-dir "$work/unheard"
ends 0 unheard "$ranks" 2 "$negatron" pretrain "${quick[@]}" --run-dir "$work/unheard2"
grep -q 'after training' "$work/unheard2/log" || fail 'launch/ranks ends a run that nobody reads'
exec 9>&-
# A reader that does not read, in front of a pipe that is full; later it reads again.
mkfifo "$work/pipe"
exec 8<>"$work/pipe"
dd if=/dev/zero of="$work/pipe" bs=4096 count=1000 oflag=nonblock 2>/dev/null
run=$work/full-pipe
"$negatron" pretrain "${endless[@]}" --run-dir "$run" >"$work/pipe" 2>"$work/err" &
job=$!
wait_for has_steps "$run" 3
cat <&8 >"$work/drained" &
reader=$!
wait_for test -s "$work/drained"
leaves 75 USR1
says 'warning: standard output cannot be written: its reader has stopped reading'
says 'warning: standard output misses [0-9]* lines'
wait_for grep -aqx 'left as asked .* goes on from its newest snapshot' "$work/drained"
kill "$reader"
exec 8>&-
ends 0 into /dev/full "$negatron" pretrain "${quick[@]}" --run-dir "$work/full-screen"
says 'standard output cannot be written: No space left on device'

# --- a run whose streams are closed hears signals ---
for signal in USR1 TERM; do
  "$negatron" pretrain "${endless[@]}" --run-dir "$work/closed-$signal" >&- 2>&- <&- &
  job=$!
  wait_for has_steps "$work/closed-$signal" 3
  if [ $signal = USR1 ]; then leaves 75 USR1; else leaves 143 TERM; fi
done

# --- files that may not grow: from a time on, because MPI makes some of its own, and until another ---
run=$work/limited
"$negatron" pretrain "${quick[@]}" --epochs 100000 --snapshot-every 50 --run-dir "$run" > >(exec cat >"$work/out") 2>"$work/err" &
job=$!
wait_for has_steps "$run" 3
prlimit --pid $job --fsize=2048:
wait_for grep -q 'WARNING: no snapshot of step .* File too large' "$work/out"
prlimit --pid $job --fsize=unlimited:
lost=$(wc -l <"$run/metrics.jsonl")
wait_for has_steps "$run" $((lost + 20))
leaves 75 USR1
says "warning: '$run/metrics.jsonl' misses [0-9]* lines that could not be written (File too large)."
[ "$(grep -c "WARNING: '$run/metrics.jsonl' cannot be written: File too large" "$work/out")" -eq 1 ] || fail "not said once: $(head -30 "$work/out")"
whole_lines "$run/metrics.jsonl" || fail 'half a line stays'
has_snapshot "$run" || fail 'a run that met a limit saves nothing'

# --- what somebody removes ---
run=$work/removed
"$negatron" pretrain "${endless[@]}" --run-dir "$run" >"$work/out" 2>"$work/err" &
job=$!
wait_for has_steps "$run" 3
rm "$run/metrics.jsonl"
wait_for has_steps "$run" 3
# At once, and not file by file, between which the run makes some again.
mv "$run" "$run.gone"
wait_for has_steps "$run" 3
leaves 75 USR1
has_snapshot "$run" || fail 'a run whose directory was removed saves nothing'
[ "$(grep -c "WARNING: '$run/metrics.jsonl' was removed" "$work/out")" -eq 1 ] || fail "not said once: $(cat "$work/out")"
says "warning: '$run/metrics.jsonl' was removed or emptied while the run wrote it"
[ -n "$(ls "$run/tensorboard")" ] || fail 'the events are gone'

# --- a link stays one ---
mkdir "$work/elsewhere" "$work/linked"
ends 0 "$negatron" pretrain "${quick[@]}" --snapshot-every 1epoch --max-steps 4 --run-dir "$work/linked"
for file in metrics.jsonl config.ini; do
  mv "$work/linked/$file" "$work/elsewhere" && ln -s "../elsewhere/$file" "$work/linked/$file"
done
ends 0 "$negatron" pretrain "${quick[@]}" --resume auto --run-dir "$work/linked"
[ -L "$work/linked/metrics.jsonl" ] && [ -L "$work/linked/config.ini" ] || fail 'a link was replaced'
[ "$(losses "$work/linked")" = "$(losses "$work/whole")" ] || fail 'metrics behind a link are other ones'

# --- no record of settings is overwritten ---
run=$work/settings
ends 0 "$negatron" pretrain "${quick[@]}" --max-steps 4 --tau 0.2 --run-dir "$run"
for tau in 0.3 0.4 0.5; do
  # What the run before said is not what is waited for.
  rm "$work/out"
  "$negatron" pretrain "${endless[@]}" --tau $tau --resume "$run/snapshots/step-000000004" --run-dir "$run" >"$work/out" 2>"$work/err" &
  job=$!
  wait_for grep -q 'resumed from step 4' "$work/out"
  leaves 143 TERM
done
kept=$(cd "$run" && grep -H '^tau = ' config*.ini)
[ "$kept" = 'config-until-step-4-2.ini:tau = 0.3
config-until-step-4-3.ini:tau = 0.4
config-until-step-4.ini:tau = 0.2
config.ini:tau = 0.5' ] || fail "settings that were kept: $kept"

# --- several starts in one second, without a name ---
mkdir "$work/array"
cd "$work/array" || exit 1
starts=()
for _ in 1 2 3; do
  timeout -k 5 60 "$negatron" pretrain "${quick[@]}" --max-steps 2 >/dev/null 2>>"$work/array.err" &
  starts+=($!)
done
for start in "${starts[@]}"; do wait "$start" || fail "one of several starts failed: $(cat "$work/array.err")"; done
[ "$(ls -d runs/pretrain-*/snapshots/step-000000002 | wc -l)" -eq 3 ] || fail "not a directory each: $(ls runs)"
cd - >/dev/null || exit 1

# --- a terminal that cannot go back ---
TERM=dumb NEGATRON_TERMINAL_COLUMNS=80 "$negatron" pretrain "${quick[@]}" --run-dir "$work/dumb" >"$work/out" 2>"$work/err" || fail 'a run failed'
! grep -q $'\x1b' "$work/out" || fail 'escapes for a terminal that knows none'

# --- a job in which a rank is gone says nothing of SIGTERM ---
"${mpirun[@]}" -n 2 "$negatron" pretrain "${endless[@]}" --run-dir "$work/broken" >"$work/out" 2>"$work/err" &
job=$!
wait_for has_steps "$work/broken" 3
kill -KILL "$(pgrep -f -- "^$negatron pretrain .*--run-dir $work/broken( |\$)" | tail -1)"
wait_for is_gone "$job" || kill -KILL "$job"
wait "$job" && fail 'a job without one of its ranks ends with 0'
job=
! grep -q 'not waiting any longer' "$work/err" || fail "it ends with: $(tail -3 "$work/err")"

verdict 'lost output'
