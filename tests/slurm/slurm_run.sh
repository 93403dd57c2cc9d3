# Sourced by tests that drive `negatron pretrain` under Slurm, as `on_cluster TEST NEGATRON TEMPLATE MPIRUN [FLAGS ...]`.
# Beside what small_run.sh leaves: $negatron, $template (the batch script), $mpirun, and $endless, the flags of a run
# that does not end by itself.
[ -n "${NEGATRON_CLUSTER:-}" ] || { echo "start it as tests/slurm/on_cluster $0 ..." >&2; exit 2; }
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$folder/../launch/small_run.sh"
source "$folder/nodes.sh"
negatron=$1
template=$2
shift 2
mpirun=("$@")
# Of a job that Slurm starts again on a busy machine, in seconds.
patience=120
sed -i '/^epochs/d' "$work/small.ini"
printf '%s\n' 'epochs = 6' 'seed = 1' 'baselines = off' 'evaluate-every = 0' >>"$work/small.ini"
endless=("${small[@]}" --epochs 100000 --snapshot-every never)

# about SUBJECT: what comes next, and when.
about() { printf '%3d s: %s\n' $SECONDS "$1"; }

# ends CODE COMMAND...: it does; what it says is in log.
ends() {
  local expected=$1 code=0
  shift
  "$@" >"$work/log" 2>&1 || code=$?
  [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: $*: $(tail -5 "$work/log")"
}

# says PATTERN [LOG]: it does.
says() { grep -Eq -- "$1" "${2:-$work/log}" || fail "'$1' is not in: $(cat "${2:-$work/log}")"; }

# train SRUN FLAGS... PROGRAM FLAGS...: once more where a rank crashed in the middle of MPI_Init, before it was a run. Open
# MPI 4.1 under Slurm's PMIx does that in one of some hundred starts: the first message of a rank that has started meets
# one that has not, whose TCP transport calls a receiver that is not there yet.
train() {
  local code=0
  srun --mpi=pmix "$@" || code=$?
  # Of the rank that crashed; or of those that were then told to end.
  case $code in 139 | 143) ;; *) return $code ;; esac
  ! was_a_run "$@" || return $code
  srun --mpi=pmix "$@"
}

# was_a_run ... --run-dir RUN: it has made a step.
was_a_run() {
  local all="$*"
  local run=${all##*--run-dir }
  has_steps "${run%% *}" 1 2>/dev/null
}

# Jobs of srun in the background, by their run directory: RUN.log has what they say, RUN.end their exit code and when.
declare -A begun=()

# begin RUN SRUN FLAGS... -- PRETRAIN FLAGS...
begin() {
  local run=$1 launcher=()
  shift
  while [ "$1" != -- ]; do launcher+=("$1"); shift; done
  shift
  begun[$run]=$EPOCHREALTIME
  {
    train "${launcher[@]}" "$negatron" pretrain "$@" --run-dir "$run" >"$run.log" 2>&1 && code=0 || code=$?
    echo $code $EPOCHREALTIME >"$run.end"
  } &
}

# start RUN SRUN FLAGS... -- PRETRAIN FLAGS...: up to its third step.
start() {
  begin "$@"
  wait_for trains_or_is_over "$1"
  has_steps "$1" 3 || fail "the job ended before: $(cat "$1.log")"
}

is_over() { [ -s "$1.end" ]; }
trains_or_is_over() { has_steps "$1" 3 || is_over "$1"; }

# strike SIGNAL RUN RANK: from here on its seconds count.
strike() {
  begun[$2]=$EPOCHREALTIME
  kill "-$1" "$(pid_of "$2" "$3")"
}

# ended RUN CODES SECONDS: with one of these codes, within so many.
ended() {
  local run=$1 code at took patience=$3
  # What stays would keep its CPUs from all that follow.
  wait_for is_over "$run" || { pkill -KILL -f -- "--run-dir $run( |\$)"; return; }
  read -r code at <"$run.end"
  took=$(awk "BEGIN { printf \"%.1f\", $at - ${begun[$run]} }")
  [[ " $2 " == *" $code "* ]] || fail "exit code $code instead of $2 after $took s: $(tail -5 "$run.log")"
  awk "BEGIN { exit !($took <= $3) }" || fail "it took $took s and not $3"
  echo "       $(basename "$run") ended with $code after $took s"
}

is_gone() { ! kill -0 "$1"; }

has_steps() { [ "$(grep -c '^{"step"' "$1/metrics.jsonl")" -ge "$2" ]; }
has_snapshot() { ls "$1"/snapshots/step-?????????/manifest.json >/dev/null; }

# pid_of RUN RANK: as seen from outside of the nodes.
pid_of() {
  local pid
  for pid in $(pgrep -f -- "^$negatron pretrain .*--run-dir $1( |\$)"); do
    if tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "SLURM_PROCID=$2"; then echo "$pid"; fi
  done
}

state_of() { scontrol show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
code_of() { scontrol show job "$1" | sed -n 's/.*ExitCode=\([0-9]*\):.*/\1/p'; }
job_is() { [ "$(state_of "$1")" = "$2" ]; }
