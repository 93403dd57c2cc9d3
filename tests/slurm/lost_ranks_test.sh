#!/usr/bin/env bash
# Ranks that go away over two nodes of a Slurm: the job ends in bounded time, once, with a code that says why, and names
# who is missing. On a busy machine each takes longer; a job that waits where it should not waits far longer still.
#   on_cluster lost_ranks_test.sh NEGATRON TEMPLATE MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/slurm_run.sh"
alone=(-N2 -n2)
paired=(-N2 -n4)

about 'killed: noticed by Slurm, though the time limit is ten minutes, and not saved, which would wait for the grace'
start "$work/killed" --kill-on-bad-exit=1 "${alone[@]}" -- "${endless[@]}"
kill -KILL "$(pid_of "$work/killed" 1)"
# 137 is the dead rank's, 3 that of those which found it missing when Slurm told them to end.
ended '137 3' 18
says 'n2.*Killed'

start "$work/pair" --kill-on-bad-exit=1 "${paired[@]}" -- "${endless[@]}"
kill -KILL "$(pid_of "$work/pair" 3)"
ended '137 3' 18

about 'killed alone on its node, and nobody told Slurm to care: the time limit, once'
start "$work/unnoticed" "${alone[@]}" -- "${endless[@]}" --collective-time-limit 6
kill -KILL "$(pid_of "$work/unnoticed" 1)"
ended 3 30
says 'rank 1 on n2'

about 'stopped: named with its host, in one table, and the limit is one however many collectives are in flight'
for rank in 1 3; do
  start "$work/stopped$rank" "${paired[@]}" -- "${endless[@]}" --collective-time-limit 6
  sleep "0.0$((3 * rank))"
  kill -STOP "$(pid_of "$work/stopped$rank" $rank)"
  ended 3 30
  says "rank $rank on n$((1 + rank / 2)): no answer"
  [ "$(grep -c 'where the ranks of this job are' "$work/log")" -eq 1 ] || fail "not one table: $(cat "$work/log")"
done
# Ten buckets of gradients in flight.
start "$work/buckets" "${alone[@]}" -- "${endless[@]}" --encoder resnet18 --stem cifar --encoder-norm group \
  --collective-time-limit 6
kill -STOP "$(pid_of "$work/buckets" 1)"
ended 3 30
says 'rank 1 on n2: no answer'

about 'the cable of a node: what stands on either side ends by itself'
start "$work/cable" "${alone[@]}" -- "${endless[@]}" --collective-time-limit 6
near=$(pid_of "$work/cable" 0)
far=$(pid_of "$work/cable" 1)
cut_cable n2
wait_for is_gone "$near"
wait_for is_gone "$far"
mend_cable n2
says 'rank 1 on n2: no answer'
wait_for is_gone "$job" || kill -KILL "$job"
wait "$job" && fail 'a job that lost a node ends with 0'
job=

verdict 'lost ranks'
