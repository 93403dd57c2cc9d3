#!/usr/bin/env bash
# Jobs of launch/slurm/pretrain.sbatch, and the one that the README shows: saved, requeued and done; failed; suspended; preempted; on a node that dies. Slurm
# lets most of them wait, and looks at what it preempted twice a minute: so the first ones run beside each other.
#   on_cluster jobs_test.sh NEGATRON TEMPLATE MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/slurm_run.sh"
export NEGATRON=$negatron
# One task a node, where nothing is preempted, unless said otherwise.
submit_here() { sbatch --parsable --partition=urgent --ntasks-per-node=1 --cpus-per-task=1 --time=10 "$@"; }
submit() { (cd "$work" && submit_here "$@"); }
run=("${small[@]}" --snapshot-every 1000)

about 'one task of an array is told to save and leave; meanwhile two jobs over both nodes start'
array=$(submit --array=0-1 --open-mode=append -o 'array-%a.log' --requeue --signal=USR1@10 \
  --wrap "exec bash '$template' ${run[*]} --epochs 400 --run-dir '$work'/array-\$SLURM_ARRAY_TASK_ID")
# As a user would copy it, with a run directory and a length that fit here.
mkdir -p "$work/shown/build"
ln -s "$negatron" "$work/shown/build/negatron"
sed '/^epochs/s/=.*/= 400/' "$work/small.ini" >"$work/shown/my.ini"
(cd "$folder" && sed -n '/^    #!\/bin\/bash/,/^$/s/^    //p' ../../README.md) | sed 's#/shared/runs/first#run#' >"$work/shown/job"
shown=$(cd "$work/shown" && submit_here --ntasks=1 -o log job)
after=$(submit --dependency="afterok:$array" -o after.log --wrap 'echo all done')
suspended=$(submit -N2 -o suspended.log "$template" "${endless[@]}" --collective-time-limit 6 --run-dir "$work/suspended")
preempted=$(submit -N2 --partition=all --cpus-per-task=2 -o preempted.log "$template" "${endless[@]}" --term-grace 8 \
  --run-dir "$work/preempted")
wait_for has_steps "$work/array-1" 5
scancel --signal=USR1 "${array}_1"
wait_for has_steps "$work/shown/run" 5
scancel --signal=USR1 "$shown"

about 'one is suspended, for longer than a collective may take'
wait_for has_steps "$work/suspended" 3
scontrol suspend "$suspended"
sleep 9 &
longer=$!

about 'jobs that fail, that crash, that cannot work'
printf '#!/bin/sh\nexit 3\n' >"$work/fails"
# What srun says and returns where a rank crashed in a start and others, told to end, had no run to save.
mkdir "$work/crash"
printf '#!/bin/sh\necho "srun: error: n1: task 2: Segmentation fault" >&2\nexit 143\n' >"$work/crash/srun"
# As on a busy node: what srun said is read late.
printf '#!/bin/sh\nsleep 1\nexec /usr/bin/tee "$@"\n' >"$work/crash/tee"
chmod +x "$work/fails" "$work/crash/srun" "$work/crash/tee"
export NEGATRON_MOST_FAILURES=2
failing=$(NEGATRON=$work/fails submit -o failing.log "$template")
crashing=$(PATH=$work/crash:$PATH submit -o crashing.log "$template")
refused=$(submit -o refused.log "$template" --config "$work/small.ini" --bank-rows none --run-dir "$work/refused")

# None of a lower priority starts before it, so it comes last.
about 'a job of a higher partition comes, which needs more CPUs than the other job over both nodes leaves'
wait_for has_steps "$work/preempted" 3
other=$(submit -N2 --cpus-per-task=3 -o other.log --wrap 'exit 0')

about 'the task of the array: it alone is requeued, goes on, and all are COMPLETED'
wait_for grep -q 'resumed from step' "$work/array-1.log"
grep -q 'ended with code 75; requeued' "$work/array-1.log" || fail "it does not say that it requeued: $(cat "$work/array-1.log")"
! grep -q REQUEUE "$work/array-0.log" || fail 'the requeue of one task of an array stopped another one'
for task in 0 1; do
  wait_for job_is "${array}_$task" COMPLETED || fail "a job that is done is $(state_of "${array}_$task")"
done
wait_for job_is "$after" COMPLETED || fail "what waited for the array is $(state_of "$after")"
[ "$(grep -o '^{"step":[0-9]*' "$work/array-1/metrics.jsonl" | cut -d: -f2)" = "$(seq 0 1599)" ] ||
  fail 'steps are missing or doubled where a job was requeued'
[ "$(losses "$work/array-0")" = "$(losses "$work/array-1")" ] || fail 'a requeued run trained otherwise'

about "the README's job as well"
wait_for grep -q 'resumed from step' "$work/shown/log"
wait_for job_is "$shown" COMPLETED || fail "the README's job is $(state_of "$shown"): $(tail -5 "$work/shown/log")"

about 'the suspended one goes on'
wait $longer
scontrol resume "$suspended"
steps=$(wc -l <"$work/suspended/metrics.jsonl")
wait_for has_steps "$work/suspended" $((steps + 50))
job_is "$suspended" RUNNING || fail "a job that was suspended is $(state_of "$suspended"): $(tail -5 "$work/suspended.log")"
scancel "$suspended"
wait_for job_is "$suspended" CANCELLED

about 'what fails or crashes is started again so often, and no oftener; what cannot work is not'
for ending in "failing $failing 3" "crashing $crashing 137"; do
  set -- $ending
  wait_for job_is "$2" FAILED
  [ "$(code_of "$2")" -eq "$3" ] || fail "a job that ends with $3 ends with $(code_of "$2")"
  [ "$(grep -c 'requeued' "$work/$1.log")" -eq 1 ] || fail "not started twice: $(cat "$work/$1.log")"
done
wait_for job_is "$refused" FAILED
[ "$(code_of "$refused")" -eq 2 ] || fail "a job that cannot work ends with $(code_of "$refused")"

about 'the preempted one: saved at SIGTERM, and started again by Slurm when the other job is done'
wait_for job_is "$other" COMPLETED
has_snapshot "$work/preempted" || fail "nothing was saved at SIGTERM: $(tail -5 "$work/preempted.log")"
wait_for grep -q 'resumed from step' "$work/preempted.log"
scancel "$preempted"
wait_for job_is "$preempted" CANCELLED

about 'a node dies: a job on it is started again and goes on, and one that waited for another goes on with its run elsewhere'
saving=("${small[@]}" --epochs 100000 --snapshot-every 8)
node=$(submit -N2 -o node.log "$template" "${saving[@]}" --run-dir "$work/node")
ended=$(submit --no-requeue --nodelist=n1 -o ended.log "$template" "${saving[@]}" --run-dir "$work/chain")
chained=$(submit --dependency="afterany:$ended" --nodelist=n2 -o chained.log "$template" "${saving[@]}" --run-dir "$work/chain")
wait_for has_snapshot "$work/node"
wait_for has_snapshot "$work/chain"
about 'its power goes'
kill_node n1
wait_for grep -q 'resumed from step' "$work/chained.log"
about 'it comes back'
scancel "$chained"
wait_for job_is "$node" PENDING
start_node n1
wait_for grep -q 'resumed from step' "$work/node.log"
scancel "$node"
wait_for job_is "$node" CANCELLED

verdict 'jobs under Slurm'
