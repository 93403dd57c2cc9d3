#!/usr/bin/env bash
# SIGTERM and SIGUSR2 to `negatron pretrain`: told to one rank or to launch/ranks, in a step and in an evaluation, all ranks
# save and leave; who cannot, because another rank stands still, ends when the grace is over or at a second SIGTERM, and
# the others with it. What Slurm says of a job is on record, and programs in a shell that srun started work.
#   term_test.sh NEGATRON LAUNCH_RANKS MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
launch_ranks=$2
shift 2
mpirun=("$@")
quick=("${small[@]}" --baselines off --evaluate-every 0 --seed 1)
# Longer than a loaded machine needs to save.
patient=(--term-grace 1000)
endless=("${quick[@]}" --epochs 100000 --snapshot-every never)

has_steps() { [ "$(grep -c '^{"step"' "$1/metrics.jsonl")" -ge "$2" ]; }
last_step() { printf 'step-%09d' "$(grep -c '^{"step"' "$1/metrics.jsonl")"; }
snapshots() { (cd "$1/snapshots" 2>/dev/null && ls -d step-????????? 2>/dev/null) | paste -sd' '; }
# The ranks of a run directory's job, by their command line.
pids_of() { pgrep -f -- "^$negatron pretrain .*--run-dir $1( |\$)"; }
pid_of() { for pid in $(pids_of "$1"); do grep -zqx "OMPI_COMM_WORLD_RANK=$2" "/proc/$pid/environ" && echo "$pid"; done; }
is_gone() { ! kill -0 "$1"; }

# ended CODE WHAT: the job in the background does.
ended() {
  local code=0
  wait_for is_gone "$job" || kill -KILL "$job"
  wait "$job" || code=$?
  job=
  [ "$code" -eq "$1" ] || fail "$2: exit code $code instead of $1: $(tail -5 "$work/log")"
}

# begin RUN COMMAND...: in the background.
begin() {
  local run=$1
  shift
  "$@" --run-dir "$run" >"$work/log" 2>&1 &
  job=$!
}

# saved RUN CODE WHAT: the job ends with CODE and its last step saved.
saved() {
  ended "$2" "$3"
  [ "$(snapshots "$1")" = "$(last_step "$1")" ] || fail "$3: there is '$(snapshots "$1")' instead of '$(last_step "$1")'"
  grep -q "left as asked .*--resume auto --run-dir $1 goes on" "$work/log" || fail "$3: it says $(cat "$work/log")"
}

refused "--on-term is 'dance'" "$negatron" pretrain "${small[@]}" --on-term dance
refused '--term-grace' "$negatron" pretrain "${small[@]}" --term-grace 0

