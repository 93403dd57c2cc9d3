#!/usr/bin/env bash
# Ranks that go away over two nodes of a Slurm: the job ends in bounded time, once, with a code that says why, and names
# who is missing. On a busy machine each takes longer; a job that waits where it should not waits far longer still.
#   on_cluster lost_ranks_test.sh NEGATRON TEMPLATE MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/slurm_run.sh"
alone=(-N2 -n2)
paired=(-N2 -n4 --ntasks-per-node=2)
limited=("${endless[@]}" --collective-time-limit 6)

about 'killed: noticed by Slurm, though the time limit is ten minutes, and not saved, which would wait for the grace'
start "$work/killed" --kill-on-bad-exit=1 "${alone[@]}" -- "${endless[@]}"
strike KILL "$work/killed" 1
start "$work/pair" --kill-on-bad-exit=1 "${paired[@]}" -- "${endless[@]}"
strike KILL "$work/pair" 3
# 137 is the dead rank's, 3 that of those which found it missing when Slurm told them to end.
ended "$work/killed" '137 3' 18
says 'n2.*Killed' "$work/killed.log"

about 'killed alone on its node, and nobody told Slurm to care: the time limit, once'
start "$work/unnoticed" "${alone[@]}" -- "${limited[@]}"
strike KILL "$work/unnoticed" 1
ended "$work/pair" '137 3' 18

# While one waits for its limit the next one starts.
about 'stopped: named with its host, in one table, and the limit is one however many collectives are in flight'
for rank in 1 3; do
  start "$work/stopped$rank" "${paired[@]}" -- "${limited[@]}"
  sleep "0.0$((3 * rank))"
  strike STOP "$work/stopped$rank" $rank
done
# Ten buckets of gradients in flight.
start "$work/buckets" "${alone[@]}" -- "${limited[@]}" --encoder resnet18 --stem cifar --encoder-norm group
strike STOP "$work/buckets" 1

ended "$work/unnoticed" 3 30
says 'rank 1 on n2' "$work/unnoticed.log"
for rank in 1 3; do
  ended "$work/stopped$rank" 3 30
  says "rank $rank on n$((1 + rank / 2)): no answer" "$work/stopped$rank.log"
  [ "$(grep -c 'where the ranks of this job are' "$work/stopped$rank.log")" -eq 1 ] ||
    fail "not one table: $(cat "$work/stopped$rank.log")"
done
ended "$work/buckets" 3 30
says 'rank 1 on n2: no answer' "$work/buckets.log"

about 'the cable of a node: what stands on either side ends by itself'
start "$work/cable" "${alone[@]}" -- "${limited[@]}"
near=$(pid_of "$work/cable" 0)
far=$(pid_of "$work/cable" 1)
cut_cable n2
wait_for is_gone "$near"
wait_for is_gone "$far"
mend_cable n2
ended "$work/cable" '3 137' 120
says 'rank 1 on n2: no answer' "$work/cable.log"

verdict 'lost ranks'
