#include "tests/comm/nccl/nccl_stand_in_group.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ATen.h>

namespace negatron::testing {
namespace {

at::ScalarType scalar_type(ncclDataType_t dtype) {
  switch (dtype) {
    case ncclFloat64:
      return at::kDouble;
    case ncclFloat32:
      return at::kFloat;
    case ncclBfloat16:
      return at::kBFloat16;
    case ncclFloat16:
      return at::kHalf;
    case ncclInt64:
      return at::kLong;
    case ncclInt32:
      return at::kInt;
    case ncclUint8:
      return at::kByte;
    default:
      throw std::logic_error("the stand-in has no such type");
  }
}

at::Tensor view(const void* data, std::size_t count, ncclDataType_t dtype) {
  return at::from_blob(const_cast<void*>(data), {static_cast<std::int64_t>(count)}, scalar_type(dtype));
}

bool is_message(const StandInCall& call) {
  return call.kind == StandInCall::Kind::kSend || call.kind == StandInCall::Kind::kReceive;
}

/// Like NCCL: in the type of the data.
void accumulate(at::Tensor& sum, const at::Tensor& other, ncclRedOp_t op) {
  if (op == ncclSum) sum.add_(other);
  if (op == ncclMin) sum = at::minimum(sum, other);
  if (op == ncclMax) sum = at::maximum(sum, other);
}

}  // namespace

void StandInGroup::join() {
  const std::lock_guard lock(mutex_);
  ++joined_;
}

bool StandInGroup::complete() const {
  const std::lock_guard lock(mutex_);
  return joined_ == queues_.size();
}

long StandInGroup::post(int rank, std::vector<StandInCall> unit) {
  const std::lock_guard lock(mutex_);
  const auto index = static_cast<std::size_t>(rank);
  queues_[index].push_back(std::move(unit));
  run_ready_units();
  return ++posted_[index];
}

bool StandInGroup::executed(int rank, long units) const {
  const std::lock_guard lock(mutex_);
  return executed_[static_cast<std::size_t>(rank)] >= units;
}

void StandInGroup::abort() {
  const std::lock_guard lock(mutex_);
  aborted_ = true;
}

std::string StandInGroup::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void StandInGroup::run_ready_units() {
  bool progress = true;
  while (progress && !aborted_ && error_.empty()) {
    try {
      progress = run_collective();
      for (std::size_t sender = 0; sender < queues_.size(); ++sender) {
        for (std::size_t receiver = 0; receiver < queues_.size(); ++receiver) {
          progress = run_message(sender, receiver) || progress;
        }
      }
    } catch (const std::exception& error) {
      error_ = error.what();
    }
  }
}

void StandInGroup::pop(std::size_t rank) {
  queues_[rank].pop_front();
  ++executed_[rank];
}

bool StandInGroup::run_collective() {
  for (const auto& queue : queues_) {
    if (queue.empty() || is_message(queue.front().front())) return false;
  }
  const StandInCall first = queues_.front().front().front();
  const bool scatter = first.kind == StandInCall::Kind::kReduceScatter;
  std::vector<at::Tensor> inputs;
  for (const auto& queue : queues_) {
    const StandInCall& call = queue.front().front();
    if (queue.front().size() != 1) throw std::logic_error("the stand-in runs one collective in a group");
    if (call.kind != first.kind || call.count != first.count || call.dtype != first.dtype || call.op != first.op ||
        call.peer != first.peer) {
      throw std::logic_error("ranks call different collectives");
    }
    // Copied before anything is written: operations may be in place.
    inputs.push_back(view(call.send, call.count * (scatter ? queues_.size() : 1), call.dtype).clone());
  }
  at::Tensor result = inputs[0];
  if (first.kind == StandInCall::Kind::kBroadcast) result = inputs[static_cast<std::size_t>(first.peer)];
  if (first.kind == StandInCall::Kind::kAllGather) result = at::cat(inputs);
  if (first.kind == StandInCall::Kind::kAllReduce || scatter) {
    for (std::size_t rank = 1; rank < inputs.size(); ++rank) accumulate(result, inputs[rank], first.op);
  }
  const auto count = static_cast<std::int64_t>(first.count);
  for (std::size_t rank = 0; rank < queues_.size(); ++rank) {
    const at::Tensor own = scatter ? result.narrow(0, static_cast<std::int64_t>(rank) * count, count) : result;
    view(queues_[rank].front().front().receive, static_cast<std::size_t>(own.numel()), first.dtype).copy_(own);
    pop(rank);
  }
  return true;
}

bool StandInGroup::run_message(std::size_t sender, std::size_t receiver) {
  if (queues_[sender].empty() || queues_[receiver].empty()) return false;
  Unit& from = queues_[sender].front();
  Unit& to = queues_[receiver].front();
  const auto find = [](Unit& unit, StandInCall::Kind kind, std::size_t peer) {
    return std::find_if(unit.begin(), unit.end(), [&](const StandInCall& call) {
      return call.kind == kind && call.peer == static_cast<int>(peer);
    });
  };
  const auto sent = find(from, StandInCall::Kind::kSend, receiver);
  const auto awaited = find(to, StandInCall::Kind::kReceive, sender);
  if (sent == from.end() || awaited == to.end()) return false;
  if (sent->count != awaited->count || sent->dtype != awaited->dtype) {
    throw std::logic_error("a receive of another size than its send");
  }
  view(awaited->receive, awaited->count, awaited->dtype).copy_(view(sent->send, sent->count, sent->dtype));
  // Looked up again: in a message to oneself the first erasure moves what the second iterator points to.
  from.erase(sent);
  to.erase(find(to, StandInCall::Kind::kReceive, sender));
  if (to.empty()) pop(receiver);
  if (sender != receiver && from.empty()) pop(sender);
  return true;
}

}  // namespace negatron::testing
