#include "runtime/reports/run_record.h"

#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "runtime/text/ini_text.h"

namespace negatron {
namespace {

using Line = nlohmann::json;

/// What names a line and is no measurement.
bool names_a_line(const std::string& name) {
  return name == "step" || name == "epoch" || name == "time";
}

void add_numbers(const Line& object, const std::string& prefix, double step,
                 std::map<std::string, ThinnedCurve>& curves) {
  for (const auto& [name, value] : object.items()) {
    if (prefix.empty() && names_a_line(name)) continue;
    if (value.is_object()) {
      add_numbers(value, prefix + name + ".", step, curves);
    } else if (value.is_number()) {
      curves[prefix + name].add(step, value.get<double>());
    }
  }
}

double number_or_none(const Line& line, const char* name) {
  const auto found = line.find(name);
  const bool is_number = found != line.end() && found->is_number();
  return is_number ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
}

void add_line(const Line& line, RunRecord& record) {
  const auto event = line.find("event");
  const std::int64_t step = line.value("step", std::int64_t{0});
  if (event == line.end()) {
    ++record.steps;
    add_numbers(line, "", static_cast<double>(step), record.curves);
  } else if (*event == "evaluation") {
    record.evaluations.push_back({line.value("subject", std::string("encoder")), step, number_or_none(line, "knn"),
                                  number_or_none(line, "alignment"), number_or_none(line, "uniformity")});
  }
}

void read_metrics(const std::filesystem::path& path, RunRecord& record) {
  std::ifstream file(path);
  if (!file) {
    throw std::invalid_argument("'" + record.name + "' has no metrics.jsonl that can be read: is it a run directory?");
  }
  std::int64_t number = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    // The writer has not ended it yet.
    if (file.eof()) break;
    const Line line = Line::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) {
      throw std::invalid_argument(path.string() + ", line " + std::to_string(number) + " is not a JSON object.");
    }
    add_line(line, record);
  }
}

void read_settings(const std::filesystem::path& path, RunRecord& record) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  for (IniSetting& setting : read_ini(text.str(), IniAuthor::kProgram)) {
    record.settings.emplace_back(std::move(setting.name), std::move(setting.value));
  }
}

}  // namespace

RunRecord read_run_record(const std::filesystem::path& run) {
  RunRecord record;
  record.name = run.string();
  read_metrics(run / "metrics.jsonl", record);
  read_settings(run / "config.ini", record);
  return record;
}

}  // namespace negatron
