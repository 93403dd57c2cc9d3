#!/usr/bin/env bash
# The completion script in a real bash: COMPREPLY for command lines as a user types them.
#   completion_test.sh NEGATRON
set -uo pipefail
negatron=$1
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

script=$("$negatron" completion bash) || fail 'completion bash failed'
source /dev/stdin <<<"$script"
complete -p negatron | grep -q -- '-o default -F _negatron' || fail "what bash completes: $(complete -p)"

# completed WORD...: what the last word, which may be empty, can become.
completed() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  COMPREPLY=(left over)
  _negatron
  echo "${COMPREPLY[*]:-}"
}

# becomes EXPECTED WORD...
becomes() {
  local expected=$1 found
  shift
  found=$(completed "$@")
  [ "$found" = "$expected" ] || fail "'$*' becomes '$found' instead of '$expected'"
}

# has EXPECTED WORD...: among others.
has() {
  local expected=$1
  shift
  [[ " $(completed "$@") " == *" $expected "* ]] || fail "'$*' does not become '$expected': $(completed "$@")"
}

# --- commands: all that --help lists, and help ---
commands=$("$negatron" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
[ "$(wc -w <<<"$commands")" -ge 4 ] || fail "commands: $commands"
for command in $commands help; do has "$command" negatron ''; done
becomes 'pretrain' negatron pre
becomes '--version' negatron --v
becomes 'pretrain' negatron help pretr
becomes 'info' negatron bank inf
becomes 'import' negatron help bank imp
becomes 'bash' negatron completion ''

# --- flags: all that each --help lists ---
flags_of() { "$negatron" "$@" --help | sed -n 's/^ *\(--[a-z0-9-]*\).*/\1/p' | grep -vx -- --help; }
flagged=0
all=
for command in $commands; do
  all+="$command"$'\n'
  for action in $("$negatron" $command --help | sed -n "s/^  \([a-z][a-z]*\)  .*/\1/p"); do all+="$command $action"$'\n'; done
done
while read -r command; do
  [ -n "$command" ] || continue
  offered=" $(completed negatron $command -) "
  for flag in $(flags_of $command); do
    flagged=$((flagged + 1))
    [[ $offered == *" $flag "* ]] || fail "$command: $flag is not completed"
  done
done <<<"$all"
[ "$flagged" -gt 100 ] || fail "$flagged flags in all"
becomes '--bank-rows' negatron pretrain --tau 0.1 --bank-r
becomes '--list-samplers --list-objectives' negatron pretrain --list-
has '--run-dir' negatron pretrain ''

# --- values ---
becomes 'cpu cuda' negatron pretrain --device ''
becomes 'cuda' negatron pretrain --device cud
becomes 'cuda' negatron pretrain --device = cud
becomes 'cpu cuda' negatron pretrain --device =
becomes 'on off' negatron pretrain --tau 0.1 --nesterov ''
becomes 'sgd lars adamw' negatron pretrain --optimizer ''
becomes 'resnet18 resnet34 resnet50 resnet101' negatron pretrain --encoder resnet
becomes 'auto never' negatron pretrain --resume ''
becomes 'fp32 bf16 fp16 fp64' negatron bank import --dtype ''
becomes 'auto cpu cuda' negatron doctor --device ''
becomes 'a100 h100 h200 b200' negatron plan --gpu ''
for name in $("$negatron" pretrain --list-samplers | sed -n 's/^\([a-z0-9-]*\): .*/\1/p'); do has "$name" negatron pretrain --sampler ''; done
for name in $("$negatron" pretrain --list-objectives | sed -n 's/^\([a-z0-9-]*\): .*/\1/p'); do has "$name" negatron pretrain --objective ''; done

# --- no answer: bash takes file names ---
becomes '' negatron pretrain --data ''
becomes '' negatron pretrain --config la
becomes '' negatron bank info ''
becomes '' negatron pretrain --tau ''
becomes '' launch/ranks 2 bu

# --- by a path, and behind launch/ranks ---
becomes 'pretrain' build/negatron pretr
becomes 'cpu cuda' launch/ranks 2 build/negatron pretrain --device ''
complete -p ranks | grep -q _negatron || fail 'launch/ranks is not completed'

[ "$failures" -eq 0 ] && echo 'completion: all as expected'
exit "$((failures > 0))"
