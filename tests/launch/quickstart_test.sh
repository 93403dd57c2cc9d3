#!/usr/bin/env bash
# launch/quickstart as a user starts it, on his own images, in a copy of the checkout where nothing is set up or built.
#   quickstart_test.sh NEGATRON LAUNCH
source "$(dirname "$0")/small_run.sh"
checkout=$work/checkout
mkdir -p "$checkout/launch" "$checkout/build"
cp -r "$2/quickstart" "$2/ranks" "$2/presets" "$checkout/launch"
ln -s "$1" "$checkout/build/negatron"
for step in setup build; do
  printf '#!/bin/sh\n' >"$checkout/launch/$step"
  chmod +x "$checkout/launch/$step"
done
quickstart=("$checkout/launch/quickstart")
# So small that it takes seconds; the second of each kind would be refused if it did not override what was chosen.
tiny=(--encoder conv --stem imagenet --encoder-channels 8,16 --encoder-strides 2,2 --image-size 16 --max-steps 3 --threads 1)

python3 "$(dirname "$0")/write_pngs.py" "$work/images" 60 3
"${quickstart[@]}" --data "$work/images" "${tiny[@]}" >"$work/out" 2>&1 || fail "quickstart --data ended with $?: $(cat "$work/out")"
grep -q '60 images; chosen for them' "$work/out" || fail "it does not say what it chose: $(cat "$work/out")"
grep -q 'epochs 20, global-batch 54, bank-rows 54, holdout 6, knn-k 20' "$work/out" || fail "another choice: $(cat "$work/out")"
grep -q 'kNN' "$work/out" || fail 'labelled images give no kNN accuracy'
grep -q 'presets/moco-v2.ini --data FOLDER' "$work/out" || fail 'it does not say what comes next'
run=$(echo "$checkout"/runs/quickstart-*)
grep -q '^encoder = conv$' "$run/config.ini" || fail 'a flag does not override the preset'
grep -q '^views = moco-v2$' "$run/config.ini" || fail 'the preset is not taken'
[ "$(losses "$run" | wc -l)" -eq 3 ] || fail 'it did not take three steps'

rm -rf "$checkout/runs"
mv "$work/images/class 0" "$work/plain"
"${quickstart[@]}" "--data=$work/plain" "${tiny[@]}" >"$work/out" 2>&1 || fail "quickstart --data=FOLDER ended with $?: $(cat "$work/out")"
grep -q 'no labels' "$work/out" || grep -q 'no test part' "$work/out" || fail "images without labels: $(cat "$work/out")"
! grep -q 'holdout' <(grep 'chosen' -A 1 "$work/out") || fail 'images without labels are held out'

refused "$work/nothing" "${quickstart[@]}" --data "$work/nothing"
[ "$(ls "$checkout/runs" | wc -l)" -eq 1 ] || fail 'a refused start left a run directory'

# From another folder, by a path that means something there.
(cd "$work" && "${quickstart[@]}" --data plain "${tiny[@]}" --run-dir "$work/elsewhere" >"$work/out" 2>&1) ||
  fail "quickstart from another folder ended with $?: $(cat "$work/out")"

verdict quickstart
