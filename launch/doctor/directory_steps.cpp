#include "launch/doctor/directory_steps.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <system_error>

#include "comm/rank_texts.h"
#include "launch/doctor/gather_facts.h"
#include "launch/doctor/result_within.h"
#include "launch/shared_token.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kBlockBytes = std::int64_t{1} << 20;
/// Of each rank, and of all of them.
constexpr std::int64_t kMostBlocks = 16;
constexpr std::int64_t kMostBlocksOfAll = 512;
/// A slow file system shows that in less.
constexpr double kWriteSeconds = 1.0;

double seconds_since(SteadyClock::time_point begin) {
  return std::max(1e-9, std::chrono::duration<double>(SteadyClock::now() - begin).count());
}

double write_blocks(FileLayer& files, const fs::path& path, std::int64_t most) {
  const std::vector<std::byte> block(static_cast<std::size_t>(kBlockBytes), std::byte{0x5a});
  const auto begin = SteadyClock::now();
  const std::unique_ptr<OutputFile> file = files.create(path);
  std::int64_t blocks = 0;
  while (blocks == 0 || (blocks < most && seconds_since(begin) < kWriteSeconds)) {
    file->append(block);
    ++blocks;
  }
  file->sync();
  file->close();
  return static_cast<double>(blocks * kBlockBytes) / seconds_since(begin);
}

/// So that reading asks the file system, as far as the kernel can forget.
void forget_pages(const fs::path& path) {
  const int number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (number < 0) return;
  ::posix_fadvise(number, 0, 0, POSIX_FADV_DONTNEED);
  ::close(number);
}

double read_blocks(const FileLayer& files, const fs::path& path) {
  std::vector<std::byte> block(static_cast<std::size_t>(kBlockBytes));
  const auto begin = SteadyClock::now();
  const std::unique_ptr<InputFile> file = files.open(path);
  const std::int64_t bytes = file->size();
  for (std::int64_t offset = 0; offset < bytes; offset += kBlockBytes) {
    file->read(offset, std::span(block).first(static_cast<std::size_t>(std::min(kBlockBytes, bytes - offset))));
  }
  return static_cast<double>(bytes) / seconds_since(begin);
}

/// Of a directory that cannot serve, why; in words that are the same on all ranks.
void require_directory(const fs::path& path) {
  const fs::file_status status = fs::status(path);
  if (status.type() == fs::file_type::not_found) throw SnapshotError("There is no such directory.");
  if (!fs::is_directory(status)) throw SnapshotError("It is no directory.");
}

/// What was not made cannot be removed.
void remove_if_there(FileLayer& files, const fs::path& path, bool is_directory) {
  try {
    is_directory ? files.remove_directory(path) : files.remove_file(path);
  } catch (const SnapshotError&) {
  }
}

}  // namespace

DirectorySteps::DirectorySteps(Communicator& comm, const DirectoryTrial& trial)
    : comm_(comm),
      trial_(trial),
      partner_((comm.rank() + comm.size() / 2) % comm.size()),
      name_(text_of_rank_0(comm, comm.rank() == 0 ? unique_name(".negatron-doctor") : std::string())) {}

DirectorySteps::~DirectorySteps() {
  const auto clean_up = [files = trial_.files, file = own("file", comm_.rank()), folder = own("folder", comm_.rank()),
                         lock = own("lock", 0), all = own("folder-of-all", 0)] {
    remove_if_there(*files, file, false);
    remove_if_there(*files, lock, false);
    remove_if_there(*files, folder, true);
    remove_if_there(*files, all, true);
    return true;
  };
  try {
    // A file system that does not answer is not waited for here either.
    result_within<bool>(trial_.limit, clean_up);
  } catch (const std::exception&) {
    // A thread that could not be started: a small file stays.
  }
}

fs::path DirectorySteps::own(const std::string& kind, int rank) const {
  return trial_.path / (name_ + "-" + kind + "-" + std::to_string(rank));
}

std::vector<StepResult> DirectorySteps::step(std::function<double()> work) {
  StepResult result;
  try {
    const std::optional<double> value = result_within<double>(trial_.limit, std::move(work));
    if (value) result.value = *value;
    if (!value) result.error = "No answer within " + std::to_string(trial_.limit.count()) + " ms.";
  } catch (const std::exception& error) {
    result.error = error.what();
  }
  return gather_facts(comm_, result);
}

std::vector<StepResult> DirectorySteps::write() {
  const std::int64_t blocks = std::clamp<std::int64_t>(kMostBlocksOfAll / comm_.size(), 1, kMostBlocks);
  return step([files = trial_.files, path = own("file", comm_.rank()), blocks] {
    require_directory(path.parent_path());
    try {
      const double rate = write_blocks(*files, path, blocks);
      forget_pages(path);
      return rate;
    } catch (const FileError& error) {
      // Without the file's name, which differs by rank.
      throw SnapshotError("It cannot be written into: " + std::generic_category().message(error.error_number()) + ".");
    }
  });
}

std::vector<StepResult> DirectorySteps::look() {
  return step([files = trial_.files, patience = trial_.patience, first = own("file", 0), second = own("file", partner_),
               partner = partner_] {
    if (!comes_to_be_seen(*files, first, patience)) throw SnapshotError("What rank 0 wrote is not seen.");
    if (!comes_to_be_seen(*files, second, patience)) {
      throw SnapshotError("What rank " + std::to_string(partner) + " wrote is not seen.");
    }
    return 1.0;
  });
}

std::vector<StepResult> DirectorySteps::read() {
  return step([files = trial_.files, path = own("file", partner_)] { return read_blocks(*files, path); });
}

std::vector<StepResult> DirectorySteps::lock() {
  const auto held = std::make_shared<LockFile>();
  const auto take = [held, path = own("lock", 0)] {
    *held = LockFile::open_or_make(path, [](const LockFile&) { return std::string("negatron doctor\n"); });
    return held->held() == LockFile::Held::kByThis ? 0.0 : 1.0;
  };
  const bool is_first = comm_.rank() == 0;
  const std::vector<StepResult> first = step([is_first, take] { return is_first ? take() : 0.0; });
  if (!first[0].error.empty() || first[0].value > 0.0) return first;
  const auto try_it = [take, held] {
    take();
    return held->held() == LockFile::Held::kByAnother ? 1.0 : 0.0;
  };
  return step([is_first, try_it] { return is_first ? 1.0 : try_it(); });
}

std::vector<StepResult> DirectorySteps::rename() {
  const fs::path folder = own("folder", comm_.rank());
  const std::vector<StepResult> made = step([files = trial_.files, folder] {
    files->make_directory(folder);
    return 1.0;
  });
  const bool all_made = std::all_of(made.begin(), made.end(), [](const StepResult& one) { return one.error.empty(); });
  if (!all_made) return made;
  return step([files = trial_.files, folder, all = own("folder-of-all", 0)] {
    try {
      files->rename_to_new(folder, all);
      return 1.0;
    } catch (const FileError& error) {
      if (error.error_number() == EEXIST || error.error_number() == ENOTEMPTY) return 0.0;
      throw;
    }
  });
}

std::vector<StepResult> DirectorySteps::space() {
  return step([path = trial_.path] { return static_cast<double>(fs::space(path).available); });
}

}  // namespace negatron
