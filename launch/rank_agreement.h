#pragma once

#include <string>
#include <vector>

#include "comm/communicator.h"

namespace negatron {

/// Refuses a job whose ranks are not alike: hosts may have other programs, other files under one path, other flags, and
/// nothing later would say so.
class RankAgreement {
 public:
  /// `host` is this rank's. `comm` outlives it. Collective.
  RankAgreement(Communicator& comm, const std::string& host);

  const std::vector<std::string>& hosts() const { return hosts_; }

  /// Passes where `text`, lines about `what`, is the same on all ranks. Else UsageError on all of them: for each kind
  /// of difference from rank 0 the ranks, their hosts, and the lines that differ. Collective. Bytes received per rank:
  /// 32 from each; all texts where they differ.
  void require(const std::string& what, const std::string& text) const;

 private:
  Communicator& comm_;
  /// Of each rank.
  std::vector<std::string> hosts_;
};

}  // namespace negatron
