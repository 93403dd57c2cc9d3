#!/usr/bin/env bash
# Drives the real program: refusals (exit code and one sentence), the run directory, and the same losses on 1 to 4 ranks.
#   command_line_test.sh NEGATRON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
shift
mpirun=("$@")

ranks() { local count=$1; shift; "${mpirun[@]}" -n "$count" "$negatron" "$@"; }

"$negatron" --help >"$work/help" || fail 'negatron --help failed'
grep -q '  pretrain ' "$work/help" || fail 'negatron --help does not list its commands'
"$negatron" pretrain --help >"$work/help" || fail 'negatron pretrain --help failed'
grep -q -- '--bank-rows' "$work/help" || fail 'pretrain --help does not list --bank-rows'
refused "did you mean pretrain" "$negatron" pretrian
refused "did you mean --bank-rows" "$negatron" pretrain --bank-row 7
refused "--tau takes a number" "$negatron" pretrain --tau warm
# Hand-written files: unknown, twice, wrong, out of range, not a line at all, one endless line, not text.
config() { printf '%b' "$1" >"$work/odd.ini"; refused "$2" "$negatron" pretrain --config "$work/odd.ini" --run-dir "$work/odd"; }
config 'bank-row = 7\n' "did you mean --bank-rows"
config 'epochs = 1\nepochs = 2\n' "epochs"
config 'epochs = two\n' "--epochs"
config 'epochs = -3\n' "--epochs"
config 'epochs\n' "odd.ini"
config 'epochs = 1\n\xff\xfe = 2\n' "line 2 of"
{ echo 'epochs = 1' && head -c 100000 /dev/zero | tr '\0' x; } >"$work/long.ini"
refused "line 2 of '$work/long.ini' has 100000 characters" "$negatron" pretrain --config "$work/long.ini"
refused "--config: cannot read" "$negatron" pretrain --config "$work"
[ ! -e "$work/odd" ] || fail 'a refused file left a run directory'
refused "--config: cannot read" "$negatron" pretrain --config "$work/none.ini"
refused "--bank-rows 11 is smaller" "$negatron" pretrain "${small[@]}" --bank-rows 11
refused "--global-batch 3 is smaller than the number of ranks, 4" ranks 4 pretrain "${small[@]}" --global-batch 3
refused "did you mean mochi?" "$negatron" pretrain "${small[@]}" --sampler mochy
refused "did you mean info-nce?" "$negatron" pretrain "${small[@]}" --objective infonce
refused "did you mean 's-prime'" "$negatron" pretrain "${small[@]}" --sampler mochi --sampler-options s-prim=3
refused "--negatives bank does not go with --objective byol" "$negatron" pretrain "${small[@]}" --objective byol --negatives bank
refused "picks from a bank" "$negatron" pretrain "${small[@]}" --objective nt-xent --sampler ring
refused "--allow-oracle on" "$negatron" pretrain "${small[@]}" --sampler oracle
refused "--sample-types FILE" "$negatron" pretrain "${small[@]}" --sampler multi-modal
for i in $(seq 39); do echo $((i % 2)); done >"$work/types"
typed=(--sampler multi-modal --sampler-options budgets=5/3 --sample-types "$work/types")
refused "has 39 lines, expected one for each of the 40" "$negatron" pretrain "${small[@]}" "${typed[@]}"
echo 2 >>"$work/types"
refused "budgets has 2 numbers, but --sample-types has 3 types" ranks 2 pretrain "${small[@]}" "${typed[@]}"
refused "--bank-kind memory" "$negatron" pretrain "${small[@]}" --sampler nscaching
refused "--bank-kind memory or index" "$negatron" pretrain "${small[@]}" --sampler popularity
counted=(--bank-kind index --sampler popularity)
refused "--sample-counts FILE" "$negatron" pretrain "${small[@]}" "${counted[@]}"
refused "expected the count of one sample" ranks 2 pretrain "${small[@]}" "${counted[@]}" --sample-counts "$work/small.ini"
for i in $(seq 40); do echo 0; done >"$work/counts"
refused "no sample of --sample-counts has a count above 0" ranks 2 pretrain "${small[@]}" "${counted[@]}" --sample-counts "$work/counts"
refused "--bank-kind index" "$negatron" pretrain "${small[@]}" --sampler ance
refused "--refresh-every is '10min', expected steps (500), epochs (2epochs), or never" "$negatron" pretrain "${small[@]}" --refresh-every 10min
refused "--batch-similar" "$negatron" pretrain "${small[@]}" --batch-similar 2
refused "must divide --global-batch" "$negatron" pretrain "${small[@]}" --batch-identities 7
refused "--objective supcon does" "$negatron" pretrain "${small[@]}" --sampler fn-attraction
refused "'$work/none.pt' cannot be opened" ranks 2 pretrain "${small[@]}" --init "$work/none.pt" --run-dir "$work/never"
refused "views of 12 x 12 pixels are not whole patches of 16" ranks 2 pretrain "${small[@]}" --encoder vit_tiny --run-dir "$work/never"
refused "views of 20 x 20 pixels are not whole patches of 16" ranks 2 pretrain "${small[@]}" --image-size 20 --encoder vit_tiny --run-dir "$work/never"
# Images of the test part: of other channels they are refused, of another size stretched.
cp -r "$work/data" "$work/colours"
rm "$work/colours"/t10k-images*
{ printf '\x00\x00\x08\x04\x00\x00\x00\x28\x00\x00\x00\x06\x00\x00\x00\x08\x00\x00\x00\x03' && head -c 5760 /dev/urandom; } \
  >"$work/colours/t10k-images-idx4-ubyte"
