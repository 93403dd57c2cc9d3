#!/bin/sh
# Usage: check.sh ROOT. Fails, naming file and line, on an include against the direction of the project
#   comm <- samplers <- runtime <- launch,
#   in samplers: options <- random <- bank <- pass <- exchange <- negative_samplers, objectives (these two do not know each other)
#   <- contrast,
# on a library outside its place, and on a file of more than 400 lines.
set -eu
cd "$1"

find comm samplers runtime launch \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) | sort | xargs awk '
  BEGIN {
    split("comm samplers runtime launch tests", layers)
    for (i in layers) layer[layers[i]] = i + 0
    room["options"] = 0; room["random"] = 1; room["bank"] = 2; room["pass"] = 3; room["exchange"] = 4; room["negative_samplers"] = 5;
    room["objectives"] = 5; room["contrast"] = 6
    max_lines = 400
  }
  function wrong(reason) { print FILENAME ":" FNR ": " reason; failed = 1 }
  FNR == max_lines + 1 { wrong("more than " max_lines " lines; what is the second idea in this file?") }
  /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    included = $0
    sub(/^[^<"]*[<"]/, "", included)
    sub(/[>"].*$/, "", included)
    split(FILENAME, from, "/")
    split(included, to, "/")

    if (to[1] in layer && layer[to[1]] > layer[from[1]]) wrong(from[1] " must not include " included)
    if (from[1] == "samplers" && to[1] == "samplers" && (from[2] in room) && (to[2] in room)) {
      if (room[to[2]] > room[from[2]] || (room[to[2]] == room[from[2]] && to[2] != from[2]))
        wrong("samplers/" from[2] " must not include " included)
    }
    if (included ~ /^(mpi|nccl)\.h$/ && FILENAME !~ ("^comm/" (included ~ /^mpi/ ? "mpi" : "nccl") "/[^/]*\\.cpp$")) wrong(included " belongs into comm/mpi/*.cpp or comm/nccl/*.cpp only")
    if (included ~ /^(hdf5|H5[A-Za-z]*)\.h$/ && FILENAME !~ /^runtime\/(snapshots\/|data\/hdf5)/)
      wrong(included " belongs into runtime/snapshots and runtime/data/hdf5* only")
    if (included ~ /^boost\// && from[1] != "launch") wrong(included " belongs into launch/ only")
    if (included ~ /^torch\/(torch|nn|optim)\.h$/) wrong(included " costs seconds in every file; include narrow headers")
  }
  END { exit failed }
'
