#pragma once

#include <string>

#include "samplers/options/method_options.h"

namespace negatron {

/// The option of samplers that make or mine negatives, by which queries meet rows of the bank as well or do not. Local.
MethodOption bank_option(bool default_value, const std::string& help);
bool meets_bank(const MethodOptions& options);
/// For SamplerDescription::leaves_bank_out.
std::string left_out_bank(const MethodOptions& options);

}  // namespace negatron
