#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/snapshots/bank_file.h"

namespace negatron {

/// What wrote a snapshot has no more ranks than this.
inline constexpr std::int64_t kMostSavedRanks = 1 << 16;

/// What a manifest says of its banks: one without a name as its member "bank", as before there could be several, others
/// as a list, "banks". Local.
void add_banks(nlohmann::json& manifest, const std::vector<SavedBank>& banks);
/// The way back. Throws SnapshotError or std::invalid_argument for banks that cannot be or that contradict themselves,
/// and what nlohmann::json throws for members that are not there. Local.
std::vector<SavedBank> banks_of(const nlohmann::json& manifest);

}  // namespace negatron
