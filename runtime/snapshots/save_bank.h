#pragma once

#include <cstdint>
#include <filesystem>

#include "comm/communicator.h"
#include "runtime/snapshots/files/file_layer.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// Writes the bank of all ranks, and nothing else, as the snapshot `out` of training step `step`: what `pretrain
/// --bank` begins with and `negatron bank` reads. Each rank writes its shard, into a directory beside it
/// ("OUT.partial-..."); when all files are synced and verified it gets its name. The bank must not change meanwhile.
/// Collective; `comm` are the ranks that the bank is laid out over. Throws SnapshotError on all ranks, among others
/// where `out` exists; then nothing is left of it.
void save_bank(Communicator& comm, FileLayer& files, const std::filesystem::path& out, std::int64_t step, Bank& bank);

}  // namespace negatron
