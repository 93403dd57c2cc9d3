#!/usr/bin/env bash
# Drives `negatron bank` as a user does: files that numpy and h5py wrote become banks, which are looked at, checked,
# compared, resharded, merged and extracted; refusals (exit code and one sentence); what programs read (--json).
#   bank_command_test.sh NEGATRON PYTHON MPIRUN [MPIRUN FLAGS ...]
set -uo pipefail
negatron=$1
python=$2
shift 2
mpirun=("$@")
writer=$(realpath "$(dirname "${BASH_SOURCE[0]}")/write_matrices.py")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "skipped: needs numpy and h5py in $python"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# bank CODE ARGUMENTS...: exit code CODE; leaves out and err.
bank() {
  local expected=$1 code=0
  shift
  "$negatron" bank "$@" >out 2>err || code=$?
  [ "$code" -eq "$expected" ] || fail "exit code $code instead of $expected: bank $*: $(cat out err)"
}

# refused NEEDLE ARGUMENTS...: exit code 2 and one line, which contains NEEDLE.
refused() {
  local needle=$1
  shift
  bank 2 "$@"
  [ "$(wc -l <err)" -eq 1 ] || fail "not one sentence: bank $*: $(cat err)"
  grep -qF -- "$needle" err || fail "'$needle' is not in: $(cat err)"
  [ ! -e never ] || fail "a refused command made something: bank $*"
}

# says NEEDLE: the last command did.
says() { grep -qF -- "$1" out || fail "'$1' is not in: $(cat out)"; }

# holds EXPRESSION: of r, the one JSON object on the last command's output.
holds() {
  "$python" -c 'import json, sys; r = json.loads(sys.stdin.read()); sys.exit(not eval(sys.argv[1]))' "$1" <out ||
    fail "not so: $1 in $(cat out)"
}

"$python" "$writer"

bank 0 --help
says 'merge '
bank 0 import --help
says '--transpose'
bank 0 import f4.npy plain
says '300 of 300 rows of width 16, fp32, 1 shard'
bank 0 import fortran.npy fortran --ranks 2
bank 0 import queue.npy queue --transpose --ranks 3
bank 0 import version2.npy version2
bank 0 import queue.h5 hdf5 --dataset queue --transpose --rows 400
for other in fortran queue version2 hdf5; do
  bank 0 diff plain "$other"
  says 'equal: the same rows'
done
# What people have: the same rows, however they were saved.
alike() {
  rm -rf alike
  bank 0 import "$1" alike "${@:2}"
  bank 0 diff plain alike
  says 'equal: the same rows'
}
alike big_endian.npy
alike group.h5
alike packed.h5
alike big_endian.h5 --dataset queue
alike two.h5 --dataset model/queue --transpose
alike two.h5 --key model/keys
alike plain.npz --transpose
alike packed.npz
alike two.npz --key a
alike plain.safetensors
alike several.safetensors --key module.queue --transpose
rm -rf alike
bank 0 import bf16.npy alike --read-as bf16
bank 1 diff plain alike
says 'different'
bank 0 diff plain alike --tolerance 0.005
says 'equal within --tolerance 0.005'
bank 0 diff plain alike --tolerance 0.005 --json
holds 'r["equal"] and r["pairs"] == 300 and 0 < r["largest_difference"] < 0.005 and 0.9999 < r["smallest_cosine"] < 1.0001'
bank 1 diff plain alike --tolerance 0.0001
says 'different within --tolerance 0.0001'
bank 0 import big_endian.h5 half --dataset half
bank 0 diff plain half --tolerance 0.001
bank 0 import f4.npy turned --oldest 100
bank 1 diff plain turned --tolerance 0.001
bank 0 diff plain plain --tolerance 0.1
says 'largest difference 0, smallest cosine 1'
for type in f2 f8; do
  bank 0 import "$type.npy" "$type"
  bank 1 diff plain "$type"
  says 'different'
done
bank 0 import scaled.npy scaled --normalize --dtype bf16 --oldest 7
bank 0 info scaled --json
holds 'r["dtype"] == "bf16" and r["filled"] == 300 and abs(r["norms"]["mean"] - 1) < 0.01 and not r["trainer"]'
bank 0 info f8
says 'fp64'

