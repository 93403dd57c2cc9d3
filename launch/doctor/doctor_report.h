#pragma once

#include <atomic>
#include <iosfwd>
#include <mutex>

#include "launch/doctor/finding.h"

namespace negatron {

/// What `negatron doctor` says, on the one rank that speaks: text line by line as it is found, JSON at the end.
/// Thread-safe: a watch may have the last word.
class DoctorReport {
 public:
  DoctorReport(std::ostream& out, bool as_json) : out_(out), as_json_(as_json) {}

  /// Before anything is added: whether this process prints.
  void speak(bool speaks) { speaks_ = speaks; }
  bool speaks() const noexcept { return speaks_; }

  void add(const Findings& findings);
  /// Says how it stands, once; nothing is added after that. kExitFailure where something will not work, else kExitOk.
  int close();

 private:
  std::ostream& out_;
  const bool as_json_;
  std::atomic<bool> speaks_{true};
  std::mutex mutex_;
  Findings findings_;
  bool is_closed_ = false;
};

}  // namespace negatron
