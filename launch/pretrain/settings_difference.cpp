#include "launch/pretrain/settings_difference.h"

#include <set>

#include "launch/pretrain/saved_settings.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

/// Flags of data that old snapshots cannot be of: whatever they say now, it is no difference.
constexpr const char* kFlagsOfNewData[] = {"feature-noise", "feature-dropout"};

/// A path is shown whole, a saved configuration of any length is not.
constexpr std::size_t kMostSettingBytes = 400;

std::string shown(const std::string& value) {
  return value.empty() ? "(not set)" : shown_text(value, kMostSettingBytes);
}

}  // namespace

// Names of both configurations are compared, so that a setting that only one of them knows shows, as "(not set)" on the
// other side. Example: saved "tau = 0.2, width = 128, threads = 2", now "tau = 0.1, width = 64, threads = 4": width is
// refused, tau is reported as "--tau 0.2 -> 0.1", and threads are nobody's business.
SettingsDifference compare_settings(std::string_view saved, std::string_view now, const FlagTable& flags) {
  SettingsDifference difference;
  SettingValues before = setting_values(saved);
  SettingValues after = setting_values(now);
  for (const auto& [name, value] : former_values()) {
    if (after.count(name) > 0) before.try_emplace(name, value);
  }
  for (const char* name : kFlagsOfNewData) {
    if (before.count(name) == 0) after.erase(name);
  }
  update_holdout(before);
  std::set<std::string> names;
  for (const auto& [name, value] : before) names.insert(name);
  for (const auto& [name, value] : after) names.insert(name);
  for (const std::string& name : names) {
    const FlagRole role = flags.role_of(name);
    const bool counts = role == FlagRole::kNetwork || role == FlagRole::kNumbers;
    if (before[name] == after[name] || !counts) continue;
    const std::string line = "--" + shown_text(name) + " " + shown(before[name]) + " -> " + shown(after[name]);
    (role == FlagRole::kNetwork ? difference.refused : difference.changed).push_back(line);
  }
  return difference;
}

}  // namespace negatron
