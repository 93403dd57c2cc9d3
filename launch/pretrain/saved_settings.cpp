#include "launch/pretrain/saved_settings.h"

#include <sstream>

#include "launch/pretrain/pretrain_flags.h"

namespace negatron {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

const SettingValues& former_values() {
  static const SettingValues values = {{"encoder", "conv"},
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

SettingValues setting_values(std::string_view ini) {
  SettingValues values;
  std::istringstream lines{std::string(ini)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    // config.ini is written by this program, one "name = value" a line. Sections and quotes do not occur in it.
    if (line.starts_with("#") || equals == std::string::npos) continue;
    values[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
  }
  return values;
}

void update_holdout(SettingValues& saved) {
  // A bare number was the last samples, before they could be drawn.
  const auto holdout = saved.find("holdout");
  if (holdout != saved.end() && holdout->second != "0" && holdout->second.find(':') == std::string::npos) {
    holdout->second = "last:" + holdout->second;
  }
}

SettingValues saved_settings(std::string_view ini) {
  SettingValues saved = setting_values(ini);
  saved.insert(former_values().begin(), former_values().end());
  update_holdout(saved);
  return saved;
}

PretrainOptions options_of(const SettingValues& settings) {
  PretrainArguments request;
  pretrain_flags(request).set(settings);
  return request.options;
}

}  // namespace negatron
