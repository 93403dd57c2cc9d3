#!/bin/sh
# Usage: check.sh ROOT. Fails, naming file and line, on an include against the direction of the project
#   comm <- samplers <- runtime <- launch,
# on one against the direction of the rooms of samplers, which is the order of the list below: a room includes those
# above it, and not its neighbours of the same number,
# on the vector code of a CPU where it is not compiled for its instruction set, on the pass of one device where the pass
# that the run chose belongs, on a library outside its place, and on a file of more than 400 lines.
set -eu
cd "$1"

# A room is a folder, or some files that are read by more rooms than the folder they lie in.
rooms='
0 options
1 random
1 cpu
2 bank
3 pass/selection
4 pass
5 pass/cpu/kernels
6 pass/cpu
6 pass/cuda
7 pass/device_pass
8 request = exchange/columns exchange/gathered_queries exchange/shard_candidates exchange/query_batch exchange/query_blocks exchange/negative_request exchange/mixes/mix_recipe exchange/ranking/row_pool
9 exchange/rows
9 exchange/ranking
10 exchange/mixes
11 exchange
12 generators
13 negative_samplers
13 objectives
14 contrast
'

find comm samplers runtime launch \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) | sort | xargs awk -v rooms="$rooms" '
  BEGIN {
    split("comm samplers runtime launch tests", layers)
    for (i in layers) layer[layers[i]] = i + 0
    count = split(rooms, lines, "\n")
    for (i = 1; i <= count; ++i) {
      words = split(lines[i], word, " ")
      if (words == 0) continue
      level[word[2]] = word[1] + 0
      room_at[word[2]] = word[2]
      for (w = 4; w <= words; ++w) room_at[word[w]] = word[2]
    }
    max_lines = 400
  }
  function wrong(reason) { print FILENAME ":" FNR ": " reason; failed = 1 }
  # The room of a path in samplers: of the file without its ending, else of the nearest folder that is one.
  function room_of(path) {
    sub(/^samplers\//, "", path)
    sub(/\.[a-z]*$/, "", path)
    while (!(path in room_at)) if (!sub(/\/[^\/]*$/, "", path)) return ""
    return room_at[path]
  }
  function check_rooms(included,   own, other) {
    own = room_of(FILENAME)
    other = room_of(included)
    if (own == "" || other == "" || own == other) return
    if (level[other] >= level[own]) wrong("samplers/" own " must not include " included)
    if (other == "pass/cpu/kernels" && included !~ /\/pass_kernel\.h$/)
      wrong(included " is for the sources that are compiled for an instruction set; of its room include pass_kernel.h only")
    if (level[own] > level["pass/device_pass"] && (other == "pass/cpu" || other == "pass/cuda"))
      wrong(included " is a pass that nobody chose; take the one that is handed in, or device_pass.h")
  }
  FNR == max_lines + 1 { wrong("more than " max_lines " lines; what is the second idea in this file?") }
  /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    included = $0
    sub(/^[^<"]*[<"]/, "", included)
    sub(/[>"].*$/, "", included)
    split(FILENAME, from, "/")
    split(included, to, "/")

    if (to[1] in layer && layer[to[1]] > layer[from[1]]) wrong(from[1] " must not include " included)
    if (from[1] == "samplers" && to[1] == "samplers") check_rooms(included)
    if (included ~ /^(mpi|nccl)\.h$/ && FILENAME !~ ("^comm/" (included ~ /^mpi/ ? "mpi" : "nccl") "/[^/]*\\.cpp$")) wrong(included " belongs into comm/mpi/*.cpp or comm/nccl/*.cpp only")
    if (included ~ /^torch\/csrc\/distributed\// && FILENAME !~ /^comm\/process_group\//) wrong(included " belongs into comm/process_group only")
    if (included ~ /^(torch\/extension|pybind11\/.*|Python)\.h$/ && FILENAME !~ /^launch\/python\//) wrong(included " belongs into launch/python only")
    if (included ~ /^(hdf5|H5[A-Za-z]*)\.h$/ && FILENAME !~ /^runtime\/snapshots\//)
      wrong(included " belongs into runtime/snapshots only; others read HDF5 by its hdf5/hdf5_reader.h")
    if (FILENAME ~ /^runtime\/snapshots\/files\// && included ~ /^runtime\/snapshots\/hdf5\//)
      wrong("runtime/snapshots/files knows nothing of HDF5 and must not include " included)
    if (included ~ /^(jpeglib|jerror|png|webp\/.*)\.h$/ && FILENAME !~ /^runtime\/data\/decoding\//)
      wrong(included " belongs into runtime/data/decoding only")
    if (included ~ /^boost\/program_options/ && from[1] != "launch") wrong(included " belongs into launch/ only")
    if (included ~ /\.pb\.h$/ && FILENAME !~ /^runtime\/metrics\/tensorboard\//)
      wrong(included " belongs into runtime/metrics/tensorboard only, whose library sees nothing of torch")
    if (included ~ /^torch\/(torch|nn|optim)\.h$/) wrong(included " costs seconds in every file; include narrow headers")
  }
  END { exit failed }
'
