#include "comm/communicator.h"

#include <cstring>

#include "comm/error.h"
#include "comm/signature.h"
#include "comm/staged_work.h"
#include "comm/standing.h"
#include "comm/vector_math.h"

namespace negatron {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

/// Gives what happens in `finish` its coordinates, and writes the end of the operation into the log.
class Communicator::LoggedPending : public Work::Pending {
 public:
  LoggedPending(Communicator& communicator, const Call& call, std::int64_t sequence, PendingPtr pending)
      : communicator_(communicator),
        call_(call),
        sequence_(sequence),
        started_(Clock::now()),
        pending_(std::move(pending)) {}

  // A failure may show at a look instead of a wait; it gets the same coordinates.
  bool done() override {
    try {
      communicator_.refuse_when_broken();
      return pending_->done();
    } catch (...) {
      communicator_.rethrow(sequence_, call_);
    }
  }

  at::Tensor finish() override {
    try {
      communicator_.refuse_when_broken();
      communicator_.roll_call_->stand(standing(call_, sequence_));
      at::Tensor result = pending_->finish();
      communicator_.log_.finish(sequence_, CollectiveLog::State::kDone, seconds_since(started_));
      return result;
    } catch (...) {
      communicator_.rethrow(sequence_, call_);
    }
  }

 private:
  Communicator& communicator_;
  Call call_;
  std::int64_t sequence_;
  Clock::time_point started_;
  PendingPtr pending_;
};

Communicator::Communicator(int rank, int size, at::Device home, const CommunicatorOptions& options,
                           std::shared_ptr<RollCall> roll_call)
    : rank_(rank), size_(size), staging_(home), options_(options), log_(rank), roll_call_(std::move(roll_call)) {
  options_.time_limit = std::min(options.time_limit, kLongestTimeLimit);
  settle_vector_math();
}

Communicator::~Communicator() = default;

void Communicator::barrier() {
  start(barrier_call(), {}, [this](const at::Tensor&) { return do_barrier(); }).wait();
}

void Communicator::broadcast(const at::Tensor& tensor, int root) {
  start_broadcast(tensor, root).wait();
}

void Communicator::all_reduce(const at::Tensor& tensor, ReduceOp op) {
  start_all_reduce(tensor, op).wait();
}

at::Tensor Communicator::all_gather(const at::Tensor& tensor) {
  return start_all_gather(tensor).wait();
}

at::Tensor Communicator::all_gather(const at::Tensor& tensor, at::IntArrayRef rows) {
  return start_all_gather(tensor, rows).wait();
}

at::Tensor Communicator::reduce_scatter(const at::Tensor& tensor, ReduceOp op) {
  return start_reduce_scatter(tensor, op).wait();
}

at::Tensor Communicator::all_to_all(const at::Tensor& tensor) {
  return start_all_to_all(tensor).wait();
}

at::Tensor Communicator::all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows, at::IntArrayRef receive_rows) {
  return start_all_to_all(tensor, send_rows, receive_rows).wait();
}

Work Communicator::start_broadcast(const at::Tensor& tensor, int root) {
  return start(broadcast_call({rank_, size_}, tensor, root), tensor,
               [&](const at::Tensor& here) { return do_broadcast(here, root); });
}

Work Communicator::start_all_reduce(const at::Tensor& tensor, ReduceOp op) {
  return start(all_reduce_call({rank_, size_}, tensor, op), tensor,
               [&](const at::Tensor& here) { return do_all_reduce(here, op); });
}

Work Communicator::start_all_gather(const at::Tensor& tensor) {
  return start(all_gather_call({rank_, size_}, tensor, {}), tensor, [&](const at::Tensor& here) {
    // Implementations know the ragged form only; even blocks are a list of equal counts.
    return do_all_gather(here, std::vector<std::int64_t>(static_cast<std::size_t>(size_), here.size(0)));
  });
}

Work Communicator::start_all_gather(const at::Tensor& tensor, at::IntArrayRef rows) {
  Call call = all_gather_call({rank_, size_}, tensor, rows);
  // The empty list is this class's word for even blocks, not the caller's.
  if (rows.empty()) call.refusal = "rows has 0 entries for " + std::to_string(size_) + " ranks";
  return start(call, tensor, [&](const at::Tensor& here) { return do_all_gather(here, rows); });
}

Work Communicator::start_reduce_scatter(const at::Tensor& tensor, ReduceOp op) {
  return start(reduce_scatter_call({rank_, size_}, tensor, op), tensor,
               [&](const at::Tensor& here) { return do_reduce_scatter(here, op); });
}

Work Communicator::start_all_to_all(const at::Tensor& tensor) {
  return start(all_to_all_call({rank_, size_}, tensor), tensor, [&](const at::Tensor& here) {
    const std::vector<std::int64_t> rows(static_cast<std::size_t>(size_), here.size(0) / size_);
    return do_all_to_all(here, rows, rows);
  });
}

Work Communicator::start_all_to_all(const at::Tensor& tensor, at::IntArrayRef send_rows, at::IntArrayRef receive_rows) {
  return start(all_to_all_call({rank_, size_}, tensor, send_rows, receive_rows), tensor,
               [&](const at::Tensor& here) { return do_all_to_all(here, send_rows, receive_rows); });
}

