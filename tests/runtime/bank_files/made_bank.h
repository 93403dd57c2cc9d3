#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/bank_files/open_bank.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "tests/runtime/snapshots/small_run.h"

namespace negatron::testing {

/// One row of a bank that a test makes up, as a unit vector in the plane.
struct MadeRow {
  double angle = 0.0;
  std::int64_t id = -1;
  std::int64_t label = -1;
  std::int64_t step = -1;
  double norm = 1.0;
  /// Of a bank of distances: what its -|n|^2 / 2 is off by, and its last number.
  double square_off = 0.0;
  double last = 1.0;
};

/// Writes a bank of vectors of width 2, oldest row first; rows of one step are one batch.
void write_made_bank(FileLayer& files, const std::filesystem::path& path, const std::vector<MadeRow>& rows,
                     int shards = 1, std::int64_t snapshot_step = 100, at::ScalarType dtype = at::kDouble,
                     RowLength length = RowLength::kUnit);

/// `steps` steps of a run, saved by `ranks` ranks; the path of the snapshot.
std::filesystem::path save_run(const SmallRun& run, FileLayer& files, const std::filesystem::path& directory,
                               std::int64_t steps, int ranks);

inline constexpr std::int64_t kPlenty = std::int64_t{64} << 20;
OpenBank opened(const FileLayer& files, const std::filesystem::path& path);
/// The message of what `act` throws behind its kind: "usage: ..." for std::invalid_argument, "snapshot: ..."
/// for SnapshotError; "nothing" when it does not throw.
std::string refusal(const std::function<void()>& act);

}  // namespace negatron::testing
