#!/usr/bin/env bash
# Directories under Slurm: one that is another on each node, data that a node lacks, one that two starts want, and a run
# that another job goes on with.
#   on_cluster directories_test.sh NEGATRON TEMPLATE MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/slurm_run.sh"

about 'a run directory that is not shared: refused before anything is trained'
# In the time that NFS may take to show a file: the rest comes meanwhile.
mkdir "$work/local"
on_node n2 mount -t tmpfs tmpfs "$work/local" || fail 'nothing can be mounted on n2'
train -N2 -n2 "$negatron" pretrain "${small[@]}" --run-dir "$work/local/run" >"$work/local.log" 2>&1 &
unshared=$!

about 'data that one node lacks'
cp -r "$work/data" "$work/copy"
on_node n2 mount -t tmpfs tmpfs "$work/copy" || fail 'nothing can be mounted on n2'
refused 'rank 1 on n2' train -N2 -n2 "$negatron" pretrain "${small[@]}" --data "$work/copy" --run-dir "$work/never"
[ ! -e "$work/never" ] || fail 'a refused run left a run directory'

about 'two steps of one job, on two nodes, want one directory: the first keeps it'
steps=$(sbatch --parsable -N2 -n2 -o "$work/steps.log" --wrap 'sleep 600')
wait_for job_is "$steps" RUNNING
step() { train --jobid="$steps" --exact -N1 -n1 -w "$1" "$negatron" pretrain "${endless[@]}" --resume auto --run-dir "$work/steps"; }
step n1 >"$work/log" 2>&1 &
job=$!
wait_for has_steps "$work/steps" 3
refused 'is in use by process' step n2
kill -USR1 "$(pid_of "$work/steps" 0)"
ended 75 60
! grep -q 'taken over' "$work/log" || fail "the first step lost its lock: $(cat "$work/log")"
scancel "$steps"

about 'the run directory that is not shared'
wait "$unshared" && code=0 || code=$?
[ "$code" -eq 2 ] || fail "exit code $code instead of 2 for a run directory that is not shared: $(cat "$work/local.log")"
grep -q 'rank 1 on n2: --run-dir: .* is another directory here' "$work/local.log" || fail "it says: $(cat "$work/local.log")"
[ ! -e "$work/local/run/metrics.jsonl" ] || fail 'a run without a shared directory trained'

verdict 'directories under Slurm'
