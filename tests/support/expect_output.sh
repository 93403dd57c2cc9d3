#!/bin/sh
# Usage: expect_output.sh CODE PATTERN COMMAND...
# Passes when COMMAND exits with CODE ("failure": anything but 0) and prints a line that matches the extended regular
# expression PATTERN, on stdout or stderr.
set -u
code=$1
pattern=$2
shift 2

output=$("$@" 2>&1)
actual=$?
printf '%s\n' "$output"
if [ "$code" = failure ]; then
  [ "$actual" -ne 0 ] || { echo "expect_output: exit code 0 where a failure was expected"; exit 1; }
elif [ "$actual" -ne "$code" ]; then
  echo "expect_output: exit code $actual where $code was expected"
  exit 1
fi
printf '%s\n' "$output" | grep -E -q -- "$pattern" || { echo "expect_output: nothing matches: $pattern"; exit 1; }
