#!/usr/bin/env bash
# Every preset of launch/presets: all its flags are known and go together, each says where its value comes from, and two
# steps with its method on a small network have the same losses on 1 and 2 ranks.
#   presets_test.sh NEGATRON PRESETS MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
presets=$2
shift 2
mpirun=("$@")

ranks() { local count=$1; shift; "${mpirun[@]}" -n "$count" "$negatron" "$@"; }

images=$work/images
python3 "$(dirname "$0")/write_pngs.py" "$images" 40 3
# What makes a run of seconds of it, and nothing of the method but sizes.
tiny=(--data "$images" --image-size 16 --head-hidden 16 --width 16 --global-batch 16 --epochs 2 --max-steps 2 --knn-k 5
  --precision fp32 --threads 1 --holdout 0 --seed 3 --evaluate-every 0)

found=0
for preset in simclr moco-v2 moco-v3 byol mochi memory-bank adco own-images; do
  file=$presets/$preset.ini
  found=$((found + 1))
  # No more rows that begin with features than there are images.
  rows=()
  [ "$preset" != adco ] || rows=(--bank-rows 40 --rows-lr 0.1)
  "$negatron" pretrain --config "$file" --data "$images" "${rows[@]}" --dry-run >"$work/plan" 2>"$work/err" ||
    fail "$preset is refused: $(cat "$work/err")"
  # What is written there is what a run takes.
  grep -v '^#' "$file" | grep . >"$work/lines"
  while IFS= read -r line; do
    name=${line%% = *}
    grep -q "^$name = " "$work/plan" || fail "$preset: the settings of a run do not show $name"
  done <"$work/lines"
  awk '/^#/ { said = 1 } /^$/ { said = 0 } /^[a-z]/ && !said { print FILENAME ":" FNR ": " $0; bad = 1 } END { exit bad }' \
    "$file" >"$work/said" || fail "no word about where a value comes from: $(cat "$work/said")"

  small=("${tiny[@]}" --warmup-epochs 0)
  case $preset in
    moco-v3) small+=(--encoder vit_tiny:patch=8,fixed-patch=on --bank-rows 16) ;;
    simclr) small+=(--encoder resnet18 --stem cifar) ;;
    byol) small+=(--encoder resnet18 --stem cifar --predictor-hidden 16) ;;
    memory-bank) small+=(--encoder resnet18 --stem cifar --sampler-options m=9 --objective-options log-z=first-batch,noise-count=9) ;;
    mochi) small+=(--encoder resnet18 --stem cifar --bank-rows 40 --sampler-options n=8,s=6,s-prime=3,warmup-epochs=0) ;;
    adco) small+=(--encoder resnet18 --stem cifar "${rows[@]}") ;;
    *) small+=(--encoder resnet18 --stem cifar --bank-rows 40) ;;
  esac
  for count in 1 2; do
    ranks "$count" pretrain --config "$file" "${small[@]}" --run-dir "$work/$preset-$count" >"$work/log" 2>&1 ||
      fail "two steps of $preset on $count ranks ended with $?: $(cat "$work/log")"
  done
  paste <(losses "$work/$preset-1") <(losses "$work/$preset-2") |
    awk '{ d = $1 - $2; if (d < 0) d = -d; if (d > 1e-3 * $1) bad = 1 } END { exit bad || NR != 2 }' ||
    fail "the two losses of $preset on 1 and 2 ranks: $(losses "$work/$preset-1" | paste -sd' ') and $(losses "$work/$preset-2" | paste -sd' ')"
done
[ "$(ls "$presets"/*.ini | wc -l)" -eq $((found + 1)) ] || fail 'a preset beside fashion-mnist is not tried here'

verdict presets
