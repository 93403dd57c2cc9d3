#!/usr/bin/env bash
# Installs the build into a prefix and moves the prefix to FOLDER, where the tests that follow use it. What was left of
# an earlier one goes first.
#   install_test.sh CMAKE BUILD FOLDER
set -euo pipefail
first=$3.first
rm -rf "$3" "$first"
"$1" --install "$2" --prefix "$first" >"$3.log" || { cat "$3.log"; exit 1; }
for file in bin/negatron bin/negatron-ranks share/negatron/presets/moco-v2.ini share/doc/negatron/LICENSE \
  include/negatron/samplers/bank/bank.h; do
  [ -e "$first/$file" ] || { echo "FAILED: no $file was installed"; exit 1; }
done
mv "$first" "$3"
# A path of the first place would be found, and wrong, by whoever has the prefix elsewhere.
if grep -rIlF "$first" "$3"; then
  echo 'FAILED: these files name the folder that they were installed into'
  exit 1
fi
echo 'install: all as expected'
