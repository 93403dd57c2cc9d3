#!/usr/bin/env bash
# Starts over two nodes of a Slurm: the same answer as under mpirun, and what a start says that cannot work.
#   on_cluster start_test.sh NEGATRON TEMPLATE MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/slurm_run.sh"

about 'bit for bit what it is under mpirun, two ranks a node'
ends 0 train -N2 -n4 "$negatron" pretrain "${small[@]}" --max-steps 8 --run-dir "$work/srun"
says '(2 on n1.*2 on n2|n1.*n2)'
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
ends 0 salloc -n4 "$negatron" pretrain "${small[@]}" --max-steps 1 --run-dir "$work/shell"
says 'has 4 tasks'

about 'no GPU: one sentence for the job, with the host'
refused 'n1' train -N2 -n2 "$negatron" pretrain "${small[@]}" --device cuda --run-dir "$work/never"
[ ! -e "$work/never" ] || fail 'a refused run left a run directory'

about 'a network that both nodes have under one address and that leads nowhere, as docker0'
for node in n1 n2; do
  on_node $node ip link add docker0 type bridge && on_node $node ip addr add 172.17.0.1/16 dev docker0 &&
    on_node $node ip link set docker0 up || fail "no docker0 on $node"
done
train -N2 -n2 "$negatron" pretrain "${small[@]}" --collective-time-limit 10 --run-dir "$work/never" >"$work/log" 2>&1 &
job=$!
ended 3 60
says 'docker0 172\.17\.0\.1'
says 'OMPI_MCA_btl_tcp_if_include'
export OMPI_MCA_btl_tcp_if_include=$subnet.0/24
ends 0 train -N2 -n2 "$negatron" pretrain "${small[@]}" --max-steps 2 --run-dir "$work/named"

verdict 'starts under Slurm'
