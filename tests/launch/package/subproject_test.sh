#!/usr/bin/env bash
# The sources as a part of another project, by FetchContent, which is add_subdirectory: configured with every library, and
# comm and samplers built and linked, which takes some three minutes of a core. Twice configured, also where that project
# has found Torch itself, and asks for C++20.
#   subproject_test.sh CMAKE ROOT TORCH SCRATCH
set -uo pipefail
cmake=$1
root=$2
torch=$3
scratch=$4
project=$(dirname "$0")/subproject
fail() {
  cat "$scratch/log"
  echo "FAILED: $*"
  exit 1
}
mkdir -p "$scratch"
configure=("$cmake" -S "$project" -G Ninja -Wno-dev -DNEGATRON_SOURCES="$root" -DNEGATRON_TORCH="$torch")
"${configure[@]}" -B "$scratch/build" >"$scratch/log" 2>&1 || fail 'it could not be configured'
"$cmake" --build "$scratch/build" --target ranks_of_threads loss_over_threads >"$scratch/log" 2>&1 || fail 'it could not be built'
"$scratch/build/ranks_of_threads" >"$scratch/log" 2>&1 || fail 'it could not be run'
grep -qx 'sum 3' "$scratch/log" || fail 'the sum is wrong'
"$scratch/build/loss_over_threads" >"$scratch/log" 2>&1 || fail 'the loss could not be run'
grep -qx 'loss 0.5514' "$scratch/log" || fail 'the loss is wrong'
"$cmake" --install "$scratch/build" --prefix "$scratch/prefix" >"$scratch/log" 2>&1 || fail 'it could not be installed'
[ -z "$(find "$scratch/prefix" -name '*negatron*' 2>/dev/null)" ] || fail 'it was installed with a project that did not ask for it'
"${configure[@]}" -B "$scratch/other" -DCMAKE_CXX_STANDARD=20 -DCMAKE_PROJECT_INCLUDE="$project/find_torch_first.cmake" \
  -DCMAKE_PREFIX_PATH="$torch" >"$scratch/log" 2>&1 || fail 'it could not be configured behind find_package(Torch)'
echo 'a part of another project: all as expected'
