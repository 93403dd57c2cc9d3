#!/usr/bin/env bash
# Drives `negatron plan` as a user does: the table, what its flags change, refusals (exit code and one sentence), and a
# comparison on 1 to 4 ranks, whose numbers are there but not judged.
#   plan_test.sh NEGATRON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
shift
mpirun=("$@")

ranks() { local count=$1; shift; "${mpirun[@]}" -n "$count" "$negatron" "$@"; }

# table FLAGS...: leaves the lines of the table in $work/table, a number of GPUs first.
table() {
  "$negatron" plan "$@" >"$work/plan" 2>"$work/err" || fail "plan $* ended with $?: $(cat "$work/err")"
  grep -E '^ +[0-9]+ +[0-9]+ ' "$work/plan" >"$work/table"
}
# column NUMBER: of all lines, with blanks between.
column() { awk -v n="$1" '{ printf "%s ", $n }' "$work/table"; }
is() { [ "$2" = "$3" ] || fail "$1 is '$2', expected '$3': $(cat "$work/plan")"; }

"$negatron" --help >"$work/help" || fail 'negatron --help failed'
grep -q '  plan ' "$work/help" || fail 'negatron --help does not list plan'
"$negatron" plan --help >"$work/help" || fail 'negatron plan --help failed'
grep -q -- '--images-per-second' "$work/help" || fail 'plan --help does not list --images-per-second'

table
is 'the default GPUs' "$(column 1)" '8 64 512 4096 '
is 'the global batch' "$(column 2)" '4096 4096 4096 4096 '
table --ranks 8,16 --batch-per-gpu 256 --shards 8
is 'the GPUs' "$(column 1)" '8 16 '
is 'the global batch' "$(column 2)" '2048 4096 '
is 'S' "$(column 3)" '8 8 '
# 65,536 / 8 rows of 128 x 2 + 20 bytes are 2.16 MiB; 1792 queries x (512 + 8) and 7 x 256 partials x 528 bytes are 1.79.
is 'the memory' "$(column 4)" '2.16 2.16 '
is 'what moves on 8' "$(awk 'NR == 1 { print $5 }' "$work/table")" '1.79'
is 'the efficiency of the first line' "$(awk 'NR == 1 { print $NF }' "$work/table")" '100.0'
grep -q 'partials to owners .* 946176 bytes' "$work/plan" || fail "the partials are not 1792 x 528: $(cat "$work/plan")"
rate=$(awk 'NR == 1 { print $13 }' "$work/table")
table --ranks 8,16 --batch-per-gpu 256 --shards 8 --images-per-second 1000
[ "$(awk 'NR == 1 { print $13 }' "$work/table")" -lt "$((rate * 6 / 10))" ] || fail 'half as fast an encoder changes little'
compute=$(awk 'NR == 1 { print $7 }' "$work/table")
table --ranks 8,16 --batch-per-gpu 256 --shards 8 --hard 1024
grep -q 'hardest rows to owners' "$work/plan" || fail 'hardest rows move nothing'
[ "$(awk 'NR == 1 { print $7 }' "$work/table")" != "$compute" ] || fail 'hardest rows cost nothing'

# Rows that stay: 65,536 / 8 rows of 128 numbers. Of a memory bank's 256 own rows an eighth is here, and of the 3840
# samples of others a rank of each copy gets an eighth: 224 x 256 bytes of rows, 480 x 512 of queries.
table --bank-kind memory --ranks 8,16 --batch-per-gpu 256 --shards 8
grep -q 'rows of own samples .* 57344 bytes' "$work/plan" || fail "not 224 rows: $(cat "$work/plan")"
grep -q 'queries to their rows .* 245760 bytes' "$work/plan" || fail "not 480 queries on 16: $(cat "$work/plan")"
grep -q 'bank of kind memory' "$work/plan" || fail 'the kind of the bank is not told'
table --bank-kind learned --ranks 8,16 --batch-per-gpu 256
is 'S of a learned bank' "$(column 3)" '8 16 '
# 8192 x (128 x (2 + 8) + 20) bytes, and half of it.
is 'the memory of a learned bank' "$(column 4)" '10.2 5.08 '
grep -q 'query numbers to rows .* 46080 bytes' "$work/plan" || fail "not 3840 x 12: $(cat "$work/plan")"
grep -q 'What rows learn on 8 GPUs takes' "$work/plan" || fail 'nothing says what rows learn takes'
table --bank-kind index --ranks 8 --batch-per-gpu 256 --shards 8
is 'the memory of an index' "$(column 4)" '4.16 '
# 8192 samples, a quarter of the work of training one, 2000 a second.
grep -q 'Making the index anew on 8 GPUs takes 1.02 s' "$work/plan" || fail "no refresh: $(cat "$work/plan")"
refused 'leave --shards out' "$negatron" plan --bank-kind learned --ranks 8 --shards 4
# Of 256 own rows 224 lie elsewhere, and of 1792 samples of others as many rows lie here: 224 x 256 bytes of rows,
# 224 x 512 of gradients. 8192 x (128 x (2 + 4 + 8) + 4 + 20) bytes are 14.2 MiB.
table --bank-kind parametric --rows-optimizer adam --ranks 8 --batch-per-gpu 256
is 'S of a parametric bank' "$(column 3)" '8 '
is 'the memory of a parametric bank' "$(column 4)" '14.2 '
grep -q 'trained by adam' "$work/plan" || fail 'the optimizer of the rows is not told'
grep -q 'rows of own samples .* 57344 bytes' "$work/plan" || fail "not 224 rows: $(cat "$work/plan")"
grep -q 'gradients to their rows .* 114688 bytes' "$work/plan" || fail "not 224 gradients: $(cat "$work/plan")"
grep -q 'query numbers to rows .* 21504 bytes' "$work/plan" || fail "not 1792 x 12: $(cat "$work/plan")"
grep -q 'What rows learn on 8 GPUs takes' "$work/plan" || fail 'nothing says what rows learn takes'
"$negatron" plan --bank-kind parametric --ranks 8 --json | grep -q '"rows_optimizer":"sgd"' || fail 'no optimizer in JSON'
refused 'leave --shards out' "$negatron" plan --bank-kind parametric --ranks 8 --shards 4
refused '--rows-optimizer adam is of rows that learn' "$negatron" plan --bank-kind memory --rows-optimizer adam
refused '--bank-kind memory does not go with --here' "$negatron" plan --here --bank-kind memory
refused "expected one of: queue, memory" "$negatron" plan --bank-kind stack

