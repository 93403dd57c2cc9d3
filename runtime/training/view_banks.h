#pragma once

#include <string>
#include <vector>

#include "runtime/training/contrast_setup.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// What snapshots call the banks of a run. The one bank of a run needs no name. With --bank-per-view "view-b", which is
/// met by the first view's queries, and "view-a", by the second one's. Local.
std::vector<std::string> bank_names(const PretrainOptions& options);

/// What a bank for each view asks of the rest. Throws std::invalid_argument that names the flag. Local.
void require_view_banks(const PretrainOptions& options, const ContrastSetup& setup);

}  // namespace negatron
