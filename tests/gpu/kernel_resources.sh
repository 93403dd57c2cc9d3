#!/bin/sh
# Usage: kernel_resources.sh NVCC ROOT ARCHITECTURE...
# Compiles the kernels of the pass and fails, naming the kernel, on registers spilt to memory, and on static shared memory,
# which tests/samplers/pass does not see. With no more than the 255 registers that a thread can have, two thread blocks of
# a scan share a multiprocessor.
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
      least_kernels = 7
    }
    function wrong(reason) { print "sm_" architecture ": " kernel ": " reason; failed = 1 }
    /Compiling entry function/ { kernel = $0; gsub(/^[^'"'"']*'"'"'|'"'"'.*$/, "", kernel); kernels++ }
    /spill stores/ && !/ 0 bytes spill stores, 0 bytes spill loads/ { sub(/^ */, ""); wrong($0) }
    /Used [0-9]+ registers/ {
      match($0, /Used [0-9]+/); used = substr($0, RSTART + 5, RLENGTH - 5) + 0
      measured++
      if (/bytes smem/) wrong("static shared memory: " $0)
      if (used > most) most = used
    }
    END {
      if (kernels < least_kernels || measured != kernels) { kernel = "ptxas"; wrong("told of " measured + 0 " kernels") }
      if (!failed) print "sm_" architecture ": " kernels " kernels, at most " most " registers, none spilt"
      exit failed
    }' "$log"
done