table --ranks 8,64 --bank-rows 4000000000 --bank-memory-gb 100
is 'the GPUs that hold the bank' "$(column 1)" '64 '
grep -q 'on 8 GPUs the bank takes 138 GB of each' "$work/plan" || fail "nothing says what does not fit: $(cat "$work/plan")"
ranks 2 plan >"$work/two" || fail 'plan on two ranks failed'
is 'what two ranks say' "$(grep -c '^h200:' "$work/two")" 1
for gpu in a100 b200; do
  "$negatron" plan --gpu "$gpu" --ranks 8,64 --json >"$work/json" || fail "plan --gpu $gpu --json ended with $?"
  table --gpu "$gpu" --ranks 8,64
  python3 - "$work/json" "$gpu" "$(column 13)" "$(column 1)" <<'CHECK' || fail "the JSON of $gpu is not its table"
import json, sys
plan = json.load(open(sys.argv[1]))
rates, gpus = sys.argv[3].split(), sys.argv[4].split()
assert plan["gpu"] == sys.argv[2] and plan["measured"] is False, plan
assert [str(line["gpus"]) for line in plan["plans"]] == gpus, plan
assert ["%.0f" % line["images_per_second"] for line in plan["plans"]] == rates, plan
assert plan["received_by_rank_0"]["gpus"] == 64 and plan["received_by_rank_0"]["calls"], plan
CHECK
done
"$negatron" plan --ranks 8,64 --bank-rows 4000000000 --bank-memory-gb 100 --json >"$work/json" || fail 'no JSON'
grep -q '"too_small":\["on 8 GPUs the bank takes 138 GB' "$work/json" || fail "too small: $(cat "$work/json")"
printf 'ranks = 8\nshards = 2\n' >"$work/plan.ini"
table --config "$work/plan.ini"
is 'S of a file' "$(column 3)" '2 '

refused 'did you mean plan?' "$negatron" plans
refused 'did you mean --bank-rows' "$negatron" plan --bank-row 7
refused "did you mean h200?" "$negatron" plan --gpu h2000
refused '--ranks takes whole numbers' "$negatron" plan --ranks 8,many
refused '--ranks takes whole numbers separated by commas, each from 1' "$negatron" plan --ranks 0
refused 'smaller than --ranks 8192' "$negatron" plan --ranks 8,8192
refused '--shards 3 must divide --ranks 8' "$negatron" plan --shards 3
refused '--bank-rows 100 is smaller' "$negatron" plan --bank-rows 100
refused '--bank-dtype takes' "$negatron" plan --bank-dtype int4
refused '--hard takes a whole number from 0' ranks 2 plan --hard -1
refused '--images-per-second takes a number from' "$negatron" plan --images-per-second 0
refused '--gradient-mb takes a number from 0' "$negatron" plan --gradient-mb -1
refused 'more than --bank-memory-gb' "$negatron" plan --bank-rows 4000000000 --bank-memory-gb 0.01
refused '--ranks does not go with --here' "$negatron" plan --here --ranks 8
refused '--shards 3 must divide --ranks 2' ranks 2 plan --here --shards 3
refused '--cpu-isa must be auto' "$negatron" plan --here --cpu-isa avx9
[ -e /dev/nvidia0 ] || refused 'no CUDA device' "$negatron" plan --here --device cuda

for count in 1 2 4; do
  shards=$((count == 4 ? 2 : count))
  ranks "$count" plan --here --global-batch 26 --bank-rows 1000 --width 16 --hard 64 --threads 1 --shards "$shards" \
    >"$work/here" 2>&1 || fail "plan --here on $count ranks ended with $?: $(cat "$work/here")"
  # Of a pass this short all time may be its start.
  grep -qE '^  pass +([0-9.]+ TFLOP/s a rank|no time that grows with size), and [0-9.]+ ms' "$work/here" ||
    fail "no pass on $count ranks: $(cat "$work/here")"
  for name in 'hardest rows' predicted measured error; do
    grep -qE "^  $name +-?[0-9.]+ " "$work/here" || fail "no $name on $count ranks: $(cat "$work/here")"
  done
  grep -q "S $shards," "$work/here" || fail "another number of shards on $count ranks: $(cat "$work/here")"
done
ranks 2 plan --here --global-batch 26 --bank-rows 1000 --width 16 --threads 1 --shards 2 --json >"$work/json" 2>/dev/null ||
  fail "plan --here --json ended with $?"
python3 -c '
import json, sys
here = json.load(open(sys.argv[1]))
assert here["measured"] and here["ranks"] == 2 and here["measured_stage_seconds"] > 0, here
' "$work/json" || fail "no JSON of a comparison: $(cat "$work/json")"

verdict plan
