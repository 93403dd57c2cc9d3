#include "launch/python/batch_record.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "comm/error.h"
#include "comm/rank_texts.h"
#include "comm/share.h"

namespace negatron::python {
namespace {

constexpr std::int8_t kTrains = 1;
constexpr std::int8_t kHasKeys = 2;

/// A record on its way. Every byte is set, as all of them travel.
struct Message {
  std::int64_t rows;
  std::int64_t step;
  double epoch;
  double progress;
  std::uint64_t settings;
  BatchCall call;
  std::int8_t dtype;
  std::int8_t has_ids;
  std::int8_t has_labels;
  std::int8_t queries_take_gradient;
  std::int8_t keys_take_gradient;
  std::int8_t has_problem;
  /// kTrains and kHasKeys, each if it is so.
  std::int8_t loss_flags;
};
static_assert(sizeof(Message) == 48);

/// In the order of BatchCall.
constexpr std::array<const char*, 7> kCalls = {"loss", "enqueue", "hardest", "fetch", "blend", "write", "step_rows"};

/// In which words ranks differ from rank 0; empty where they do not.
std::string difference(const Message& first, const Message& other) {
  const auto name = [](std::int8_t type) { return std::string(toString(static_cast<at::ScalarType>(type))); };
  if (first.call != other.call) return "rank 0 is in " + name_of(first.call) + " and " + name_of(other.call);
  const auto given = [](std::int8_t is) { return is != 0 ? "given" : "not given"; };
  const auto taken = [](std::int8_t is) { return is != 0 ? "taken" : "not taken"; };
  const auto told = [](const std::string& what, const std::string& here, const std::string& there) {
    return what + " " + here + " on rank 0 and " + there;
  };
  if (first.step != other.step) {
    const std::string what = first.call == BatchCall::kHardest ? "n is" : "the step is";
    return told(what, std::to_string(first.step), std::to_string(other.step));
  }
  if (first.epoch != other.epoch) return told("the epoch is", std::to_string(first.epoch), std::to_string(other.epoch));
  if (first.progress != other.progress) {
    return told("the progress is", std::to_string(first.progress), std::to_string(other.progress));
  }
  const auto trains = [](const Message& of) { return (of.loss_flags & kTrains) != 0 ? "training" : "evaluating"; };
  if (((first.loss_flags ^ other.loss_flags) & kTrains) != 0) return told("the loss is", trains(first), trains(other));
  if (first.loss_flags != other.loss_flags) {
    return told("k is", given(first.loss_flags & kHasKeys), given(other.loss_flags & kHasKeys));
  }
  if (first.dtype != other.dtype) return told("the dtype is", name(first.dtype), name(other.dtype));
  if (first.has_ids != other.has_ids) return told("ids are", given(first.has_ids), given(other.has_ids));
  if (first.has_labels != other.has_labels) {
    return told("labels are", given(first.has_labels), given(other.has_labels));
  }
  if (first.queries_take_gradient != other.queries_take_gradient) {
    return told("the gradient of q is", taken(first.queries_take_gradient), taken(other.queries_take_gradient));
  }
  if (first.keys_take_gradient != other.keys_take_gradient) {
    return told("the gradient of k is", taken(first.keys_take_gradient), taken(other.keys_take_gradient));
  }
  return {};
}

/// The settings of all ranks, of which some differ. Collective.
std::string different_settings(Communicator& comm, const std::string& own) {
  std::string all;
  const std::vector<std::string> texts = gather_texts(comm, own);
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    if (rank > 0 && texts[rank] == texts.front()) continue;
    all += (all.empty() ? "" : ", ") + texts[rank] + " on rank " + std::to_string(rank);
  }
  return all;
}

[[noreturn]] void throw_problem(Communicator& comm, const std::string& call, const std::string& problem) {
  if (comm.size() == 1) throw std::invalid_argument(call + ": " + problem);
  const std::string all = joined_errors(comm, problem);
  throw std::invalid_argument(call + ": " + (problem.empty() ? all : problem));
}

}  // namespace

