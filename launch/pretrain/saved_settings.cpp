#include "launch/pretrain/saved_settings.h"

#include "launch/pretrain/pretrain_flags.h"
#include "runtime/text/ini_text.h"

namespace negatron {

const SettingValues& former_values() {
  static const SettingValues values = {{"encoder", "conv"},
                                       {"stem", "imagenet"},
                                       {"encoder-norm", "auto"},
                                       {"head-output", "unit"},
                                       {"bank-per-view", "off"},
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
                                       {"batch-order", "random"},
                                       {"batch-similar", "0.5"},
                                       {"refresh-every", "1epoch"},
                                       {"rows-optimizer", "sgd"},
                                       {"tf32", "off"},
                                       {"cudnn-benchmark", "off"}};
  return values;
}

SettingValues setting_values(std::string_view ini) {
  SettingValues values;
  for (const IniSetting& setting : read_ini(ini, IniAuthor::kProgram)) values[setting.name] = setting.value;
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
