# Sourced by tests that drive `negatron pretrain` as a user does. Leaves $work (a directory that goes with the test),
# $small (flags of a run of 8 steps on images in $work/data), $failures, and the checks below.
set -uo pipefail
work=$(mktemp -d)
# A job that a failed check left running is ended with the test. A command in the background that gets a signal before it
# has become that command is still this shell, and must take nothing along.
job=
is_the_test() { [ "$BASHPID" -eq $$ ]; }
trap '! is_the_test || { [ -z "$job" ] || kill -TERM "$job" 2>/dev/null; rm -rf "$work"; }' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# verdict NAME: ends the test.
verdict() {
  [ "$failures" -eq 0 ] && echo "$1: all as expected"
  exit "$((failures > 0))"
}

# refused NEEDLE COMMAND...: exit code 2, and exactly one line from negatron but warnings and notes, which contains
# NEEDLE.
refused() {
  local needle=$1 code=0 said
  shift
  "$@" >"$work/out" 2>"$work/err" || code=$?
  [ "$code" -eq 2 ] || fail "exit code $code instead of 2: $*: $(cat "$work/err")"
  said=$(grep '^negatron: ' "$work/err" | grep -Evc '^negatron: (warning|note): ')
  [ "$said" -eq 1 ] || fail "$said sentences instead of one: $*: $(cat "$work/err")"
  grep -qF -- "$needle" "$work/err" || fail "'$needle' is not in: $(cat "$work/err")"
}

# on RANKS ARGUMENTS...: $negatron under ${mpirun[@]}, which the test has set.
on() { local count=$1; shift; "${mpirun[@]}" -n "$count" "$negatron" "$@"; }
# done_by COMMAND...: exit code 0; leaves out and err in the folder where it is.
done_by() {
  "$@" >out 2>err || fail "exit code $?: $*: $(cat out err)"
}
# says NEEDLE: the command of done_by did.
says() { grep -qF -- "$1" out || fail "'$1' is not in: $(cat out)"; }
# holds EXPRESSION [FILE]: of r, the one JSON object in the file, or in out; by $python.
holds() {
  "$python" -c 'import json, sys; r = json.loads(sys.stdin.read()); sys.exit(not eval(sys.argv[1]))' "$1" <"${2:-out}" ||
    fail "not so: $1 in $(cat "${2:-out}")"
}

# wait_for CONDITION...: until it holds, for $patience seconds, and what its looks take on a busy machine.
patience=30
wait_for() {
  for _ in $(seq $((20 * patience))); do
    "$@" 2>/dev/null && return 0
    sleep 0.05
  done
  fail "this did not come: $*"
  return 1
}

# The losses of a run directory, a line each.
losses() { grep -o '"loss":[-0-9.e]*' "$1/metrics.jsonl" | cut -d: -f2; }

# 40 images of 12 x 12 in 3 classes, as IDX files: the same bytes each time.
idx() { printf '%b' "$1" && cat; }
mkdir "$work/data"
for part in train t10k; do
  awk 'BEGIN { x = 7
               for (i = 0; i < 40 * 144; ++i) { x = (x * 1103 + 12345) % 65536; printf "%c", 32 + int(x / 700) } }' |
    idx '\x00\x00\x08\x03\x00\x00\x00\x28\x00\x00\x00\x0c\x00\x00\x00\x0c' >"$work/data/$part-images-idx3-ubyte"
  for i in $(seq 40); do printf '%b' "\\x0$((i % 3))"; done | idx '\x00\x00\x08\x01\x00\x00\x00\x28' \
    >"$work/data/$part-labels-idx1-ubyte"
done
cat >"$work/small.ini" <<END
data = $work/data
encoder-channels = 8,16
encoder-strides = 1,2
encoder-groups = 4
head-hidden = 16
width = 16
global-batch = 12
bank-rows = 31
epochs = 2
knn-k = 5
precision = fp32
threads = 1
END
small=(--config "$work/small.ini")
