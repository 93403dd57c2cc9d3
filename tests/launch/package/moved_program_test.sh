#!/usr/bin/env bash
# The installed program, moved: it runs, and on a machine that lacks something it says what, in one sentence.
#   moved_program_test.sh PREFIX PYTHON TORCH VERSION
set -uo pipefail
prefix=$1
python=$2
torch=$3
version=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# runs COMMAND...: it says its version.
runs() {
  "$@" --version >"$work/out" 2>&1 || fail "exit code $?: $*: $(cat "$work/out")"
  grep -q "^negatron .*LibTorch $version" "$work/out" || fail "no version: $*: $(cat "$work/out")"
}

# lacks NEEDLE COMMAND...: exit code 2 and one line with NEEDLE.
lacks() {
  local needle=$1 code=0
  shift
  "$@" --version >"$work/out" 2>"$work/err" || code=$?
  [ "$code" -eq 2 ] || fail "exit code $code instead of 2: $*: $(cat "$work/out" "$work/err")"
  [ "$(wc -l <"$work/err")" -eq 1 ] || fail "not one sentence: $*: $(cat "$work/err")"
  grep -qF -- "$needle" "$work/err" || fail "'$needle' is not in: $(cat "$work/err")"
}

runs "$prefix/bin/negatron"
runs env NEGATRON_TORCH="$torch" "$prefix/bin/negatron"
ln -s "$prefix/bin/negatron" "$work/link"
runs "$work/link"
# LibTorch's part for GPUs is found where LibTorch is.
if grep -q CUDA "$work/out" && [ ! -e /dev/nvidia0 ]; then
  "$prefix/bin/negatron" pretrain --device cuda >"$work/out" 2>&1
  grep -qF "no CUDA device is visible on $(hostname); use" "$work/out" || fail "--device cuda: $(cat "$work/out")"
fi
# Where ranks come from does not matter, and neither does what stands on the command line.
"$prefix/bin/negatron-ranks" 2 "$prefix/bin/negatron" pretrain --data "$work/a folder" >"$work/out" 2>&1
[ $? -eq 2 ] && grep -qF "$work/a folder" "$work/out" || fail "arguments are not handed on: $(cat "$work/out")"

lacks 'NEGATRON_TORCH: there is no lib/libtorch_cpu.so' env NEGATRON_TORCH="$work" "$prefix/bin/negatron"

# LibTorch of another version, and one without its largest library.
mkdir -p "$work/other" "$work/part/lib"
ln -s "$torch/lib" "$work/other/lib"
echo "__version__ = '1.13.1+cpu'" >"$work/other/version.py"
lacks "is LibTorch 1.13.1, and this program was built with $version" env NEGATRON_TORCH="$work/other" "$prefix/bin/negatron"
ln -s "$torch/lib/libtorch_cpu.so" "$work/part/lib"
cp "$torch/version.py" "$work/part"
lacks 'this machine lacks ' env NEGATRON_TORCH="$work/part" "$prefix/bin/negatron"
# In a build without CUDA as well.
lacks "libc10.so (of the wheel torch==$version)" env NEGATRON_TORCH="$work/part" "$prefix/bin/negatron"

# A machine without the folder of the build: a copy of the prefix that knows of another one.
mkdir "$work/copy"
cp -r "$prefix/bin" "$prefix/libexec" "$work/copy"
sed -i "s|^readonly BUILT_WITH=.*|readonly BUILT_WITH='/nowhere/torch'|" "$work/copy/bin/negatron"
mkdir "$work/with" "$work/without"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$python" >"$work/with/python3"
printf '#!/bin/sh\nexit 1\n' >"$work/without/python3"
chmod +x "$work/with/python3" "$work/without/python3"
runs env PATH="$work/with:$PATH" "$work/copy/bin/negatron"
lacks "this machine has no LibTorch at /nowhere/torch, and python3 has none" \
  env PATH="$work/without:$PATH" "$work/copy/bin/negatron"
rm -r "$work/copy/libexec"
lacks 'copy the whole folder' env NEGATRON_TORCH="$torch" "$work/copy/bin/negatron"

[ "$failures" -eq 0 ] && echo 'moved program: all as expected'
exit "$((failures > 0))"