# --- saved by all ranks, whoever heard it ---
one=("$negatron" pretrain)
two=("${mpirun[@]}" -n 2 "$negatron" pretrain)
for signal in TERM:143 USR2:75; do
  code=${signal#*:} signal=${signal%:*}
  begin "$work/alone-$signal" "${one[@]}" "${endless[@]}" "${patient[@]}"
  wait_for has_steps "$work/alone-$signal" 3
  kill "-$signal" "$job"
  saved "$work/alone-$signal" "$code" "$signal to a run alone"
done
begin "$work/rank" "${two[@]}" "${endless[@]}" "${patient[@]}"
wait_for has_steps "$work/rank" 3
kill -TERM "$(pid_of "$work/rank" 1)"
saved "$work/rank" 143 'SIGTERM to rank 1 alone'
step=$(last_step "$work/rank")
step=$((10#${step#step-}))
"${two[@]}" "${endless[@]}" --resume auto --run-dir "$work/rank" --max-steps $((step + 1)) >"$work/log" 2>&1 ||
  fail "it does not go on: $(tail -5 "$work/log")"
grep -q "resumed from step $step:" "$work/log" || fail "it goes on elsewhere: $(cat "$work/log")"
# As a container's first process, without a terminal.
begin "$work/ranks" setsid "$launch_ranks" 2 "$negatron" pretrain "${endless[@]}" "${patient[@]}"
wait_for has_steps "$work/ranks" 3
kill -TERM "$job"
saved "$work/ranks" 143 'SIGTERM to launch/ranks'

# --- in an evaluation before the first step ---
begin "$work/evaluates" "${two[@]}" "${small[@]}" --encoder resnet18 --image-size 160 --epochs 100000 "${patient[@]}"
wait_for grep -q 'raw pixels' "$work/log"
kill -TERM "$(pid_of "$work/evaluates" 0)"
ended 143 'SIGTERM in an evaluation'
! grep -q 'random weights' "$work/log" || fail "it was heard only behind the evaluation: $(cat "$work/log")"
[ "$(snapshots "$work/evaluates")" = step-000000000 ] || fail "an evaluation: there is '$(snapshots "$work/evaluates")'"

# --- who cannot leave in order ends, and all with it ---
# hangs RUN GRACE [WRAPPER ...]: a rank stands still, another will be told; the third would wait for both.
hangs() {
  begin "$1" "${mpirun[@]}" -n 3 "${@:3}" "$negatron" pretrain "${endless[@]}" --term-grace "$2"
  wait_for has_steps "$1" 3
  kill -STOP "$(pid_of "$1" 2)"
}
# mpirun does not see the end of what a script started, as srun does not see that of a node's only rank.
hangs "$work/grace" 1 bash -c '"$@"; sleep 1000' bash
kill -TERM "$(pid_of "$work/grace" 0)"
ended 143 'SIGTERM beside a rank that stands still'
grep -q 'SIGTERM: not waiting any longer; the snapshots are whole' "$work/log" || fail "the grace: $(cat "$work/log")"
[ -z "$(pids_of "$work/grace")" ] || fail 'ranks are left behind'
hangs "$work/twice" 1000
told=$(pid_of "$work/twice" 0)
# Both may be one order in the first second.
for _ in $(seq 100); do kill -TERM "$told" 2>/dev/null || break && sleep 0.3; done
ended 143 'a second SIGTERM'
grep -q 'a second SIGTERM: left at once' "$work/log" || fail "twice: $(cat "$work/log")"

# --- Slurm ---
SLURM_JOB_ID=12 SLURM_STEP_NODELIST='n[1-2]' SLURM_RESTART_COUNT=2 SLURM_NTASKS=4 "${one[@]}" "${quick[@]}" \
  --max-steps 2 --run-dir "$work/slurm" >"$work/log" 2>&1 || fail "a run in a job: $(cat "$work/log")"
grep -qx 'Slurm job 12 on n\[1-2\], restarted 2 times' "$work/log" || fail "the start says $(head -5 "$work/log")"
grep -q 'warning: job 12 of Slurm has 4 tasks, and this run is one rank' "$work/log" || fail "tasks: $(cat "$work/log")"
grep -q '^{"event":"start","step":0,"ranks":1,"slurm_job":"12","slurm_nodes":"n\[1-2\]","slurm_restarts":2,' \
  "$work/slurm/metrics.jsonl" || fail "metrics: $(head -2 "$work/slurm/metrics.jsonl")"
grep -q '"slurm":{"job":"12","step":"","nodes":"n\[1-2\]","restarts":2}' "$work/slurm/starts.jsonl" ||
  fail "starts: $(cat "$work/slurm/starts.jsonl")"
# Left by srun --mpi=none, --mpi=pmi2 and --mpi=pmix to each program of the shell that they start.
shell=(SLURM_JOB_ID=12 SLURM_JOBID=12 SLURM_STEP_ID=0 SLURM_STEPID=0 SLURM_NTASKS=1 SLURM_STEP_NUM_TASKS=1
  SLURM_PROCID=0 SLURM_NODELIST=n1 SLURM_TASKS_PER_NODE=1)
for pmi in NOTHING=1 'PMI_RANK=0 PMI_SIZE=1 PMI_FD=9' 'PMIX_RANK=0 PMIX_NAMESPACE=slurm.pmix.12.0'; do
  read -ra pmi <<<"$pmi"
  env "${shell[@]}" "${pmi[@]}" "$negatron" plan >"$work/log" 2>&1 || fail "plan in a shell with ${pmi[*]}: $(cat "$work/log")"
done

verdict term
