#!/usr/bin/env bash
# What find_package(negatron) refuses, in one sentence each: a part that is not there, a folder without LibTorch, and LibTorch
# of another version.
#   refusals_test.sh CMAKE PREFIX
set -uo pipefail
cmake=$1
prefix=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

cat >"$work/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(mine LANGUAGES CXX)
find_package(negatron REQUIRED COMPONENTS ${parts})
END
# refused NEEDLE FLAGS...: the project could not be configured. CMake breaks lines where it likes.
refused() {
  local needle=$1
  shift
  rm -rf "$work/build"
  "$cmake" -S "$work" -B "$work/build" -G Ninja -Wno-dev -DCMAKE_PREFIX_PATH="$prefix" "$@" >"$work/log" 2>&1 &&
    fail "it could be configured: $*"
  tr -s ' \n' '  ' <"$work/log" | grep -qF -- "$needle" || fail "'$needle' is not in: $(cat "$work/log")"
}

refused "negatron has no part 'sampler' here; it has: comm, samplers, runtime" -Dparts=sampler
refused "NEGATRON_TORCH: there is no share/cmake/Torch/TorchConfig.cmake in '$work'" -Dparts=samplers -DNEGATRON_TORCH="$work"
mkdir "$work/torch"
echo 'set(TORCH_LIBRARIES none)' >"$work/torch/TorchConfig.cmake"
echo 'set(PACKAGE_VERSION 1.13.1)' >"$work/torch/TorchConfigVersion.cmake"
refused "is 1.13.1; say where the other is with -DNEGATRON_TORCH=FOLDER" -Dparts=samplers -DTorch_DIR="$work/torch"

[ "$failures" -eq 0 ] && echo 'refusals: all as expected'
exit "$((failures > 0))"
