#!/usr/bin/env bash
# Usage: report_command_test.sh NEGATRON PYTHON. The page of two runs, and what is refused (exit code and one sentence).
set -euo pipefail
negatron=$1 python=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "report_command_test: $*"
  exit 1
}
refused() {  # refused SENTENCE ARGUMENTS...
  local sentence=$1 code=0
  shift
  "$negatron" report "$@" >out 2>err || code=$?
  [ "$code" -eq 2 ] || fail "exit code $code of report $*: $(cat out err)"
  grep -qF -- "$sentence" err || fail "'$sentence' is not in: $(cat err)"
  [ "$(wc -l <err)" -eq 1 ] || fail "more than a sentence: $(cat err)"
}

for run in first second; do
  mkdir $run
  echo "{\"step\":0,\"loss\":1.5}" >$run/metrics.jsonl
  echo "tau = 0.$(wc -c <<<$run)" >$run/config.ini
done
"$negatron" report first second >out || fail "$(cat out)"
grep -qx 'wrote first/report.html: 2 runs' out || fail "$(cat out)"
"$python" - <<'END' || fail 'the page holds other runs'
import json, re
data = json.loads(re.search(r'id="data">(.*?)</script>', open("first/report.html").read(), re.S)[1])
assert [run["name"] for run in data["runs"]] == ["first", "second"]
assert data["differences"] == [["tau", "0.6", "0.7"]], data["differences"]
END
"$negatron" report first >out || fail 'a report does not give way to the next'
grep -qx 'wrote first/report.html: 1 run' out || fail "$(cat out)"
echo 'my notes' >notes.html
refused "'notes.html' is there and is no report" first --out notes.html
[ "$(cat notes.html)" = 'my notes' ] || fail 'a file that is no report was overwritten'
refused "'absent' has no metrics.jsonl" absent
refused 'no run directory was given'
code=0
"$negatron" report first --out nowhere/page.html >out 2>err || code=$?
[ "$code" -eq 1 ] || fail "exit code $code for a folder that is not there"
grep -q "^negatron: Could not create 'nowhere/page.html.partial-.*No such file or directory" err || fail "$(cat err)"
