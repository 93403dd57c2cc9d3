#include "runtime/metrics/cut_metrics.h"

#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace negatron {
namespace {

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
  {
    std::ifstream old(path);
    if (!old) fail("read");
    std::ofstream file(kept, std::ios::trunc);
    for (std::string line; std::getline(old, line);) {
      if (stays(line, steps_done)) file << line << '\n';
    }
    file.flush();
    if (!file) fail("rewritten");
  }
  std::filesystem::rename(kept, path, error);
  if (error) fail("replaced");
}

}  // namespace negatron
