#!/usr/bin/env bash
# Starts over two nodes of a Slurm: the same answer as under mpirun; what a start says that cannot work; and directories:
# one that is another on each node, data that a node lacks, and one that two starts want.
#   on_cluster start_test.sh NEGATRON TEMPLATE MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/slurm_run.sh"

about 'a run directory that is not shared: for as long as NFS may take to show a file; the rest comes meanwhile'
mkdir "$work/local"
on_node n2 mount -t tmpfs tmpfs "$work/local" || fail 'nothing can be mounted on n2'
begin "$work/local/run" -N2 -n2 -- "${small[@]}"

about 'bit for bit what it is under mpirun, two ranks a node'
ends 0 train -N2 -n4 --ntasks-per-node=2 "$negatron" pretrain "${small[@]}" --max-steps 8 --run-dir "$work/srun"
says 'ranks 0, 1 on n1, ranks 2, 3 on n2'
ends 0 "${mpirun[@]}" -n 4 "$negatron" pretrain "${small[@]}" --max-steps 8 --run-dir "$work/mpirun"
[ -n "$(losses "$work/srun")" ] && [ "$(losses "$work/srun")" = "$(losses "$work/mpirun")" ] ||
  fail 'srun and mpirun give other losses'

about 'tasks that cannot find each other, and one that MPI cannot start in: exit code 2 and the option that is missing'
for how in '--mpi=none -N2 -n2' '--mpi=none -n1' '--mpi=pmi2 -n2'; do
  ends 2 srun $how "$negatron" pretrain "${small[@]}" --run-dir "$work/never"
  says 'srun --mpi=pmix'
done

about 'shells that srun and salloc start: each command is one process'
for how in none pmix; do
  ends 0 srun --mpi=$how -n1 sh -c '"$0" plan && "$0" plan' "$negatron"
done
ends 0 salloc -N2 -n4 "$negatron" pretrain "${small[@]}" --max-steps 1 --run-dir "$work/shell"
says 'has 4 tasks'

about 'no GPU: one sentence for the job, with the host'
refused 'n1' train -N2 -n2 "$negatron" pretrain "${small[@]}" --device cuda --run-dir "$work/never"
[ ! -e "$work/never" ] || fail 'a refused run left a run directory'

about 'data that one node lacks'
cp -r "$work/data" "$work/copy"
on_node n2 mount -t tmpfs tmpfs "$work/copy" || fail 'nothing can be mounted on n2'
refused 'rank 1 on n2' train -N2 -n2 "$negatron" pretrain "${small[@]}" --data "$work/copy" --run-dir "$work/never"
[ ! -e "$work/never" ] || fail 'a refused run left a run directory'

about 'two steps of one job, on two nodes, want one directory: the first keeps it'
steps=$(sbatch --parsable -N2 -n2 -o "$work/allocation.log" --wrap 'sleep 600')
wait_for job_is "$steps" RUNNING
step=(--jobid="$steps" --exact -N1 -n1)
start "$work/steps" "${step[@]}" -w n1 -- "${endless[@]}" --resume auto
refused 'is in use by process' \
  train "${step[@]}" -w n2 "$negatron" pretrain "${endless[@]}" --resume auto --run-dir "$work/steps"
strike USR1 "$work/steps" 0
ended "$work/steps" 75 60
! grep -q 'taken over' "$work/steps.log" || fail "the first step lost its lock: $(cat "$work/steps.log")"
scancel "$steps"

about 'a network that both nodes have under one address and that leads nowhere, as docker0'
for node in n1 n2; do
  on_node $node ip link add docker0 type bridge && on_node $node ip addr add 172.17.0.1/16 dev docker0 &&
    on_node $node ip link set docker0 up || fail "no docker0 on $node"
done
begin "$work/misled" -N2 -n2 -- "${small[@]}" --collective-time-limit 10
ended "$work/misled" 3 60
says 'docker0 172\.17\.0\.1' "$work/misled.log"
says 'OMPI_MCA_btl_tcp_if_include' "$work/misled.log"
export OMPI_MCA_btl_tcp_if_include=$subnet.0/24
ends 0 train -N2 -n2 "$negatron" pretrain "${small[@]}" --max-steps 2 --run-dir "$work/named"

about 'the run directory that is not shared: refused before anything is trained'
ended "$work/local/run" 2 180
says 'rank 1 on n2: --run-dir: .* is another directory here' "$work/local/run.log"
[ ! -e "$work/local/run/metrics.jsonl" ] || fail 'a run without a shared directory trained'

verdict 'starts under Slurm'