std::string name_of(BatchCall call) {
  return kCalls.at(static_cast<std::size_t>(call));
}

BatchCall call_of(const std::string& name) {
  const auto found = std::find(kCalls.begin(), kCalls.end(), name);
  if (found == kCalls.end()) throw std::invalid_argument("'" + name + "' is no call of ranks together");
  return static_cast<BatchCall>(found - kCalls.begin());
}

std::vector<std::int64_t> agree_on_batch(Communicator& comm, const BatchRecord& record, const std::string& problem) {
  const std::string call = name_of(record.call);
  const Message own{record.rows,
                    record.step,
                    record.epoch,
                    record.progress,
                    std::hash<std::string>{}(record.settings),
                    record.call,
                    static_cast<std::int8_t>(record.dtype),
                    record.has_ids,
                    record.has_labels,
                    record.queries_take_gradient,
                    record.keys_take_gradient,
                    !problem.empty(),
                    static_cast<std::int8_t>((record.trains ? kTrains : 0) | (record.has_keys ? kHasKeys : 0))};
  std::string bytes(sizeof own, '\0');
  std::memcpy(bytes.data(), &own, sizeof own);
  std::vector<Message> all;
  for (const std::string& text : gather_equal_texts(comm, bytes)) {
    std::memcpy(&all.emplace_back(), text.data(), sizeof own);
  }
  // A rank that has called something else has no part in the texts of a problem.
  const bool one_call =
      std::all_of(all.begin(), all.end(), [&](const Message& of) { return of.call == all.front().call; });
  if (one_call && std::any_of(all.begin(), all.end(), [](const Message& of) { return of.has_problem != 0; })) {
    throw_problem(comm, call, problem);
  }
  std::vector<int> ranks;
  for (std::size_t rank = 0; one_call && rank < all.size(); ++rank) {
    if (all[rank].settings != all.front().settings) ranks.push_back(static_cast<int>(rank));
  }
  if (!ranks.empty()) {
    throw DisagreementError(call + ": ranks differ: " + different_settings(comm, record.settings), ranks);
  }
  std::string first;
  std::vector<std::int64_t> sizes;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    sizes.push_back(all[rank].rows);
    const std::string differs = difference(all.front(), all[rank]);
    if (differs.empty()) continue;
    if (first.empty()) first = differs + " on rank " + std::to_string(rank);
    ranks.push_back(static_cast<int>(rank));
  }
  if (!ranks.empty()) throw DisagreementError(call + ": ranks differ: " + first, ranks);
  return sizes;
}

// Example: ranks have 1, 4 and 1 rows, of which the shares are 2 each. Rows 0 | 1 2 3 4 | 5 become 0 1 | 2 3 | 4 5:
// rank 1 sends its rows 1, 2 3 and 4 to ranks 0, 1 and 2.
at::Tensor in_equal_shares(Communicator& comm, const at::Tensor& values, const std::vector<std::int64_t>& sizes) {
  const std::int64_t total = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  const std::vector<std::int64_t> shares = share_sizes(total, comm.size());
  if (shares == sizes) return values;
  std::vector<Range> given;
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    given.push_back({begin, begin + size});
    begin += size;
  }
  const auto overlap = [](const Range& left, const Range& right) {
    return std::max<std::int64_t>(0, std::min(left.end, right.end) - std::max(left.begin, right.begin));
  };
  const Range own_given = given[static_cast<std::size_t>(comm.rank())];
  const Range own_share = share(total, comm.size(), comm.rank());
  std::vector<std::int64_t> sent;
  std::vector<std::int64_t> received;
  for (int rank = 0; rank < comm.size(); ++rank) {
    sent.push_back(overlap(own_given, share(total, comm.size(), rank)));
    received.push_back(overlap(given[static_cast<std::size_t>(rank)], own_share));
  }
  return comm.all_to_all(values.detach().contiguous(), sent, received);
}

}  // namespace negatron::python
