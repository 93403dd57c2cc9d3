#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launch/flags/flag_table.h"

namespace negatron {

/// How the settings of a run differ from those of the snapshot that it resumes. One line each: "--lr 0.06 -> 0.1".
struct SettingsDifference {
  /// The saved parameters mean something else under these.
  std::vector<std::string> refused;
  /// The run goes on, but not as it would have.
  std::vector<std::string> changed;
};

/// Of two configurations as config.ini holds them ("name = value" lines). What a difference means is
/// the role of its flag; those of FlagRole::kSpeed and kThisStart are not looked at. A name that one of the
/// configurations lacks counts as not set.
/// Local.
SettingsDifference compare_settings(std::string_view saved, std::string_view now, const FlagTable& flags);

}  // namespace negatron
