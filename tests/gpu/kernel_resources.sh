#!/bin/sh
# Usage: kernel_resources.sh NVCC ROOT ARCHITECTURE...
# Compiles the kernels of the pass and fails, naming the kernel, on registers spilt to memory, on more registers than let
# two thread blocks of a scan share a multiprocessor, and on static shared memory, which tests/samplers/pass does not see.
set -eu
nvcc=$1 root=$2
shift 2
log=$(mktemp)
trap 'rm -f "$log" "$log.cubin"' EXIT
for architecture; do
  "$nvcc" -std=c++17 -O3 -I "$root" -arch="sm_$architecture" -cubin -Xptxas -v -o "$log.cubin" \
    "$root/samplers/pass/cuda/kernels.cu" >"$log" 2>&1 || { cat "$log"; exit 1; }
  awk -v architecture="$architecture" '
    BEGIN {
      registers = 65536          # of a multiprocessor, sm_80 and sm_90
      threads = 128; blocks = 2  # of a scan; the merge wants less
      least_kernels = 6
      limit = registers / (threads * blocks)
    }
    function wrong(reason) { print "sm_" architecture ": " kernel ": " reason; failed = 1 }
    /Compiling entry function/ { kernel = $0; gsub(/^[^'"'"']*'"'"'|'"'"'.*$/, "", kernel); kernels++ }
    /spill stores/ && !/ 0 bytes spill stores, 0 bytes spill loads/ { sub(/^ */, ""); wrong($0) }
    /Used [0-9]+ registers/ {
      match($0, /Used [0-9]+/); used = substr($0, RSTART + 5, RLENGTH - 5) + 0
      measured++
      if (used > limit) wrong(used " registers, at most " limit)
      if (/bytes smem/) wrong("static shared memory: " $0)
      if (used > most) most = used
    }
    END {
      if (kernels < least_kernels || measured != kernels) { kernel = "ptxas"; wrong("told of " measured + 0 " kernels") }
      if (!failed) print "sm_" architecture ": " kernels " kernels, at most " most " registers, none spilt"
      exit failed
    }' "$log"
done
