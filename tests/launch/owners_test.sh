#!/usr/bin/env bash
# Drives the real program where more than one could be the owner of a run, or where an evaluation is what is interrupted:
# restarts right after kill -9, locks of every kind, ranks that are not alike, kills and signals in the last evaluation,
# what others put into snapshots, and what the umask allows.
#   owners_test.sh NEGATRON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
shift
mpirun=("$@")

# ends CODE COMMAND...: the command ends with this exit code; what it says is in $work/log.
ends() {
  local expected=$1 code=0
  shift
  "$@" >"$work/log" 2>&1 || code=$?
  [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: $*: $(tail -5 "$work/log")"
}

snapshots() { (cd "$1/snapshots" 2>/dev/null && ls -d step-????????? 2>/dev/null) | tr '\n' ' '; }
has_snapshot() { [ -n "$(snapshots "$1")" ]; }
evaluated() { grep -o '"event":"evaluation".*"knn":[-0-9.e]*' "$1/metrics.jsonl" | grep -o '"knn":.*' | tail -1; }

printf '%s\n' 'baselines = off' 'evaluate-every = 0' 'seed = 1' >>"$work/small.ini"
pretrain() { "$negatron" pretrain "${small[@]}" "$@"; }
endless=("${small[@]}" --epochs 100000)

# --- who owns a run directory ---
# A start right after kill -9 finds a process that may still be a zombie: nobody has to be waited for.
for _ in 1 2 3; do
  rm -rf "$work/again"
  "$negatron" pretrain "${endless[@]}" --snapshot-every 20 --run-dir "$work/again" >"$work/job" 2>&1 &
  job=$!
  wait_for has_snapshot "$work/again"
  kill -9 "$job"
  ends 0 pretrain --epochs 100000 --resume auto --run-dir "$work/again" --max-steps 21
  wait "$job" 2>/dev/null
  job=
  grep -q 'which no longer runs: taken over' "$work/log" || fail "nothing says what was taken over: $(cat "$work/log")"
done
[ ! -e "$work/again/lock" ] || fail 'a run that is done leaves its lock behind'

# What is no record, or half of one, and nobody's.
for text in '' '{"host":5}' '{"host":"a' 'x'; do
  rm -rf "$work/odd" && mkdir "$work/odd" && printf '%s' "$text" >"$work/odd/lock"
  ends 0 pretrain --max-steps 1 --run-dir "$work/odd"
done

# An owner on a host of another kernel: watched for as long as its lease lasts.
lease() {
  printf '{"host":"elsewhere","pid":1,"boot":"another","job_id":"7","since":"then","token":"t","lease_seconds":%s,"renewals":%s}' \
    "$1" "$2"
}
rm -rf "$work/odd" && mkdir "$work/odd" && lease 1 1 >"$work/odd/lock"
SLURM_JOB_ID=7 ends 0 pretrain --max-steps 1 --run-dir "$work/odd"
grep -q 'has not renewed its lease for 1 s: taken over' "$work/log" || fail "no lease: $(cat "$work/log")"
rm -rf "$work/odd" && mkdir "$work/odd" && lease 100 100 >"$work/odd/lock"
(for i in $(seq 400); do lease 100 "$((100 + i))" 1<>"$work/odd/lock" && sleep 0.05; done) &
job=$!
SLURM_JOB_ID=7 refused 'on host elsewhere, job 7' pretrain --max-steps 1 --run-dir "$work/odd"
kill "$job"
wait "$job" 2>/dev/null
job=
rm -rf "$work/odd" && mkdir "$work/odd" && lease 100 1 >"$work/odd/lock"
SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1 ends 0 pretrain --max-steps 1 --run-dir "$work/odd"
grep -q 'an earlier start of this job: taken over' "$work/log" || fail "a job that was begun again: $(cat "$work/log")"

# Two processes that do not see each other's: the kernel sees both.
if unshare --pid --fork --mount-proc true 2>/dev/null; then
  "$negatron" pretrain "${endless[@]}" --run-dir "$work/spaces" >"$work/job" 2>&1 &
  job=$!
  wait_for [ -e "$work/spaces/metrics.jsonl" ]
  refused 'is in use by process' unshare --pid --fork --mount-proc "$negatron" pretrain "${small[@]}" --resume auto \
    --run-dir "$work/spaces"
  kill -TERM "$job"
  wait "$job" 2>/dev/null
  job=
fi

# --- ranks that are not alike: before anything is made ---
# unlike NEEDLE [FIRST ...] -- [SECOND ...]: one rank with each of these.
unlike() {
  local needle=$1 first=()
  shift
  while [ "$1" != -- ]; do first+=("$1") && shift; done
  shift
  rm -rf "$work/unlike"
  refused "$needle" "${mpirun[@]}" -n 1 "${first[@]}" --run-dir "$work/unlike" : -n 1 "$@" --run-dir "$work/unlike"
  [ ! -e "$work/unlike" ] || fail "a refused run left a run directory ($needle)"
}
both=("$negatron" pretrain "${small[@]}")
unlike "rank 1 on host $(hostname) has 'tau = 0.2', where rank 0 on host $(hostname) has 'tau = 0.1'" \
  "${both[@]}" --tau 0.1 -- "${both[@]}" --tau 0.2
[ "$(wc -c <"$work/err")" -lt 1000 ] || fail 'more is shown than what differs'

sed 's/^data = .*/data = data/' "$work/small.ini" >"$work/relative.ini"
here=("$negatron" pretrain --config "$work/relative.ini")
mkdir "$work/there"
# differs NEEDLE FILE OFFSET: what the second rank is told when this byte of its copy is another one.
differs() {
  rm -rf "$work/there/data" && cp -r "$work/data" "$work/there/data"
  printf '\001' | dd of="$work/there/data/$2" bs=1 seek="$3" conv=notrunc 2>/dev/null
  unlike "$1" -wdir "$work" "${here[@]}" -- -wdir "$work/there" "${here[@]}"
}
differs 'training images: ' train-images-idx3-ubyte 3000
differs 'training labels: ' train-labels-idx1-ubyte 10
differs 'evaluated images: ' t10k-images-idx3-ubyte 3000

# Another build: the same bytes but for the linker's mark, which begins behind the 16 bytes that head its note. It is
# found by the section's place: a search for its bytes would miss a mark that holds a line feed.
cp "$negatron" "$work/another"
note=$(readelf -SW "$negatron" | awk '{ sub(/^ *\[ *[0-9]+\]/, "") } $1 == ".note.gnu.build-id" { print $4 }')
printf '\377\377' | dd of="$work/another" bs=1 seek=$((0x$note + 16)) conv=notrunc 2>/dev/null
readelf -n "$work/another" | grep -q 'Build ID: ffff' || fail 'the copy has no build id of its own'
unlike "differ in their builds of the program: rank 1 on host $(hostname) has 'build id ffff" \
  "${both[@]}" -- "$work/another" pretrain "${small[@]}"

# --- the last evaluation: long, behind a few steps ---
many=60000
for part in train t10k; do
  rm "$work/data/$part"-*
  count=$([ $part = train ] && echo $many || echo 4000)
  { printf '\x00\x00\x08\x03' && printf '%b' "$(printf '\\x%02x' 0 0 $((count / 256)) $((count % 256)))" &&
    printf '\x00\x00\x00\x0c\x00\x00\x00\x0c' && head -c $((count * 144)) "$negatron"; } \
    >"$work/data/$part-images-idx3-ubyte"
  while [ "$(wc -c <"$work/data/$part-images-idx3-ubyte")" -lt $((16 + count * 144)) ]; do
    head -c $((16 + count * 144 - $(wc -c <"$work/data/$part-images-idx3-ubyte"))) "$negatron" \
      >>"$work/data/$part-images-idx3-ubyte"
  done
  { printf '\x00\x00\x08\x01' && printf '%b' "$(printf '\\x%02x' 0 0 $((count / 256)) $((count % 256)))" &&
    head -c "$count" "$negatron" | tr '\001-\177\200-\377' '[\001*127][\002*128]'; } >"$work/data/$part-labels-idx1-ubyte"
done
evaluates=(--epochs 1 --max-steps 6)
two() { "${mpirun[@]}" -n 2 "$negatron" pretrain "${small[@]}" "${evaluates[@]}" "$@"; }
ends 0 two --run-dir "$work/unbroken"
[ -n "$(evaluated "$work/unbroken")" ] || fail 'the last evaluation is not written'

two --run-dir "$work/killed" >"$work/log" 2>&1 &
job=$!
wait_for has_snapshot "$work/killed"
pgrep -f -- "^$negatron pretrain .*--run-dir $work/killed( |\$)" | xargs -r kill -9
wait "$job" 2>/dev/null
job=
[ -z "$(evaluated "$work/killed")" ] || fail 'the snapshot came only behind the last evaluation'
ends 0 two --resume auto --run-dir "$work/killed"
grep -q 'resumed from step 6' "$work/log" || fail "the last steps were lost: $(tail -5 "$work/log")"
[ "$(evaluated "$work/killed")" = "$(evaluated "$work/unbroken")" ] || fail 'another accuracy after a kill'

two --snapshot-every never --run-dir "$work/usr1" >"$work/log" 2>&1 &
job=$!
wait_for grep -q '^{"step":5,' "$work/usr1/metrics.jsonl"
sleep 0.1
pgrep -f -- "^$negatron pretrain .*--run-dir $work/usr1( |\$)" | tail -1 | xargs kill -USR1
code=0
wait "$job" || code=$?
job=
[ "$code" -eq 75 ] || fail "exit code $code instead of 75 after SIGUSR1 in an evaluation: $(tail -5 "$work/log")"
[ -z "$(evaluated "$work/usr1")" ] || fail 'SIGUSR1 was heard only behind the last evaluation'
ends 0 two --snapshot-every never --resume auto --run-dir "$work/usr1"
[ "$(evaluated "$work/usr1")" = "$(evaluated "$work/unbroken")" ] || fail 'another accuracy after SIGUSR1'

# --- what others put into snapshots; modes ---
(umask 002 && ends 0 pretrain --run-dir "$work/kept" --snapshot-every 2 --max-steps 4)
[ -z "$(find "$work/kept" -type d ! -perm 775 -o -type f ! -perm 664)" ] ||
  fail "beside the umask: $(find "$work/kept" -ls)"
mkdir "$work/kept/snapshots/step-000000002/notes"
echo mine >"$work/kept/snapshots/step-000000002/notes/mine.txt"
ends 0 pretrain --run-dir "$work/kept" --snapshot-every 2 --max-steps 10 --resume auto
# On a slow disk one between may be left out.
[[ "$(snapshots "$work/kept")" =~ ^step-[0-9]{9}\ step-000000010\ $ ]] || fail "retention ended: $(ls "$work/kept/snapshots")"
[ "$(cat "$work/kept/snapshots/step-000000002.kept/notes/mine.txt")" = mine ] || fail 'a file of the user is gone'
[ "$(grep -c "'notes' was put into the old snapshot" "$work/log")" -eq 1 ] || fail "told: $(cat "$work/log")"

verdict owners
