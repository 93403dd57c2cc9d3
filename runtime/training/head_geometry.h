#pragma once

#include <string>
#include <vector>

#include "runtime/training/contrast_setup.h"

namespace negatron {

/// What --head-output asks of the rest, once objective, source and sampler are known: vectors that keep their lengths,
/// and scores that are squared distances, do not go with everything. Throws std::invalid_argument with one sentence
/// that gives the reason. Local.
void require_head_geometry(const PretrainOptions& options, const ContrastSetup& setup);

/// What of it works but hardly can be meant, one sentence each.
std::vector<std::string> head_geometry_warnings(const PretrainOptions& options, const ContrastSetup& setup);

}  // namespace negatron
