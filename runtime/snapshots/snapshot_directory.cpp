#include "runtime/snapshots/snapshot_directory.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <random>
#include <string_view>

#include "runtime/snapshots/bank_file.h"
#include "runtime/snapshots/manifest.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kTemporaryMark = ".tmp-";
constexpr std::string_view kReplacedMark = ".replaced";
constexpr const char* kQuarantineMark = ".quarantine";
constexpr const char* kKeptMark = ".kept";
constexpr std::size_t kStepDigits = 9;

bool is_temporary(const std::string& name) {
  const std::size_t mark = name.find(kTemporaryMark);
  return mark != std::string::npos && step_of(name.substr(0, mark)).has_value();
}

/// A manifest of a newer version is valid too: to an older program it is a snapshot like any other that ages.
bool has_valid_manifest(const FileLayer& files, const fs::path& path) {
  try {
    read_manifest(files, path);
    return true;
  } catch (const NewerFormatError&) {
    return true;
  } catch (const SnapshotError&) {
    return false;
  }
}

bool has_shard_of(const std::vector<std::string>& names, const std::string& bank) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return bank_of_shard_file(name) == bank; });
}

/// In the order in which they may go: what tells whose another file is goes after it, also when the program ends in
/// between. Example: bank-view-a.h5 is a save's because a shard of view-a is there, while bank-copy.h5 is somebody's.
std::vector<std::string> files_of_a_save(const std::vector<std::string>& names) {
  std::vector<std::string> virtual_banks, others;
  for (const std::string& name : names) {
    const std::optional<std::string> bank = bank_of_virtual_file(name);
    if (bank && (bank->empty() || has_shard_of(names, *bank))) {
      virtual_banks.push_back(name);
    } else if (name == kManifestName || name == kTrainerName || bank_of_shard_file(name)) {
      others.push_back(name);
    }
  }
  virtual_banks.insert(virtual_banks.end(), others.begin(), others.end());
  return virtual_banks;
}

/// A directory of such a name is none of a save's files.
void remove_own_file(FileLayer& files, const fs::path& path, std::vector<std::string>& foreign) {
  try {
    files.remove_file(path);
  } catch (const FileError& error) {
    if (error.error_number() != EISDIR && error.error_number() != EPERM) throw;
    foreign.push_back(path.filename().string());
  }
}

/// A name in `directory` that nothing has: `wanted`, or "wanted-2" ...
fs::path free_name(const FileLayer& files, const fs::path& wanted) {
  fs::path target = wanted;
  for (int again = 2; files.exists(target); ++again) target = wanted.string() + "-" + std::to_string(again);
  return target;
}

/// Removes a temporary directory; what others have put there stays under a name that nobody takes for the program's. A
/// sentence, if there is something to say.
std::string remove_or_keep(FileLayer& files, const fs::path& temporary) {
  try {
    const std::vector<std::string> foreign = remove_snapshot_files(files, temporary);
    if (foreign.empty()) return {};
    const std::string name = temporary.filename().string();
    const std::string step = name.substr(0, name.find(kTemporaryMark));
    const fs::path kept = free_name(files, temporary.parent_path() / (step + kKeptMark));
    files.rename(temporary, kept);
    return "'" + foreign.front() + "'" + (foreign.size() > 1 ? " and more" : "") + " was put into the old snapshot " +
           step + " by others and is now in '" + kept.string() + "'. ";
  } catch (const SnapshotError& error) {
    return std::string(error.what()) + " ";
  }
}

std::vector<fs::path> temporary_directories(const FileLayer& files, const fs::path& directory) {
  std::vector<fs::path> paths;
  // All of them, also those of earlier starts: whoever owns the run may, and the save that prunes has its final name by
  // now.
  for (const std::string& name : files.list(directory)) {
    if (is_temporary(name)) paths.push_back(directory / name);
  }
  return paths;
}

/// Gives the snapshots that need not stay temporary names, which it returns.
std::vector<fs::path> take_leave(FileLayer& files, const fs::path& directory, const Retention& retention,
                                 std::string& problems) {
  std::int64_t complete = 0;
  std::optional<std::int64_t> last_step;
  std::vector<fs::path> leaving;
  for (const SnapshotEntry& entry : list_snapshots(files, directory)) {
    if (!has_valid_manifest(files, entry.path)) continue;
    // True only when the one that replaces it came before in this list and is whole. Otherwise the replaced one is the
    // snapshot of its step and is counted as such.
    const bool replaced = entry.step == last_step;
    last_step = entry.step;
    if (!replaced) ++complete;
    const bool due = complete <= retention.keep || (retention.keep_every > 0 && entry.step % retention.keep_every == 0);
    if (due && !replaced) continue;
    const fs::path temporary = directory / temporary_name(entry.step);
    try {
      files.rename(entry.path, temporary);
      leaving.push_back(temporary);
    } catch (const FileError& error) {
      problems += std::string(error.what()) + " ";
    }
  }
  return leaving;
}

}  // namespace

