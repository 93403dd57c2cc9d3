#!/usr/bin/env bash
# What a shell user tries: --version, help COMMAND, names of the field, --quiet, and what the run directory keeps of it.
#   shell_test.sh NEGATRON PROJECT_VERSION PYTHON MPIRUN [MPIRUN FLAGS ...]
source "$(dirname "$0")/small_run.sh"
negatron=$1
version=$2
python=$3
shift 3
mpirun=("$@")

ranks() { local count=$1; shift; "${mpirun[@]}" -n "$count" "$negatron" "$@"; }

# --- which program this is ---
"$negatron" --version >"$work/version" || fail '--version failed'
[ "$(wc -l <"$work/version")" -eq 1 ] || fail "--version is not one line: $(cat "$work/version")"
grep -qE "^negatron $version( \(commit [0-9a-f]+\))?, LibTorch [0-9.]+, .*MPI.*, HDF5 [0-9.]+, (without CUDA|CUDA [0-9.]+, NCCL [0-9.]+)\$" \
  "$work/version" || fail "--version says $(cat "$work/version")"
"$negatron" --help | grep -qFx "$(cat "$work/version")" || fail '--help does not say the version'

# --- help ---
for command in pretrain plan bank 'bank info' completion; do
  "$negatron" help $command >"$work/a" && "$negatron" $command --help >"$work/b" && cmp -s "$work/a" "$work/b" && [ -s "$work/a" ] ||
    fail "help $command is not $command --help"
done
"$negatron" help >"$work/a" && "$negatron" --help >"$work/b" && cmp -s "$work/a" "$work/b" || fail 'help is not --help'
refused "unknown command 'frobnicate'; negatron help lists the commands." "$negatron" help frobnicate

# --- names that are none ---
refused "unknown command 'frobnicate'; negatron help lists the commands." "$negatron" frobnicate
refused '--config launch/presets/moco-v2.ini' "$negatron" moco
refused '--config launch/presets/simclr.ini' "$negatron" simclr
refused 'did you mean launch/presets/moco-v2.ini?' "$negatron" pretrain --config moco
refused 'did you mean --global-batch?' "$negatron" pretrain --batch-size 256
refused 'unknown flag --frobnicate; --help lists all flags.' "$negatron" pretrain --frobnicate
refused "'stray' is no flag" "$negatron" pretrain stray
refused "unknown command 'bank frobnicate'; negatron bank --help lists them." "$negatron" bank frobnicate
refused 'unknown objective '"'frobnicate'"'. --list-objectives shows all.' "$negatron" pretrain "${small[@]}" --objective frobnicate
refused "expected one of: imagenet, cifar." "$negatron" pretrain "${small[@]}" --encoder resnet18 --stem frobnicate
refused "only for a100, h100, h200 and b200." "$negatron" plan --gpu frobnicate

# --- what a run keeps of what it said, and of where it ran ---
# Without what differs from run to run: rates, what is left, and the lines of every ten seconds.
steady() { grep -v '  step [1-7]/8  ' | sed -E 's/[0-9]+ images\/s/N images\/s/; s/  waits for images [0-9]+ %//; s/  ([0-9]+ (s|min|h) ?)+left/  left/'; }
log_words() { grep -v -e '^#' -e '^negatron: warning' "$1/log"; }
ranks 2 pretrain "${small[@]}" --run-dir "$work/told" >"$work/out" 2>/dev/null || fail 'a run failed'
log_words "$work/told" | cmp - "$work/out" || fail "RUN/log is not what was printed: $(cat "$work/told/log")"
grep -q 'after training' "$work/told/log" || fail 'RUN/log holds no result'
grep -q "^# .* UTC: starts on $(hostname) (2 ranks)\$" "$work/told/log" || fail "RUN/log has no heading: $(head -1 "$work/told/log")"
grep -qFx "# $(cat "$work/version")" "$work/told/log" || fail 'RUN/log does not say the version'