refused 'norm 7.0' import scaled.npy never
refused 'Row 41 of the file' import bad.npy never
refused '--read-as bf16 says that they are' import bf16.npy never
refused 'two.h5'"'"' holds model/queue [16, 300], model/keys [300, 16]; --dataset says which' import two.h5 never
refused "has no 'modell/queue' (--dataset); it holds model/queue [300, 16]" import group.h5 never --dataset modell/queue
refused "holds a [300, 16], b [300, 16]; --key says which one is the bank" import two.npz never
refused "has no 'c' (--key); it holds a [300, 16], b [300, 16]" import two.npz never --key c
refused 'holds module.queue [16, 300], fc.weight [3, 16]; --key' import several.safetensors never
refused "'fc.bias' of 'several.safetensors' has 1 dimensions" import several.safetensors never --key fc.bias
refused 'leave one of them out' import two.npz never --key a --dataset b
refused 'which holds one matrix without a name' import f4.npy never --key queue
refused "'empty.npy' is empty; .npy, .npz, HDF5, safetensors, and what torch.save wrote, are." import empty.npy never
refused 'a pickle of Python, which could run anything' import pickled.pkl never
refused 'is packed by gzip' import packed.npy.gz never
refused 'without its end' import cut.npz never
refused "'queue' of 'broken.npz' is refused: 'queue.npy' in it is damaged" import broken.npz never
refused 'takes 5 MiB there, more than --memory leaves; --memory 10 would do.' import large.npz never --memory 1
refused "'<i4'" import integers.npy never
refused 'pickled objects' import pickled.npy never
refused "has no 'queu' (--dataset); it holds queue [16, 300]." import queue.h5 never --dataset queu
refused 'a link and not an object' import hostile.h5 never
refused 'no_matrix.txt' import no_matrix.txt never
refused 'absent.npy' import absent.npy never
refused 'exists already' import f4.npy plain
refused '--dtype takes' import f4.npy never --dtype fp8
refused 'did you mean --normalize' import f4.npy never --normalise
refused '1 path was given; usage: negatron bank import IN OUT' import f4.npy
refused 'did you mean bank reshard' reshrad plain never
refused "'nowhere' does not exist" info nowhere
refused 'neither a snapshot' info .
refused '--memory' info plain --memory 0
code=0
"${mpirun[@]}" -n 2 "$negatron" bank info plain >out 2>err || code=$?
[ "$code" -eq 2 ] || fail "exit code $code under mpirun"
[ "$(grep -c '^negatron: negatron bank is one process' err)" -eq 1 ] || fail "under mpirun: $(cat err)"
"${mpirun[@]}" -n 2 sh -c '"$@"; exit $?' sh "$negatron" bank info plain >out 2>err ||
  fail "a script of each rank: $(cat err)"
[ "$(grep -c uniformity out)" -eq 2 ] || fail "not every rank's script says what is in the bank: $(cat out err)"
"${mpirun[@]}" -n 1 "$negatron" bank info plain >out 2>err || fail "one rank under mpirun: $(cat err)"

# 4 ranks, 3, 1 and 4 again: the same bytes.
bank 0 reshard plain over4 --ranks 4
bank 0 reshard over4 over3 --ranks 3
bank 0 reshard over3 over1 --ranks 1 --json
holds 'r["shards"] == 1 and r["path"] == "over1"'
bank 0 reshard over1 again4 --ranks 4
diff -r over4 again4 >diff || fail "a bank that went over 3 and 1 ranks is another one: $(cat diff)"
bank 0 diff over4 over1 --json
holds 'r["equal"] and r["common"] == 300 and r["same_order"]'
refused '--ranks must be' reshard plain never
refused 'exists already' reshard plain over3 --ranks 2

bank 0 import other.npy other
bank 0 merge plain other over3 merged --json
holds 'r["duplicates"] == 300 and r["rows"] == 650 and r["filled"] == 350'
bank 0 merge merged other newest --rows 50
says '300 were too old for 50 rows'
bank 0 diff newest other
refused 'of type bf16; --convert' merge plain scaled never
bank 0 merge plain scaled rounded --convert fp16
bank 0 verify rounded