std::string step_name(std::int64_t step) {
  char text[64];
  std::snprintf(text, sizeof text, "step-%0*lld", static_cast<int>(kStepDigits), static_cast<long long>(step));
  return text;
}

std::string replaced_name(std::int64_t step) {
  return step_name(step) + std::string(kReplacedMark);
}

std::optional<std::int64_t> step_of(const std::string& full_name) {
  const bool replaced = full_name.ends_with(kReplacedMark);
  const std::string name = full_name.substr(0, full_name.size() - (replaced ? kReplacedMark.size() : 0));
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::int64_t step = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, step);
  // The way there and back must give the same name, so "step-12" and "step-0000000012" are no snapshots: no two names
  // stand for one step, but for a replaced one.
  if (error != std::errc() || stop != end || step < 0 || step_name(step) != name) return std::nullopt;
  return step;
}

bool is_quarantined(const std::string& name) {
  const std::size_t mark = name.find(kQuarantineMark);
  return mark != std::string::npos && step_of(name.substr(0, mark)).has_value();
}

std::string temporary_name(std::int64_t step) {
  std::random_device random;
  return step_name(step) + std::string(kTemporaryMark) + std::to_string(::getpid()) + "-" + std::to_string(random());
}

std::vector<SnapshotEntry> list_snapshots(const FileLayer& files, const fs::path& directory) {
  std::vector<SnapshotEntry> entries;
  if (!files.exists(directory)) return entries;
  for (const std::string& name : files.list(directory)) {
    if (const std::optional<std::int64_t> step = step_of(name)) entries.push_back({*step, directory / name});
  }
  // The path of one that was replaced is the longer one.
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.step != b.step ? a.step > b.step : a.path < b.path; });
  return entries;
}

// Example: keep 2, keep_every 300, snapshots of steps 100, 200, ... 600. From the newest on: 600 and 500 are the newest
// two, 400 goes, 300 is a multiple of 300 and stays, 200 and 100 go. With 600 damaged in its manifest it is neither
// counted nor touched, and 500 and 400 are the newest two.
std::string prune_snapshots(FileLayer& files, const fs::path& directory, const Retention& retention,
                            const FileWriting& writing) {
  writing.reach("prune");
  std::string problems;
  for (const fs::path& path : temporary_directories(files, directory)) problems += remove_or_keep(files, path);
  const std::vector<fs::path> leaving = take_leave(files, directory, retention, problems);
  // The new names first: after a power cut half of a snapshot under its old name would look damaged.
  if (!leaving.empty()) files.sync_directory(directory);
  for (const fs::path& path : leaving) {
    writing.reach("prune");
    problems += remove_or_keep(files, path);
  }
  if (!problems.empty()) problems.pop_back();
  return problems;
}

std::vector<std::string> remove_snapshot_files(FileLayer& files, const fs::path& path) {
  constexpr std::string_view kStillOpen = ".nfs";
  try {
    files.remove_directory(path);
    return {};
  } catch (const FileError& error) {
    // The plain removal comes first because it answers what the path is, and follows no link: a link to a directory
    // gives ENOTDIR, and only the link goes. POSIX lets a directory that is not empty answer with either of two codes.
    if (error.error_number() == ENOTDIR) {
      files.remove_file(path);
      return {};
    }
    if (error.error_number() != ENOTEMPTY && error.error_number() != EEXIST) throw;
  }
  std::vector<std::string> foreign;
  bool is_still_open = false;
  const std::vector<std::string> names = files.list(path);
  const std::vector<std::string> own = files_of_a_save(names);
  for (const std::string& name : own) remove_own_file(files, path / name, foreign);
  for (const std::string& name : names) {
    if (std::find(own.begin(), own.end(), name) != own.end()) continue;
    if (name.starts_with(kStillOpen)) {
      is_still_open = true;
    } else {
      foreign.push_back(name);
    }
  }
  std::sort(foreign.begin(), foreign.end());
  if (foreign.empty() && !is_still_open) files.remove_directory(path);
  return foreign;
}

fs::path quarantine_snapshot(FileLayer& files, const fs::path& snapshot, const std::string& reason) {
  const fs::path target = free_name(files, snapshot.string() + kQuarantineMark);
  // First the name, so that a start which is killed right here does not find it again; a directory without reason.txt
  // is less of a loss. Not synced yet: when the power goes, the old name may come back, and the next start finds the
  // same damage.
  files.rename(snapshot, target);
  write_text(files, target / "reason.txt", reason + "\n");
  files.sync_directory(target);
  files.sync_directory(snapshot.parent_path());
  return target;
}

}  // namespace negatron
