#include "launch/pretrain/shared_directory.h"

#include <unistd.h>

#include <random>
#include <string>
#include <thread>

#include "comm/together.h"
#include "launch/exit_code.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};

/// What nobody else writes and no earlier start has left.
std::string token_name() {
  std::random_device random;
  return ".seen-by-all-ranks-" + std::to_string(::getpid()) + "-" + std::to_string(random());
}

bool comes_to_be_seen(const FileLayer& files, const std::filesystem::path& path, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!files.exists(path)) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLookEvery);
    // A listing makes a client of NFS ask its server again.
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), ignored)) {
      static_cast<void>(entry);
    }
  }
  return true;
}

}  // namespace

void require_shared_directory(Communicator& comm, FileLayer& files, const std::filesystem::path& directory,
                              std::chrono::milliseconds patience) {
  if (comm.size() == 1) return;
  const std::string name = failing_as<SnapshotError>([&] {
    return on_rank_0(comm, [&] {
      const std::string token = token_name();
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