# Quiet: nothing but one line, and the same files.
ranks 2 pretrain "${small[@]}" --run-dir "$work/quiet" --quiet >"$work/out" 2>"$work/err" || fail 'a quiet run failed'
[ "$(wc -l <"$work/out")" -eq 1 ] || fail "a quiet run prints $(cat "$work/out")"
grep -qE "^kNN [0-9.]+ % after step 8, run directory: $work/quiet\$" "$work/out" || fail "a quiet run ends with $(cat "$work/out")"
! grep -q negatron "$work/err" || fail "a quiet run says $(cat "$work/err")"
for run in quiet told; do log_words "$work/$run" | sed "s|$work/$run|RUN|" | steady >"$work/$run.words"; done
diff "$work/quiet.words" "$work/told.words" || fail 'the log of a quiet run is another one'
[ "$(losses "$work/quiet")" = "$(losses "$work/told")" ] || fail 'a quiet run trains otherwise'
[ "$(ls "$work/quiet")" = "$(ls "$work/told")" ] || fail "a quiet run leaves other files: $(ls "$work/quiet")"
# The run directory of what fails says why as well.
code=0
ranks 2 pretrain "${small[@]}" --quiet --lr 1e30 --max-skipped-steps 2 --run-dir "$work/fails" >"$work/out" 2>"$work/err" || code=$?
[ "$code" -eq 1 ] && [ ! -s "$work/out" ] && grep -q 'negatron: .*was not finite' "$work/err" || fail "a quiet run that fails: $code, $(cat "$work/out" "$work/err")"
grep -q '^negatron: .*was not finite' "$work/fails/log" || fail 'the log does not say why the run failed'

# Resumed: the log goes on, and says so.
before=$(cat "$work/told/log")
ranks 3 pretrain "${small[@]}" --epochs 3 --resume auto --run-dir "$work/told" >"$work/out" 2>/dev/null || fail 'a resumed run failed'
[ "$(head -c "${#before}" "$work/told/log")" = "$before" ] || fail 'the log of the first start is gone'
grep -q "^# .* UTC: goes on from step 8 on $(hostname) (3 ranks)\$" "$work/told/log" || fail 'the log does not say that the run goes on'
tail -n +"$(($(grep -n 'goes on from step 8' "$work/told/log" | cut -d: -f1) + 3))" "$work/told/log" | grep -v '^negatron: warning' |
  cmp - "$work/out" || fail 'the log of the second start is not what was printed'

# On a terminal the progress line is redrawn; the log gets lines.
TERM=xterm NEGATRON_TERMINAL_COLUMNS=80 "$negatron" pretrain "${small[@]}" --run-dir "$work/drawn" >"$work/out" 2>/dev/null || fail 'a run failed'
grep -q $'\x1b' "$work/out" || fail 'the progress line is not redrawn'
! grep -q $'\x1b' "$work/drawn/log" || fail 'the log holds what only a terminal reads'
grep -q 'step 8/8' "$work/drawn/log" || fail 'the log holds no progress'

"$python" - "$work/told" "$work/version" "$(hostname)" <<'END' || fail 'the run directory does not say what ran where'
import json, sys, time
from pathlib import Path

run, version, host = Path(sys.argv[1]), Path(sys.argv[2]).read_text().strip(), sys.argv[3]
starts = [json.loads(line) for line in (run / "starts.jsonl").read_text().splitlines()]
assert [start["step"] for start in starts] == [0, 8], starts
assert [start["ranks"] for start in starts] == [2, 3] and starts[1]["hosts"] == {host: 3}, starts
for start in starts:
    assert time.time() - 3600 < start["time"] <= time.time()
    assert f"negatron {start['negatron']}" in version and f"LibTorch {start['libtorch']}, {start['mpi']}, HDF5 {start['hdf5']}" in version
    assert start["command"][0] == "pretrain" and start["command"][-1] == str(run) and start["device"] == "cpu"
rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
assert len([row for row in rows if "event" not in row]) == 12
assert not any(isinstance(value, (dict, list)) for row in rows for value in row.values())
times = [row["time"] for row in rows]
assert times == sorted(times) and time.time() - 3600 < times[0] and times[-1] <= time.time()
try:
    import pandas
except ImportError:
    pandas = None
if pandas:
    table = pandas.read_json(run / "metrics.jsonl", lines=True)
    assert len(table) == len(rows) and not (table.map(type) == dict).any().any()
try:
    import h5py
except ImportError:
    sys.exit()
with h5py.File(run / "snapshots/step-000000012/trainer.h5") as file:
    kept = file["text/version"][()]
    assert (kept.decode() if isinstance(kept, bytes) else kept.tobytes().decode()).rstrip("\0") == version, kept
END

verdict shell
