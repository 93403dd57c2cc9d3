#include "comm/together.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <c10/util/Exception.h>

#include "comm/error.h"
#include "comm/rank_texts.h"

namespace negatron {
namespace {

// What a rank says of its work, as a number whose minimum over ranks is the gravest: above both kinds of failure.
constexpr std::int64_t kDone = 2;
static_assert(static_cast<std::int64_t>(FailureKind::kFailed) == 0 &&
              static_cast<std::int64_t>(FailureKind::kRefused) == 1);

struct Failure {
  FailureKind kind;
  std::string text;
};

/// Nothing when the work is done.
std::optional<Failure> failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Refusal& error) {
    return Failure{FailureKind::kRefused, error.what()};
  } catch (const std::invalid_argument& error) {
    return Failure{FailureKind::kRefused, error.what()};
  } catch (const c10::Error& error) {
    // Its what() ends in thirty lines of a backtrace.
    return Failure{FailureKind::kFailed, error.what_without_backtrace()};
  } catch (const std::exception& error) {
    return Failure{FailureKind::kFailed, error.what()};
  } catch (...) {
    // Whatever it was, the others wait for this rank.
    return Failure{FailureKind::kFailed, "Something was thrown that does not say what is wrong."};
  }
  return std::nullopt;
}

std::int64_t number_of(const std::optional<Failure>& failure) {
  return failure ? static_cast<std::int64_t>(failure->kind) : kDone;
}

/// The text of the lowest rank that has one, with that rank's name unless all ranks say the same. Collective.
std::string gravest_text(Communicator& comm, const std::string& text) {
  const std::vector<std::string> texts = gather_texts(comm, text);
  const std::vector<std::string> names = gather_texts(comm, comm.roll_call()->name_of(comm.roll_call()->rank()));
  const auto speaker = std::find_if(texts.begin(), texts.end(), [](auto& said) { return !said.empty(); });
  if (speaker == texts.end()) return "A rank failed and did not say why.";
  const bool by_all = std::all_of(texts.begin(), texts.end(), [&](auto& said) { return said == *speaker; });
  return by_all ? *speaker : names[static_cast<std::size_t>(speaker - texts.begin())] + ": " + *speaker;
}

}  // namespace

void together(Communicator& comm, const std::function<void()>& work) {
  const std::optional<Failure> own = failure_of(work);
  const at::Tensor gravest = at::full({1}, number_of(own), at::kLong);
  comm.all_reduce(gravest, ReduceOp::kMin);
  if (gravest.item<std::int64_t>() == kDone) return;
  const auto kind = static_cast<FailureKind>(gravest.item<std::int64_t>());
  // Only the gravest have a say: a refusal elsewhere may follow from the failure.
  const bool speaks = own && own->kind == kind;
  throw FailedTogether(kind, gravest_text(comm, speaks ? own->text : std::string()));
}

std::string on_rank_0(Communicator& comm, const std::function<std::string()>& work) {
  std::string text;
  std::optional<Failure> failure;
  if (comm.rank() == 0) {
    failure = failure_of([&] { text = work(); });
    if (failure) text = failure->text;
  }
  const at::Tensor outcome = at::full({1}, number_of(failure), at::kLong);
  comm.broadcast(outcome, 0);
  text = text_of_rank_0(comm, text);
  if (outcome.item<std::int64_t>() == kDone) return text;
  throw FailedTogether(static_cast<FailureKind>(outcome.item<std::int64_t>()), text);
}

}  // namespace negatron
