#!/usr/bin/env bash
# Drives `negatron doctor` as a user does, on one rank and on two: exit codes, what it says of a directory that cannot
# serve and of one thread that is bound, JSON, and that a rank which stands still holds nobody up.
#   doctor_test.sh NEGATRON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
shift
mpirun=("$@")

# A machine that does other things may be slow; the limits themselves are looked at below.
patient=(--time-limit 300)
ranks() { local count=$1; shift; "${mpirun[@]}" -n "$count" "$negatron" "$@"; }

# ends CODE COMMAND...: leaves what it says in $work/out.
ends() {
  local expected=$1 code=0
  shift
  "$@" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: $*: $(cat "$work/out" "$work/err")"
}
says() { grep -qE -- "$1" "$work/out" || fail "nothing says '$1': $(cat "$work/out")"; }
# value EXPRESSION: of the JSON object j in $work/out.
value() { python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$work/out" "$1"; }
has() { [ "$(value "$1")" = True ] || fail "not so: $1: $(cat "$work/out")"; }

mkdir "$work/shared"
ends 0 "$negatron" doctor "${patient[@]}" --run-dir "$work/shared"
says '^ok       launcher: no launcher'
says "^ok       directory: '$work/shared' is one for all ranks"
says '^(all is well|a run works): 0 failed'

# --- two ranks: every part has its line, and every line its four words ---
ends 0 ranks 2 doctor "${patient[@]}" --run-dir "$work/shared"
for what in launcher hosts versions interfaces memory 'shared memory' limits threads clocks 'barrier over MPI' \
  'all_reduce over MPI' 'all_to_all over MPI' directory writing reading locks renames room GPUs; do
  grep -qE "^(ok|warning) +$what: .*; expected " "$work/out" || fail "no line of $what: $(cat "$work/out")"
done
says 'launcher: mpirun with PMIx, 2 ranks'
says 'hosts: ranks 0, 1 on '
! grep '^warning' "$work/out" | grep -v '; do: ' || fail 'a warning does not say what to do'
! grep '^ok' "$work/out" | grep '; do: ' || fail 'there is something to do where all is well'
[ -z "$(ls -A "$work/shared")" ] || fail "it left something: $(ls -A "$work/shared")"

# --- the same as JSON ---
ends 0 ranks 2 doctor "${patient[@]}" --run-dir "$work/shared" --json
has 'j["works"] and j["failed"] == 0'
has '{"launcher", "threads", "all_gather over MPI", "renames"} <= {f["what"] for f in j["findings"]}'
has 'all(set(f) >= {"severity", "what", "found", "expected"} for f in j["findings"])'
threads=$(value 'int([f for f in j["findings"] if f["what"] == "threads"][0]["found"].split()[0])')

# --- a directory that cannot serve ---
touch "$work/file"
for directory in "$work/none" "$work/file" /proc; do
  ends 1 "$negatron" doctor --run-dir "$directory"
  says "^FAILED   directory: .*; expected '$directory' that every rank can write into; do: make it"
  says '^a run will not work as it is: 1 failed'
done
ends 1 ranks 2 doctor "${patient[@]}" --run-dir "$work/none" --json
has 'not j["works"] and [f["found"] for f in j["findings"] if f["severity"] == "failed"] == ["There is no such directory."]'

# --- ranks that are bound to one core of several ---
alone=$("$negatron" doctor --json | python3 -c 'import json, sys
print([f for f in json.load(sys.stdin)["findings"] if f["what"] == "threads"][0]["found"].split()[0])')
if [ "$alone" -ge 2 ]; then
  core=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
  ends 0 taskset -c "$core" "$negatron" doctor "${patient[@]}"
  says '^warning  threads: 1 thread, bound to 1 core of .*; do: something \(taskset'
fi

# --- a launcher of another MPI, and one that gives no PMI: said without the other ranks ---
ends 1 env PMI_SIZE=4 PMI_RANK=0 "$negatron" doctor
says '^FAILED   launcher: .* but 4 were started'
ends 1 env SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2 SLURM_NTASKS=2 SLURM_PROCID=0 "$negatron" doctor --json
has '"--mpi=pmix" in [f for f in j["findings"] if f["severity"] == "failed"][-1]["found"]'

# --- a rank that does not come: said within its time, by the one that waits ---
begin=$SECONDS
ends 1 "${mpirun[@]}" -n 1 "$negatron" doctor --time-limit 10 : -n 1 sleep 300
says '^FAILED   start of MPI: it did not end within 4.00 s on host .*; do: see that all hosts are up'
[ $((SECONDS - begin)) -lt 60 ] || fail "a rank that does not come held it up for $((SECONDS - begin)) s"

# --- flags ---
refused '--time-limit takes a number from 10' ranks 2 doctor --time-limit 1
refused 'did you mean --run-dir' "$negatron" doctor --run-di x
refused "--device is 'tpu'" "$negatron" doctor --device tpu
if [ -e /dev/nvidia0 ]; then
  ends 0 "$negatron" doctor --device cuda
  says '^(ok|warning) +GPUs: [0-9]+ x '
  says '^ok +collectives over NCCL: one rank'
else
  ends 1 "$negatron" doctor --device cuda
  says '^FAILED   GPUs: none'
fi

verdict doctor