bank 0 extract queue some.h5 --range 10:20 --json
holds 'r["rows"] == 10'
"$python" - <<'END' || fail 'h5py reads other rows than were extracted'
import h5py, numpy
with h5py.File("some.h5") as file:
    assert (file["rows"][:] == numpy.load("f4.npy")[10:20]).all()
    assert list(file["sequence"]) == list(range(10, 20))
    assert set(file) == {"rows", "ids", "labels", "steps", "sequence"} and (file["ids"][:] == -1).all()
END
bank 0 extract scaled some.npy --range 10:20
"$python" - <<'END' || fail 'numpy reads other rows than were extracted'
import numpy
rows = numpy.load("some.npy")
assert rows.dtype == numpy.float32 and rows.shape == (10, 16)
assert abs(rows - numpy.roll(numpy.load("f4.npy"), -7, 0)[10:20]).max() < 0.005
assert list(numpy.load("some.sequence.npy")) == list(range(10, 20)) and (numpy.load("some.labels.npy") == -1).all()
END
rm some.npy
refused 'some.ids.npy' extract scaled some.npy --range 10:20
refused "has one of these labels" extract queue never --labels 3
refused "-1 is no label" extract queue never --labels 0,-1
bank 0 near queue f4.npy --range 17:19 --top 2 --json
holds '[[row["sequence"] for row in near["rows"]][0] for near in r["near"]] == [17, 18] and r["near"][1]["query"] == 18'
bank 0 near queue f4.npy --range 17:19 --top 2
says 'query 18'
says '   1.00000 '
refused 'either QUERIES or --ids' near queue
refused 'no row of the bank' near queue --ids 5
refused 'is not part of the 300 rows' near queue f4.npy --range 299:301
bank 0 import some.h5 from_some --dataset rows
refused 'whose keys are 0:300' extract queue never --range 10:301
refused 'FIRST:END' extract queue never --range 10
refused 'either --ids or --labels or --range' extract queue never
echo '1, 2 x' >ids.txt
refused "holds 'x'" extract queue never --ids ids.txt
refused 'no row of the bank' extract queue never --ids 5,6
refused 'is neither' extract queue never --ids absent.txt
: >ids.txt
refused "--ids: 'ids.txt' holds no numbers" extract queue never --ids ids.txt
printf '\xef\xbb\xbf5\n' >ids.txt
refused '--ids: no row of the bank has one of these ids' extract queue never --ids ids.txt

bank 0 verify queue
says 'ok   bank.00002-of-00003.h5'
printf 'x' | dd of=queue/bank.00001-of-00003.h5 bs=1 seek=5000 conv=notrunc 2>/dev/null
bank 1 verify queue
says 'BAD  bank.00001-of-00003.h5'
says 'ok   bank.00002-of-00003.h5'
bank 1 verify queue --json
holds 'not r["good"] and [f["file"] for f in r["snapshots"][0]["files"] if not f["good"]] == ["bank.00001-of-00003.h5"]'
bank 1 info queue
[ "$(grep -c '^negatron: .*bank.00001-of-00003.h5.* is damaged' err)" -eq 1 ] || fail "a damaged bank: $(cat err)"
bank 1 reshard queue never --ranks 2
[ ! -e never ] || fail 'a damaged bank was resharded'

# A run is its newest snapshot that verifies; verify looks at all.
mkdir -p run/snapshots
cp -r plain run/snapshots/step-000000000
bank 0 info run
grep -qF "the newest snapshot that verifies" err || fail "which snapshot of a run was read: $(cat err)"
bank 0 verify run
printf 'x' >>run/snapshots/step-000000000/bank.h5
bank 1 verify run
bank 1 info run
[ -d run/snapshots/step-000000000 ] || fail 'looking at a run changed it'
[ -z "$(ls | grep partial)" ] || fail "something was left behind: $(ls)"

[ "$failures" -eq 0 ] && echo 'bank commands: all as expected'
exit "$((failures > 0))"
