#include "runtime/snapshots/snapshot_directory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <random>
#include <string_view>

#include "runtime/snapshots/manifest.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kTemporaryMark = ".tmp-";
constexpr std::string_view kReplacedMark = ".replaced";
constexpr const char* kQuarantineMark = ".quarantine";
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
void prune_snapshots(FileLayer& files, const fs::path& directory, const Retention& retention,
                     const FileWriting& writing) {
  writing.reach("prune");
  for (const std::string& name : files.list(directory)) {
    // All of them, also those of earlier starts: whoever owns the run may, and the save that prunes has its final name
    // by now.
    if (is_temporary(name)) remove_flat_directory(files, directory / name);
  }
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
    leaving.push_back(directory / temporary_name(entry.step));
    files.rename(entry.path, leaving.back());
  }
  if (leaving.empty()) return;
  // The new names first: after a power cut half of a snapshot under its old name would look damaged.
  files.sync_directory(directory);
  for (const fs::path& path : leaving) {
    writing.reach("prune");
    remove_flat_directory(files, path);
  }
}

fs::path quarantine_snapshot(FileLayer& files, const fs::path& snapshot, const std::string& reason) {
  fs::path target = snapshot.string() + kQuarantineMark;
  for (int again = 2; files.exists(target); ++again) {
    target = snapshot.string() + kQuarantineMark + "-" + std::to_string(again);
  }
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
