#!/bin/sh
# Usage: refusals_test.sh PROGRAM FILE. The program must refuse FILE when one number of it is off in the 9th digit, and
# must say so when it does not know a case or a value.
set -eu
program=$1
file=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

expect() {  # expect CODE LINE-PATTERN
  code=0
  output=$("$program" "$folder/cases.json" -P 2) || code=$?
  if [ "$code" -ne "$1" ] || ! printf '%s\n' "$output" | grep -E -q -- "$2"; then
    printf '%s\n' "$output"
    echo "refusals_test: exit code $code, expected $1 and a line like $2"
    exit 1
  fi
}

only() {  # only CASE SED-SCRIPT: the shared inputs and that case of the file, edited
  sed -n -e '1,/"cases": \[/p' "$file" > "$folder/cases.json"
  sed -n -e "/\"name\": \"$1\"/,/\"cross_check\"/p" "$file" | sed -e "$2" -e '1s/^/{/' >> "$folder/cases.json"
  echo '}]}' >> "$folder/cases.json"
}

only infonce_tau0.2 ''
expect 0 '^infonce_tau0.2 loss_mean .* ok$'
only infonce_tau0.2 's/"loss_mean": 1.25265650912/"loss_mean": 1.25265651912/'
expect 1 '^infonce_tau0.2 loss_mean .* FAIL$'
only infonce_tau0.2 's/"tau": 0.2/"tau": 0.21/'
expect 1 '^infonce_tau0.2 loss_per_query .* FAIL$'
only infonce_tau0.2 's/"p_pos"/"probability"/'
expect 3 '^infonce_tau0.2 probability - unknown$'
only ring_moco 's/"outer_fraction"/"outer"/'
expect 3 '^ring_moco ring_slots - unknown$'
