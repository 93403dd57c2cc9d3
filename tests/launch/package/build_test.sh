#!/usr/bin/env bash
# launch/build --torch: what it hands to CMake, and what it refuses, in a copy of the checkout where CMake only listens.
#   build_test.sh LAUNCH TORCH
set -uo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

mkdir -p "$work/checkout/launch" "$work/bin" "$work/empty"
cp "$1/build" "$work/checkout/launch"
build=$work/checkout/launch/build
torch=$(realpath "$2")
cat >"$work/bin/cmake" <<END
#!/bin/sh
echo "\$*" >>"$work/told"
if [ "\$1" = -S ]; then
  touch build/build.ninja
  echo "Torch_DIR:PATH=$torch/share/cmake/Torch" >build/CMakeCache.txt
fi
END
chmod +x "$work/bin/cmake"
export PATH=$work/bin:$PATH

# refused NEEDLE ARGUMENTS...: exit code 1, one line, and CMake was not called.
refused() {
  local needle=$1 code=0
  shift
  rm -f "$work/told"
  "$build" "$@" >"$work/out" 2>&1 || code=$?
  [ "$code" -eq 1 ] || fail "exit code $code instead of 1: $*"
  [ "$(wc -l <"$work/out")" -eq 1 ] && grep -qF -- "$needle" "$work/out" || fail "'$needle' is not in: $(cat "$work/out")"
  [ ! -e "$work/told" ] || fail "CMake was called: $(cat "$work/told")"
}

refused '--torch wants the folder' --torch
refused "there is no share/cmake/Torch/TorchConfig.cmake in '$work/empty'" --torch "$work/empty"
refused "there is no share/cmake/Torch/TorchConfig.cmake in '$work/nothing'" --torch "$work/nothing"
(cd "$(dirname "$torch")" && "$build" --torch torch negatron) || fail 'a folder that is LibTorch was refused'
grep -qF -- "-DNEGATRON_TORCH=$torch" "$work/told" || fail "CMake was told: $(cat "$work/told")"
grep -qx -- '--build build --target negatron' "$work/told" || fail "the target is not handed on: $(cat "$work/told")"
"$build" --torch "$torch" || fail 'the folder of the build was refused'
sed -i 's|^Torch_DIR.*|Torch_DIR:PATH=/another/torch/share/cmake/Torch|' "$work/checkout/build/CMakeCache.txt"
refused 'was configured with another LibTorch' --torch "$torch"

[ "$failures" -eq 0 ] && echo 'launch/build: all as expected'
exit "$((failures > 0))"
