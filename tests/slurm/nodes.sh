# Sourced in the namespaces of on_cluster: what can happen to the nodes n1 and n2.
subnet=10.77.0
slurm_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SLURM_CONF=$NEGATRON_CLUSTER/slurm.conf
# MPI's traffic on the nodes' own network; root is nobody special in here.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# start_node NAME: it boots.
start_node() {
  local name=$1 place=$NEGATRON_CLUSTER/$1 node
  # What a job left there that died with the node (spmix_appdir) would block that job's next start.
  rm -rf "$place"
  mkdir -p "$place/spool" "$place/tmp"
  unshare --mount --propagation "$NEGATRON_PROPAGATION" --net --uts --pid --fork --kill-child \
    "$slurm_folder/boot_node" "$name" "$subnet.$((10 + ${name#n}))" >>"$place.out" 2>&1 </dev/null &
  node=$!
  echo $node >"$place.pid"
  disown $node
  while [ "$(readlink /proc/$node/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
  ip link add "$name" type veth peer name eth0 netns $node
  ip link set "$name" master nodes up
}

# kill_node NAME: its power goes, so nobody hears of it.
kill_node() {
  cut_cable "$1"
  kill -KILL "$(cat "$NEGATRON_CLUSTER/$1.pid")"
  # The kernel would do it when the last connection has given up, minutes later.
  ip link del "$1"
}

cut_cable() { ip link set "$1" down; }
mend_cable() { ip link set "$1" up; }

# on_node NAME COMMAND...: with what the node sees of files and networks. A mount namespace begins at the machine's own root,
# which is not the node's where all this runs in a changed root.
on_node() {
  local name=$1
  shift
  nsenter --target "$(cat "$NEGATRON_CLUSTER/$name.pid")" --mount --net --uts --root "$@"
}
