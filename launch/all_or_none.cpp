#include "launch/all_or_none.h"

#include <cstring>

#include "launch/exit_code.h"
#include "runtime/data/data_error.h"

namespace negatron {
namespace {

// Ascending from the gravest, so that the minimum over ranks is the outcome of all: a failure outweighs a refusal.
enum Outcome : std::int64_t { kFailed = 0, kRefused = 1, kDone = 2 };

/// The text of the lowest rank that has one. Collective.
std::string first_text(Communicator& comm, const std::string& text) {
  const at::Tensor length = at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong);
  const at::Tensor lengths = comm.all_gather(length);  // [P]
  const at::Tensor bytes = at::empty({static_cast<std::int64_t>(text.size())}, at::kByte);
  std::memcpy(bytes.data_ptr(), text.data(), text.size());
  const std::vector<std::int64_t> rows(lengths.const_data_ptr<std::int64_t>(),
                                       lengths.const_data_ptr<std::int64_t>() + lengths.numel());
  const at::Tensor all = comm.all_gather(bytes, rows);
  std::int64_t begin = 0;
  for (const std::int64_t size : rows) {
    if (size > 0) return {static_cast<const char*>(all.data_ptr()) + begin, static_cast<std::size_t>(size)};
    begin += size;
  }
  return {};
}

}  // namespace

void all_or_none(Communicator& comm, const std::function<void()>& work) {
  std::int64_t outcome = kDone;
  std::string message;
  const auto note = [&](std::int64_t what, const char* text) {
    outcome = what;
    message = text;
  };
  try {
    work();
  } catch (const UsageError& error) {
    note(kRefused, error.what());
  } catch (const DataError& error) {
    note(kRefused, error.what());
  } catch (const std::invalid_argument& error) {
    note(kRefused, error.what());
  } catch (const std::exception& error) {
    note(kFailed, error.what());
  }
  const at::Tensor worst = at::full({1}, outcome, at::kLong);
  comm.all_reduce(worst, ReduceOp::kMin);
  if (worst.item<std::int64_t>() == kDone) return;
  message = first_text(comm, message);
  if (worst.item<std::int64_t>() == kRefused) throw UsageError(message);
  throw std::runtime_error(message);
}

}  // namespace negatron
