#!/usr/bin/env bash
# Usage: kernel_symbols_test.sh LIBRARY (libnegatron_samplers.a)
# Code that is compiled for one instruction set must not become the program's only copy of a function: the objects of
# kernels define no symbol that the linker merges. Instructions of AMX are in their object and nowhere else.
set -euo pipefail
library=$1

fail() {
  echo "$1" >&2
  exit 1
}

kernels=$(ar t "$library" | grep '^pass_kernel_') || fail "$library holds no kernel"
shared=$(nm "$library" | awk -F: '/^pass_kernel_.*:$/ { member = $1 } /^$/ { member = "" }
                                  member != "" && / [WVu] / { print member ": " $0 }')
[ -z "$shared" ] || fail "kernels define symbols that others may share:
$shared"

found=$(objdump -d --no-show-raw-insn "$library" |
  awk '/file format/ { member = $1 } /\t(tdpbf16ps|tileload|tilestore|tilezero|tilerelease|ldtilecfg)/ { print member }' |
  sort -u | tr -d ':')
case $found in
  '' | pass_kernel_amx_bf16.cpp.o) ;;
  *) fail "instructions of AMX in $found" ;;
esac
echo "$(echo "$kernels" | wc -l) kernels share nothing; AMX in ${found:-none}"
