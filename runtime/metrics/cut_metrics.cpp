#include "runtime/metrics/cut_metrics.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/snapshots/files/new_path.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/text/json_text.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// Names of what belongs together joined by a dot.
void add_flat_member(const std::string& name, const nlohmann::ordered_json& value, nlohmann::ordered_json& line) {
  if (!value.is_object()) {
    line[name] = value;
    return;
  }
  for (const auto& [inner, one] : value.items()) add_flat_member(name + "." + inner, one, line);
}

/// Example: {"step":3,"step_ms":{"data":1.5}} becomes {"step":3,"step_ms.data":1.5}. A line that is flat stays as it
/// is, to the last byte.
std::string flat_line(const std::string& line) {
  const auto nested = nlohmann::ordered_json::parse(line);
  const bool is_flat =
      std::none_of(nested.begin(), nested.end(), [](const nlohmann::ordered_json& value) { return value.is_object(); });
  if (is_flat) return line;
  auto made = nlohmann::ordered_json::object();
  for (const auto& [name, value] : nested.items()) add_flat_member(name, value, made);
  return json_text(made);
}

// Example: a run was saved when 100 steps were done, went on to step 130 and was killed. Lines of steps 0 to 99 stay,
// and so does "snapshot" with step 100; those of steps 100 to 129 go, because they will be written again. A last line
// that the kill cut in half is no JSON, and goes as well.
bool stays(const std::string& line, std::int64_t steps_done) {
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) return false;
  const std::int64_t step = json["step"];
  // A step's own line carries its number, from 0; what happens between steps carries the number of steps done.
  const std::string event = json.value("event", "step");
  if (event == "snapshot" || event == "start" || event == "resume") return step <= steps_done;
  return step < steps_done;
}

/// What stays of a file: its first bytes as they are, and some lines behind them.
struct Cut {
  std::int64_t first_bytes = 0;
  std::string later_lines;
};

// Example: a snapshot of step 100 was on the disk when 103 steps were done. Steps 0 to 99 are the first bytes, the line
// of the snapshot, which follows the lines of steps 100 to 102, is a later line.
Cut find_cut(const fs::path& path, std::int64_t steps_done) {
  std::ifstream old(path);
  if (!old) throw std::runtime_error("it cannot be read.");
  Cut cut;
  bool is_first = true;
  for (std::string line; std::getline(old, line);) {
    const bool is_kept = stays(line, steps_done);
    const std::string flat = is_kept ? flat_line(line) : std::string();
    is_first = is_first && is_kept && flat == line && !old.eof();
    if (is_first) {
      cut.first_bytes += static_cast<std::int64_t>(line.size()) + 1;
    } else if (is_kept) {
      cut.later_lines += flat + "\n";
    }
  }
  if (old.bad()) throw std::runtime_error("it cannot be read.");
  return cut;
}

/// The whole new file, durable but for its name.
void write_cut(FileLayer& files, const fs::path& from, const Cut& cut, const fs::path& to) {
  constexpr std::int64_t kBlock = 1 << 20;
  const std::unique_ptr<InputFile> old = files.open(from);
  const std::unique_ptr<OutputFile> file = files.create(to);
  std::vector<std::byte> block(static_cast<std::size_t>(std::min(kBlock, cut.first_bytes)));
  for (std::int64_t offset = 0; offset < cut.first_bytes; offset += kBlock) {
    const std::int64_t size = std::min(kBlock, cut.first_bytes - offset);
    const auto part = std::span(block).first(static_cast<std::size_t>(size));
    old->read(offset, part);
    file->append(part);
  }
  file->append(std::as_bytes(std::span(cut.later_lines)));
  file->sync();
  file->close();
}

// Needs no room: what goes makes it.
void cut_in_place(const fs::path& path, const Cut& cut) {
  fs::resize_file(path, static_cast<std::uintmax_t>(cut.first_bytes));
  if (cut.later_lines.empty()) return;
  std::ofstream file(path, std::ios::app);
  file << cut.later_lines << std::flush;
  if (!file) throw std::runtime_error("it cannot be written.");
}

void cut_file(const fs::path& path, std::int64_t steps_done) {
  const Cut cut = find_cut(path, steps_done);
  if (cut.first_bytes == static_cast<std::int64_t>(fs::file_size(path))) return;
  // A file that only becomes shorter is whole at any time.
  if (cut.later_lines.empty()) return cut_in_place(path, cut);
  PosixFileLayer files;
  try {
    write_then_rename(
        files, path, [&](const fs::path& partial) { write_cut(files, path, cut, partial); }, Existing::kReplaced);
  } catch (const SnapshotError&) {
    // No room for a second file, or none can be made beside this one.
    cut_in_place(path, cut);
  }
}

}  // namespace

std::string cut_metrics(const fs::path& path, std::int64_t steps_done) {
  try {
    // A link stays one: what it names is cut.
    if (fs::exists(path)) cut_file(fs::canonical(path), steps_done);
    return {};
  } catch (const std::exception& error) {
    return "'" + path.string() + "' could not be cut to its first " + std::to_string(steps_done) +
           " steps, and may hold lines of later ones twice: " + error.what();
  }
}

}  // namespace negatron
