#include "launch/pretrain/shared_directory.h"

#include <string>

#include "comm/together.h"
#include "launch/exit_code.h"
#include "launch/shared_token.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {

void require_shared_directory(Communicator& comm, FileLayer& files, const std::filesystem::path& directory,
                              std::chrono::milliseconds patience) {
  if (comm.size() == 1) return;
  const std::string name = failing_as<SnapshotError>([&] {
    return on_rank_0(comm, [&] {
      const std::string token = unique_name(".seen-by-all-ranks");
      write_text(files, directory / token, "");
      return token;
    });
  });
  const auto remove = [&] {
    on_rank_0(comm, [&]() -> std::string {
      files.remove_file(directory / name);
      return {};
    });
  };
  try {
    together(comm, [&] {
      if (comes_to_be_seen(files, directory / name, patience)) return;
      throw UsageError("--run-dir: '" + directory.string() +
                       "' is another directory here than on rank 0's host: what that wrote there is not seen. It must "
                       "lie on a file system that all hosts share.");
    });
  } catch (const FailedTogether&) {
    // All ranks come here or none.
    remove();
    throw;
  }
  remove();
}

}  // namespace negatron
