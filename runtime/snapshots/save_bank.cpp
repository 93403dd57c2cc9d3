#include "runtime/snapshots/save_bank.h"

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "comm/rank_texts.h"
#include "comm/together.h"
#include "runtime/snapshots/files/new_path.h"
#include "runtime/snapshots/save_part.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// "OUT" for "OUT/": what is renamed is a name and not a path that ends in nothing.
fs::path without_end(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

/// Rank 0's: the directory that all write into.
std::string make_partial(FileLayer& files, const fs::path& out) {
  check_new_path(files, out);
  const fs::path partial = out.string() + ".partial-" + std::to_string(getpid());
  files.make_directory(partial);
  return partial.string();
}

}  // namespace

void save_bank(Communicator& comm, FileLayer& files, const fs::path& named, std::int64_t step, Bank& bank) {
  const fs::path out = without_end(named);
  SaveJob job;
  job.step = step;
  job.world_size = comm.size();
  job.banks = {describe({&bank})};
  job.shard = comm.rank();
  job.copies = {bank.start_copy()};
  failing_as<SnapshotError>([&] {
    job.temporary = on_rank_0(comm, [&] { return make_partial(files, out); });
    try {
      std::vector<ManifestFile> own;
      together(comm, [&] { own = write_part(files, job); });
      std::vector<ManifestFile> parts;
      for (const std::string& text : gather_texts(comm, files_text(own))) {
        for (ManifestFile& file : parse_files(text)) parts.push_back(std::move(file));
      }
      on_rank_0(comm, [&] {
        write_manifest(files, job, std::move(parts));
        files.rename_to_new(job.temporary, out);
        files.sync_directory(parent_of(out));
        return std::string();
      });
    } catch (const FailedTogether&) {
      // All ranks are here. What cannot be removed is named as what it is.
      if (comm.rank() == 0 && files.exists(job.temporary)) {
        static_cast<void>(remove_snapshot_files(files, job.temporary));
      }
      throw;
    }
    return 0;
  });
}

}  // namespace negatron
