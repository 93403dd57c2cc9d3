#!/usr/bin/env bash
# The C++ example of the README, as it stands there: its two blocks become a project, which finds the package of the build
# tree, and runs. It is tests/examples/moco_loop.cpp, to the letter.
#   readme_example_test.sh CMAKE ROOT BUILD SCRATCH
set -uo pipefail
cmake=$1
root=$2
build=$3
scratch=$4
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# block LANGUAGE: the one block of the README in that language.
block() {
  awk -v begin="\`\`\`$1" '$0 == begin { inside = 1; ++blocks; next } $0 == "```" { inside = 0 } inside
                            END { exit blocks != 1 }' "$root"/README.md || fail "not one block of $1 in the README"
}
# take FILE: the standard input becomes the file, which stays as it is, and need not be built again, where it is the same.
take() { cat >"$1.new" && { cmp -s "$1.new" "$1" || mv "$1.new" "$1"; }; }
mkdir -p "$scratch"
block cpp | take "$scratch/moco_loop.cpp" || exit 1
{ printf 'cmake_minimum_required(VERSION 3.25)\nproject(mine LANGUAGES CXX)\n' && block cmake; } | take "$scratch/CMakeLists.txt" ||
  exit 1
diff "$scratch/moco_loop.cpp" "$root/tests/examples/moco_loop.cpp" || fail 'the README and tests/examples/moco_loop.cpp differ'

"$cmake" -S "$scratch" -B "$scratch/build" -G Ninja -Wno-dev -Dnegatron_DIR="$build" >"$scratch/log" 2>&1 ||
  { cat "$scratch/log"; fail 'it could not be configured'; }
# What only files need is nothing that a loss asks for.
! grep -qi 'nlohmann\|hdf5\|protobuf' "$scratch/build/CMakeCache.txt" || fail 'the part samplers looks for what runtime needs'
"$cmake" --build "$scratch/build" >"$scratch/log" 2>&1 || { cat "$scratch/log"; fail 'it could not be built'; }
"$scratch/build/moco_loop" >"$scratch/log" 2>&1 || { cat "$scratch/log"; fail 'it could not be run'; }
awk 'NR == 1 { first = $4 } { last = $4 } END { exit !(NR == 10 && last < first - 0.3) }' "$scratch/log" ||
  fail "the loss did not go down: $(cat "$scratch/log")"
echo 'the example of the README: all as expected'
