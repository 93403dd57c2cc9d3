#pragma once

#include <map>
#include <string>
#include <vector>

namespace negatron::testing {

/// Settings that make a sampler do its work on a bank of 47 rows, by its name. One that is not listed runs with its
/// defaults.
const std::map<std::string, std::vector<std::string>>& sampler_settings();

/// Those of one sampler, at least one.
std::vector<std::string> settings_of(const std::string& sampler);

}  // namespace negatron::testing
