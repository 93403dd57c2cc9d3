#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/training/pretrain_options.h"

namespace negatron {

/// Values by the names of flags.
using SettingValues = std::map<std::string, std::string>;

/// What a configuration as config.ini holds it ("name = value" lines) says. Local.
SettingValues setting_values(std::string_view ini);

/// Flags that the configurations of old snapshots lack, and what those runs did.
const SettingValues& former_values();

/// Gives a value of a saved configuration that meant something else in former versions its name of today. Local.
void update_holdout(SettingValues& saved);

/// What a saved configuration, of this version or an older one, says in the words of today. Local.
SettingValues saved_settings(std::string_view ini);

/// A run with these settings. What this version does not know is passed over. Local. Throws UsageError or
/// std::invalid_argument for a value that no version wrote.
PretrainOptions options_of(const SettingValues& settings);

}  // namespace negatron
