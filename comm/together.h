#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include "comm/communicator.h"

namespace negatron {

enum class FailureKind {
  /// Something went wrong while it ran.
  kFailed,
  /// Nothing was done, because it cannot be done as asked: Refusal and std::invalid_argument.
  kRefused
};

/// What every rank throws when work that they did together went wrong on any of them. The kind is kFailed as
/// soon as one rank failed, and the text that of the lowest rank of that kind, after its name ("rank 1 on n2: ...")
/// unless all ranks say the same.
class FailedTogether : public std::runtime_error {
 public:
  FailedTogether(FailureKind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
  FailureKind kind() const noexcept { return kind_; }

 private:
  FailureKind kind_;
};

/// Runs `work` on every rank. When it throws on any of them, all throw FailedTogether, so that a file which only one
/// host cannot read ends the job in one sentence instead of leaving the others waiting. `work` may hold no collective:
/// a rank that throws would leave it. Collective. Bytes received per rank: 8 in an all-reduce; after a failure all
/// texts and names.
void together(Communicator& comm, const std::function<void()>& work);

/// Runs `work` on rank 0 alone. Its text, on every rank; when it throws, all throw FailedTogether. `work` may hold no
/// collective. Collective. Bytes received per rank: 16 in broadcasts, and the text.
std::string on_rank_0(Communicator& comm, const std::function<std::string()>& work);

/// What `call` returns; FailedTogether becomes an Error of the same text, on every rank as before. Local.
template <class Error, class CallTogether>
auto failing_as(const CallTogether& call) {
  try {
    return call();
  } catch (const FailedTogether& error) {
    throw Error(error.what());
  }
}

}  // namespace negatron
