#include "runtime/metrics/cut_metrics.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "runtime/text/json_text.h"

namespace negatron {
namespace {

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
  if (event == "snapshot" || event == "resume") return step <= steps_done;
  return step < steps_done;
}

}  // namespace

void cut_metrics(const std::filesystem::path& path, std::int64_t steps_done) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return;
  const std::filesystem::path kept = path.string() + ".new";
  const auto fail = [&](const char* what) {
    throw std::runtime_error("Metrics file '" + path.string() + "' cannot be " + what + ".");
  };
  // Written beside and renamed: a power cut in between leaves the old file or the new one, and no half of either. The
  // files are closed before the rename, at the end of this block.
  {
    std::ifstream old(path);
    if (!old) fail("read");
    std::ofstream file(kept, std::ios::trunc);
    for (std::string line; std::getline(old, line);) {
      if (stays(line, steps_done)) file << flat_line(line) << '\n';
    }
    file.flush();
    if (!file) fail("rewritten");
  }
  std::filesystem::rename(kept, path, error);
  if (error) fail("replaced");
}

}  // namespace negatron
