#!/bin/sh
# Usage: self_test.sh CHECK. Plants wrong lines, one at a time, in a small tree: check.sh must name each of them, and
# must pass the tree without them.
set -eu
check=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

plant() {  # plant FILE INCLUDE
  mkdir -p "$tree/$(dirname "$1")"
  printf '#include %s\n' "$2" > "$tree/$1"
}
new_tree() {
  rm -rf "$tree"/*
  mkdir -p "$tree/comm" "$tree/samplers" "$tree/runtime" "$tree/launch"
  plant comm/mpi/thing.cpp '<mpi.h>'
  plant samplers/exchange/a.h '"samplers/pass/pass.h"'
  plant samplers/negative_samplers/a.h '"comm/share.h"'
  plant samplers/pass/device_pass.h '"samplers/pass/cpu/fast_pass.h"'
  plant samplers/pass/cpu/a.cpp '"samplers/pass/cpu/kernels/pass_kernel.h"'
  plant samplers/pass/cpu/kernels/a.h '"samplers/pass/cpu/kernels/leaf_scan.h"'
  plant samplers/exchange/ranking/a.h '"samplers/exchange/negative_request.h"'
  plant samplers/exchange/mixes/a.h '"samplers/exchange/ranking/hard_set.h"'
  plant runtime/snapshots/a.cpp '<hdf5.h>'
  plant runtime/data/decoding/a.cpp '<jpeglib.h>'
  plant runtime/training/a.cpp '"samplers/objectives/objective.h"'
  plant launch/main.cpp '<boost/program_options.hpp>'
}
refuse() {  # refuse FILE INCLUDE
  new_tree
  plant "$1" "$2"
  if output=$(sh "$check" "$tree"); then
    echo "check.sh passed $1 with #include $2"
    exit 1
  fi
  case $output in
    "$1:1: "*) ;;
    *) echo "check.sh did not name $1 but said: $output"; exit 1 ;;
  esac
}

new_tree
sh "$check" "$tree"
refuse comm/a.h '"samplers/bank/bank.h"'
refuse samplers/bank/a.h '"runtime/data/loader.h"'
refuse runtime/data/a.cpp '"launch/options.h"'
refuse launch/a.cpp '"tests/support/rank_test.h"'
refuse comm/a.cpp '<torch/csrc/distributed/c10d/Store.hpp>'
refuse runtime/a.cpp '<torch/extension.h>'
refuse samplers/random/a.h '"samplers/bank/bank.h"'
refuse samplers/bank/a.h '"samplers/pass/pass.h"'
refuse samplers/cpu/a.h '"samplers/pass/cpu/amx_trial.h"'
refuse samplers/cpu/a.cpp '"samplers/bank/bank.h"'
refuse samplers/cpu/b.cpp '"samplers/random/philox.h"'
refuse samplers/pass/selection/a.cpp '"samplers/pass/pass.h"'
refuse samplers/pass/a.cpp '"samplers/pass/cpu/fast_pass.h"'
refuse samplers/pass/b.cpp '"samplers/pass/cuda/cuda_pass.h"'
refuse samplers/pass/c.cpp '"samplers/pass/device_pass.h"'
refuse samplers/pass/cpu/a.h '"samplers/pass/cuda/cuda_pass.h"'
refuse samplers/pass/cpu/b.h '"samplers/pass/device_pass.h"'
refuse samplers/pass/cpu/c.cpp '"samplers/pass/cpu/kernels/leaf_scan.h"'
refuse samplers/pass/cpu/kernels/a.cpp '"samplers/pass/cpu/fast_run.h"'
refuse samplers/pass/cuda/a.h '"samplers/pass/cpu/query_panels.h"'
refuse samplers/pass/device_pass.cpp '"samplers/pass/cpu/kernels/leaf_scan.h"'
refuse samplers/exchange/a.cpp '"samplers/pass/cpu/fast_pass.h"'
refuse samplers/exchange/ranking/a.cpp '"samplers/pass/cuda/cuda_pass.h"'
refuse samplers/exchange/ranking/b.cpp '"samplers/exchange/bank_exchange.h"'
refuse samplers/exchange/ranking/c.cpp '"samplers/exchange/mixes/mixes.h"'
refuse samplers/exchange/mixes/a.cpp '"samplers/exchange/bank_exchange.h"'
refuse samplers/exchange/rows/a.cpp '"samplers/exchange/ranking/hard_set.h"'
refuse samplers/exchange/negative_request.h '"samplers/exchange/ranking/hard_set.h"'
refuse samplers/pass/a.h '"samplers/exchange/bank_exchange.h"'
refuse samplers/exchange/a.h '"samplers/negative_samplers/whole_bank.h"'
refuse samplers/negative_samplers/a.h '"samplers/objectives/objective.h"'
refuse samplers/objectives/a.h '"samplers/negative_samplers/whole_bank.h"'
refuse samplers/generators/a.h '"samplers/negative_samplers/negcut.h"'
refuse samplers/exchange/b.h '"samplers/generators/generator.h"'
refuse comm/mpi/a.h '<mpi.h>'
refuse comm/a.cpp '<mpi.h>'
refuse samplers/exchange/a.cpp '<mpi.h>'
refuse runtime/training/a.cpp '<nccl.h>'
refuse runtime/snapshots/files/a.cpp '"runtime/snapshots/hdf5/skeleton.h"'
refuse runtime/training/b.cpp '<hdf5.h>'
refuse runtime/data/a.cpp '<jpeglib.h>'
refuse runtime/data/b.cpp '<png.h>'
refuse runtime/data/c.cpp '<webp/decode.h>'
refuse runtime/training/c.cpp '<boost/program_options.hpp>'
refuse runtime/training/f.cpp '"runtime/metrics/tensorboard/events.pb.h"'
refuse runtime/training/d.cpp '<torch/torch.h>'
refuse runtime/training/e.cpp ' "launch/options.h"  // spaces'

new_tree
awk 'BEGIN { for (i = 0; i < 401; ++i) print "//" }' > "$tree/comm/long.h"
if sh "$check" "$tree" > /dev/null; then
  echo "check.sh passed a file of 401 lines"
  exit 1
fi
