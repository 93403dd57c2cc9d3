#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "comm/communicator.h"
#include "runtime/snapshots/find_snapshot.h"
#include "runtime/snapshots/manifest.h"

namespace negatron {

/// Ascending: the gravest of any rank is that of all.
///
///   kGood          restored
///   kAbsent        some rank does not see what rank 0 sees, however long it waits: an error, the file may only be late
///   kUnreadable    no permission, a disk that is ill, a server that is down: an error, since the snapshot may be good
///   kDamaged       read and found wrong; the next older one is tried
///   kNewerFormat   an error: an older one would silently lose training that a newer program could go on with
///
/// Example: 4 ranks, steps 300 and 200. Of 300 rank 2 finds its file's digest wrong and rank 3 may not read its own:
/// the gravest is kDamaged, so 300 is quarantined, and what rank 3 said stands in the reason too. Of 200 all four say
/// kGood, and it is restored. Had rank 3's been the only complaint, nothing would have been quarantined or restored.
enum class Verdict : std::int64_t { kGood, kAbsent, kUnreadable, kDamaged, kNewerFormat };

/// What one rank, or all of them, think of one snapshot.
struct Judgement {
  Verdict verdict = Verdict::kGood;
  std::string reason;
  Manifest manifest;
};

/// What `look` finds: the manifest that it returns, or what its throw says. Local.
Judgement judge(const std::function<Manifest()>& look);

/// One judgement for all ranks of the snapshot at `path`: each verifies the files that it would read. Collective.
Judgement judge_together(Communicator& comm, const FileLayer& files, const std::filesystem::path& path,
                         const FindOptions& options);

}  // namespace negatron
