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
  if (error != std::errc() || stop != end || step < 0 || step_name(step) != name) return std::nullopt;
  return step;
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

void prune_snapshots(FileLayer& files, const fs::path& directory, const Retention& retention,
                     const FileWriting& writing) {
  writing.reach("prune");
  for (const std::string& name : files.list(directory)) {
    if (is_temporary(name)) remove_flat_directory(files, directory / name);
  }
  std::int64_t complete = 0;
  std::optional<std::int64_t> last_step;
  std::vector<fs::path> leaving;
  for (const SnapshotEntry& entry : list_snapshots(files, directory)) {
    if (!has_valid_manifest(files, entry.path)) continue;
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
  files.rename(snapshot, target);
  write_text(files, target / "reason.txt", reason + "\n");
  files.sync_directory(target);
  files.sync_directory(snapshot.parent_path());
  return target;
}

}  // namespace negatron