refused "have 1 channels, those of the test part 3" ranks 2 pretrain "${small[@]}" --data "$work/colours" --run-dir "$work/never"
"$negatron" pretrain "${small[@]}" --data "$work/colours" --data-channels 1 --max-steps 1 --run-dir "$work/stretched" >/dev/null 2>&1 ||
  fail 'a test part of another size than the training images does not work'
# Features in the place of images: a matrix of 4 x 3.
features="{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), }"
{ printf '\x93NUMPY\x01\x00\x3c\x00%-59s\n' "$features" && head -c 48 /dev/zero; } >"$work/x.npy"
refused "--encoder conv takes images" ranks 2 pretrain "${small[@]}" --data "$work/x.npy" --run-dir "$work/never"
refused "--crop-area-min is for images" ranks 2 pretrain "${small[@]}" --data "$work/x.npy" --encoder mlp --crop-area-min 0.5 --run-dir "$work/never"
refused "--feature-noise is for features" ranks 2 pretrain "${small[@]}" --feature-noise 0.5 --run-dir "$work/never"
refused "--cpu-isa must be auto" ranks 2 pretrain "${small[@]}" --cpu-isa avx9 --run-dir "$work/never"
refused "--shards 3 must divide" ranks 2 pretrain "${small[@]}" --shards 3
"$negatron" pretrain --list-samplers >"$work/samplers" || fail '--list-samplers failed'
grep -q 'inner=0.1' "$work/samplers" || fail '--list-samplers does not show options with defaults'
"$negatron" pretrain --list-objectives >"$work/objectives" || fail '--list-objectives failed'
grep -q '^hcl: ' "$work/objectives" || fail '--list-objectives does not list hcl'
refused "$work/nothing" ranks 2 pretrain "${small[@]}" --data "$work/nothing"
: >"$work/file"
refused "--run-dir" ranks 2 pretrain "${small[@]}" --run-dir "$work/file/run"
# LibTorch's part for GPUs is loaded then, and not before.
if "$negatron" --version | grep -q CUDA && [ ! -e /dev/nvidia0 ]; then
  refused "no CUDA device is visible on $(hostname); use --device cpu" "$negatron" pretrain "${small[@]}" --device cuda
  ! ldd "$negatron" | grep -q libtorch_cuda || fail 'every command loads the part for GPUs'
fi
cp -r "$work/data" "$work/cut"
head -c 1000 "$work/data/train-images-idx3-ubyte" >"$work/cut/train-images-idx3-ubyte"
refused "train-images-idx3-ubyte" ranks 2 pretrain "${small[@]}" --data "$work/cut" --run-dir "$work/never"
[ ! -e "$work/never" ] || fail 'a refused run left a run directory'

"$negatron" pretrain "${small[@]}" --dry-run >"$work/plan" || fail '--dry-run failed'
grep -q 'bank, this rank' "$work/plan" || fail '--dry-run does not show the bank'

