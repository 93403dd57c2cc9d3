#include "launch/pretrain/settings_difference.h"

#include <map>
#include <set>
#include <sstream>

namespace negatron {
namespace {

/// Flags that the configurations of old snapshots lack, and what those runs did.
const std::map<std::string, std::string>& former_values() {
  static const std::map<std::string, std::string> values = {{"encoder", "conv"},
                                                            {"stem", "imagenet"},
                                                            {"encoder-norm", "auto"},
                                                            {"data-kind", "auto"},
                                                            {"data-channels", "auto"},
                                                            {"image-size", "0"},
                                                            {"saturation", "0"},
                                                            {"hue", "0"},
                                                            {"grey", "0"},
                                                            {"solarise", "0"},
                                                            {"second-blur", "same"},
                                                            {"second-solarise", "same"},
                                                            {"normalize", "auto"},
                                                            {"optimizer", "sgd"},
                                                            {"lars-trust", "0.001"},
                                                            {"adam-beta1", "0.9"},
                                                            {"adam-beta2", "0.999"},
                                                            {"clip-norm", "0"},
                                                            {"accumulate", "1"},
                                                            {"tf32", "off"},
                                                            {"cudnn-benchmark", "off"}};
  return values;
}

/// Flags of data that old snapshots cannot be of: whatever they say now, it is no difference.
constexpr const char* kFlagsOfNewData[] = {"feature-noise", "feature-dropout"};

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::map<std::string, std::string> values_of(std::string_view ini) {
  std::map<std::string, std::string> values;
  std::istringstream lines{std::string(ini)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    // config.ini is written by this program, one "name = value" a line. Sections and quotes do not occur in it.
    if (line.starts_with("#") || equals == std::string::npos) continue;
    values[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
  }
  return values;
}

std::string shown(const std::string& value) {
  return value.empty() ? "(not set)" : value;
}

}  // namespace

// Names of both configurations are compared, so that a setting that only one of them knows shows, as "(not set)" on the
// other side. Example: saved "tau = 0.2, width = 128, threads = 2", now "tau = 0.1, width = 64, threads = 4": width is
// refused, tau is reported as "--tau 0.2 -> 0.1", and threads are nobody's business.
SettingsDifference compare_settings(std::string_view saved, std::string_view now, const FlagTable& flags) {
  SettingsDifference difference;
  std::map<std::string, std::string> before = values_of(saved);
  std::map<std::string, std::string> after = values_of(now);
  for (const auto& [name, value] : former_values()) {
    if (after.count(name) > 0) before.try_emplace(name, value);
  }
  for (const char* name : kFlagsOfNewData) {
    if (before.count(name) == 0) after.erase(name);
  }
  // A bare number was the last samples, before they could be drawn.
  const auto holdout = before.find("holdout");
  if (holdout != before.end() && holdout->second != "0" && holdout->second.find(':') == std::string::npos) {
    holdout->second = "last:" + holdout->second;
  }
  std::set<std::string> names;
  for (const auto& [name, value] : before) names.insert(name);
  for (const auto& [name, value] : after) names.insert(name);
  for (const std::string& name : names) {
    const FlagRole role = flags.role_of(name);
    if (before[name] == after[name] || role == FlagRole::kSpeed || role == FlagRole::kThisStart) continue;
    const std::string line = "--" + name + " " + shown(before[name]) + " -> " + shown(after[name]);
    (role == FlagRole::kNetwork ? difference.refused : difference.changed).push_back(line);
  }
  return difference;
}

}  // namespace negatron