std::unique_ptr<Communicator> Communicator::split(int color) {
  Call call;
  call.operation = "split";
  call.arguments = "color " + std::to_string(color);
  // The color is no part of the signature, as it is what ranks may say differently.
  call.signature = "split";
  call.bytes_sent = call.bytes_received = (size_ - 1) * static_cast<std::int64_t>(sizeof color);
  // Every rank sees the colors of all, in rank order, so the members of a group compute one list without a further
  // message, and a member's rank is its place there. Colors are compared as bytes because that is what the exchange
  // gives.
  std::unique_ptr<Communicator> group;
  run_logged(call, [&] {
    const auto colors = do_exchange({reinterpret_cast<const char*>(&color), sizeof color});
    std::vector<int> members;
    for (int rank = 0; rank < size_; ++rank) {
      if (std::memcmp(colors[static_cast<std::size_t>(rank)].data(), &color, sizeof color) == 0)
        members.push_back(rank);
    }
    group = do_split(color, members);
  });
  return group;
}

void Communicator::agree(std::string_view what, std::string_view value) {
  Call call;
  call.operation = "agree";
  call.arguments = std::string(what);
  call.signature = "agree " + call.arguments;
  call.bytes_sent = call.bytes_received = (size_ - 1) * static_cast<std::int64_t>(value.size());
  // All ranks hold all values, so all of them throw, with one and the same message: no rank goes on alone into the next
  // collective, to wait there for ranks that have stopped.
  run_logged(call, [&] {
    const std::vector<std::string> values = exchange_any_length(std::string(value));
    std::vector<int> differing;
    std::string message = "ranks differ in " + std::string(what) + ": rank 0 has \"" + values[0] + "\"";
    for (int rank = 1; rank < size_; ++rank) {
      const std::string& other = values[static_cast<std::size_t>(rank)];
      if (other == values[0]) continue;
      differing.push_back(rank);
      message += ", rank " + std::to_string(rank) + " has \"" + other + "\"";
    }
    if (!differing.empty()) throw DisagreementError(message, std::move(differing));
  });
}

std::vector<std::string> Communicator::exchange_any_length(const std::string& bytes) {
  // Exchanges are of equal lengths, so lengths go first and then all texts, padded to the longest. Say "ab" on rank 0
  // and "abcd" on rank 1: both send 4 bytes, and what came is cut back to 2 and 4.
  const std::uint64_t own_length = bytes.size();
  const auto packed_lengths = do_exchange({reinterpret_cast<const char*>(&own_length), sizeof own_length});
  std::vector<std::uint64_t> lengths(packed_lengths.size());
  for (std::size_t rank = 0; rank < lengths.size(); ++rank) {
    std::memcpy(&lengths[rank], packed_lengths[rank].data(), sizeof own_length);
  }
  std::string padded = bytes;
  padded.resize(*std::max_element(lengths.begin(), lengths.end()));
  std::vector<std::string> values = do_exchange(padded);
  for (std::size_t rank = 0; rank < lengths.size(); ++rank) values[rank].resize(lengths[rank]);
  return values;
}

std::string Communicator::refuse(const at::Tensor& tensor) const {
  if (!tensor.defined() || tensor.device() == staging_.home() || staging_.moves(tensor)) return {};
  return "the tensor is on " + tensor.device().str() + " where " + transport() + " takes " + staging_.home().str() +
         " and the host";
}

Work Communicator::start(Call call, const at::Tensor& tensor, const std::function<PendingPtr(const at::Tensor&)>& run) {
  // The order matters. The log has the call before anything can fail or hang in it, so a time-out finds it there. It
  // counts as traffic only once it is under way. From then on the Work reports for it.
  if (call.refusal.empty()) call.refusal = refuse(tensor);
  const std::int64_t sequence = log_.start(call.operation, call.arguments);
  try {
    enter(call);
    const auto count_staged = [this, operation = call.operation](std::int64_t bytes) {
      traffic_.record_staged(operation, bytes);
    };
    const bool staged = tensor.defined() && staging_.moves(tensor);
    PendingPtr pending = staged ? run_staged(staging_, tensor, run, count_staged) : run(tensor);
    traffic_.record(call.operation, call.bytes_sent, call.bytes_received);
    return Work(std::make_unique<LoggedPending>(*this, call, sequence, std::move(pending)));
  } catch (...) {
    rethrow(sequence, call);
  }
}

void Communicator::run_logged(const Call& call, const std::function<void()>& body) {
  const Clock::time_point started = Clock::now();
  const std::int64_t sequence = log_.start(call.operation, call.arguments);
  try {
    enter(call);
    roll_call_->stand(standing(call, sequence));
    body();
    traffic_.record(call.operation, call.bytes_sent, call.bytes_received);
    log_.finish(sequence, CollectiveLog::State::kDone, seconds_since(started));
  } catch (...) {
    rethrow(sequence, call);
  }
}

void Communicator::enter(const Call& call) {
  refuse_when_broken();
  // A refusal without checked mode is this rank's alone: the others run into their time limit, and the log of each says
  // where. With checked mode a rank that refuses tells the others so, who would wait for it, and all throw the same.
  if (!options_.check) {
    if (!call.refusal.empty()) throw CommError(call.refusal);
    return;
  }
  // This call has its number already. With the number in the signature, a rank that is a call behind is found even
  // where both calls look alike.
  compare_signatures(do_exchange(pack_signature(call, log_.next_sequence() - 1)));
  if (!call.send_rows.empty()) compare_rows(do_exchange(pack_rows(call)));
}

}  // namespace negatron