refused "--accumulate must be at least 1 and at most --global-batch, 12, got 13" ranks 2 pretrain "${small[@]}" --accumulate 13
"$negatron" pretrain "${small[@]}" --accumulate 5 --dry-run >"$work/plan" || fail '--dry-run failed with --accumulate'
grep -q 'a part of them *\[3, 1, 12, 12\]' "$work/plan" || fail "--dry-run does not show the part: $(cat "$work/plan")"

for count in 1 2 3 4; do
  ranks "$count" pretrain "${small[@]}" --run-dir "$work/run$count" --seed 1 >"$work/log$count" 2>&1 ||
    fail "a run on $count ranks ended with $?: $(cat "$work/log$count")"
  grep -q 'after training' "$work/log$count" || fail "a run on $count ranks shows no result"
  paste <(losses "$work/run1") <(losses "$work/run$count") |
    awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-4 * $1) bad = 1 } END { exit bad || NR != 8 }' ||
    fail "the 8 losses differ between 1 and $count ranks"
done
ranks 2 pretrain "${small[@]}" --run-dir "$work/beside" --seed 1 --bank-threads 2 >"$work/log" 2>&1 ||
  fail "a run whose bank is scored beside the key encoder ended with $?: $(cat "$work/log")"
[ "$(losses "$work/beside")" = "$(losses "$work/run2")" ] ||
  fail 'the losses change when the bank is scored beside the key encoder'
ranks 2 pretrain "${small[@]}" --run-dir "$work/parts" --seed 1 --accumulate 5 >"$work/log" 2>&1 ||
  fail "a run whose batches pass in parts ended with $?: $(cat "$work/log")"
paste <(losses "$work/run1") <(losses "$work/parts") |
  awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-4 * $1) bad = 1 } END { exit bad || NR != 8 }' ||
  fail 'the losses change when batches pass in parts'
refused '--bank-threads takes a whole number from -1' ranks 2 pretrain "${small[@]}" --bank-threads -2 --run-dir "$work/never"
sed -i '$d' "$work/types" && echo 1 >>"$work/types"
for count in 1 3; do
  ranks "$count" pretrain "${small[@]}" "${typed[@]}" --run-dir "$work/typed$count" --seed 1 >"$work/log" 2>&1 ||
    fail "a run with typed samples on $count ranks ended with $?: $(cat "$work/log")"
done
paste <(losses "$work/typed1") <(losses "$work/typed3") |
  awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-4 * $1) bad = 1 } END { exit bad || NR != 8 }' ||
  fail 'the losses of typed samples differ between 1 and 3 ranks'
[ "$(losses "$work/typed1")" != "$(losses "$work/run1")" ] || fail 'the types of samples change nothing'
# Batches of three labels, which the images have in turn.
by_label=("${small[@]}" --objective supcon --negatives batch --max-steps 2 --seed 1)
for identities in 0 3; do
  ranks 2 pretrain "${by_label[@]}" --batch-identities $identities --run-dir "$work/by$identities" >"$work/log" 2>&1 ||
    fail "a run with --batch-identities $identities ended with $?: $(cat "$work/log")"
done
[ "$(losses "$work/by0")" != "$(losses "$work/by3")" ] || fail '--batch-identities changes nothing'
# Names of runs: too long for a file system, with separators, in another script.
refused "--run-dir" ranks 2 pretrain "${small[@]}" --run-dir "$work/$(head -c 300 /dev/zero | tr '\0' r)"
"$negatron" pretrain "${small[@]}" --max-steps 1 --run-dir "$work/läufe/../läufe/eins zwei" >/dev/null 2>&1 ||
  fail 'a run directory with blanks, dots and umlauts does not work'
[ -e "$work/läufe/eins zwei/metrics.jsonl" ] || fail 'the run directory is another one than asked for'
refused "already holds a run" ranks 2 pretrain "${small[@]}" --run-dir "$work/run1"
"$negatron" pretrain --config "$work/run1/config.ini" --run-dir "$work/again" >/dev/null ||
  fail 'config.ini of a run does not start a run'
[ "$(losses "$work/again")" = "$(losses "$work/run1")" ] || fail 'config.ini of a run does not repeat the run'

verdict 'command line'
