#!/usr/bin/env bash
# The sources as a part of another project, by FetchContent, which is add_subdirectory: configured with every library, and
# comm built and linked, which takes a minute of a core. Of the others, which the same function makes, all steps are known
# (package.examples links and runs them). Twice configured, also where that project has found Torch itself, and asks for
# C++20.
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
"$cmake" --build "$scratch/build" --target ranks_of_threads >"$scratch/log" 2>&1 || fail 'it could not be built'
"$scratch/build/ranks_of_threads" >"$scratch/log" 2>&1 || fail 'it could not be run'
grep -qx 'sum 3' "$scratch/log" || fail 'the sum is wrong'
"$cmake" --build "$scratch/build" -- -t commands whole_bank >"$scratch/log" 2>&1 || fail 'there is no way to the other libraries'
for library in samplers runtime; do
  grep -q " qc [^ ]*libnegatron_$library.a " "$scratch/log" || fail "nothing makes $library"
done
"$cmake" --install "$scratch/build" --prefix "$scratch/prefix" >"$scratch/log" 2>&1 || fail 'it could not be installed'
[ -z "$(find "$scratch/prefix" -name '*negatron*' 2>/dev/null)" ] || fail 'it was installed with a project that did not ask for it'
"${configure[@]}" -B "$scratch/other" -DCMAKE_CXX_STANDARD=20 -DCMAKE_PROJECT_INCLUDE="$project/find_torch_first.cmake" \
  -DCMAKE_PREFIX_PATH="$torch" >"$scratch/log" 2>&1 || fail 'it could not be configured behind find_package(Torch)'
echo 'a part of another project: all as expected'
