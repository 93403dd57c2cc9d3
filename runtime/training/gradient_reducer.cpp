#include "runtime/training/gradient_reducer.h"

#include <optional>
#include <stdexcept>

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "comm/work.h"

namespace negatron {

struct GradientReducer::Bucket {
  std::vector<std::size_t> members;  // indices into parameters_
  std::vector<at::Tensor> slices;    // views of `flat` in the shapes of the members
  at::Tensor flat;                   // [sum of the members' sizes]
  std::size_t ready = 0;
  std::optional<Work> work;
};

class GradientReducer::Hook : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientReducer& reducer, std::size_t bucket) : reducer_(reducer), bucket_(bucket) {}
  void operator()(const torch::autograd::Variable&) override { reducer_.gradient_ready(bucket_); }

 private:
  GradientReducer& reducer_;
  std::size_t bucket_;
};

GradientReducer::GradientReducer(Communicator& communicator, std::vector<at::Tensor> parameters,
                                 std::int64_t bucket_bytes)
    : communicator_(communicator), parameters_(std::move(parameters)) {
  if (bucket_bytes < 1) throw std::invalid_argument("A gradient bucket must hold at least one byte.");
  if (communicator_.size() == 1) return;
  pack(bucket_bytes);
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    for (const std::size_t member : buckets_[b]->members) {
      torch::autograd::impl::set_post_acc_grad_hooks(parameters_[member], std::make_unique<Hook>(*this, b));
    }
  }
}

GradientReducer::~GradientReducer() {
  for (const std::unique_ptr<Bucket>& bucket : buckets_) {
    for (const std::size_t member : bucket->members) {
      torch::autograd::impl::set_post_acc_grad_hooks(parameters_[member], nullptr);
    }
  }
}

// Example: parameters A, B, C, D of 3, 2, 1 and 1 MiB in registration order and buckets of 4 MiB. From the back D, C
// and B fill bucket 0, and A goes into bucket 1: backward completes bucket 0 while A's gradient is still to come. A
// parameter larger than a bucket has one for itself.
void GradientReducer::pack(std::int64_t bucket_bytes) {
  std::int64_t bytes = 0;
  for (std::size_t i = parameters_.size(); i-- > 0;) {
    const at::Tensor& parameter = parameters_[i];
    const std::int64_t parameter_bytes = parameter.numel() * parameter.element_size();
    const bool fits = !buckets_.empty() && bytes + parameter_bytes <= bucket_bytes &&
                      parameters_[buckets_.back()->members.front()].options().type_equal(parameter.options());
    if (!fits) {
      buckets_.push_back(std::make_unique<Bucket>());
      bytes = 0;
    }
    buckets_.back()->members.push_back(i);
    bytes += parameter_bytes;
  }
  for (const std::unique_ptr<Bucket>& bucket : buckets_) {
    std::int64_t elements = 0;
    for (const std::size_t member : bucket->members) elements += parameters_[member].numel();
    bucket->flat = at::empty({elements}, parameters_[bucket->members.front()].options().requires_grad(false));
    std::int64_t offset = 0;
    for (const std::size_t member : bucket->members) {
      const at::Tensor& parameter = parameters_[member];
      bucket->slices.push_back(bucket->flat.narrow(0, offset, parameter.numel()).view(parameter.sizes()));
      offset += parameter.numel();
    }
  }
}

void GradientReducer::gradient_ready(std::size_t index) {
  if (holds_) return;
  Bucket& bucket = *buckets_[index];
  if (bucket.ready == bucket.members.size()) {
    throw std::logic_error("GradientReducer: a second backward pass began before reduce().");
  }
  ++bucket.ready;
  // Bucket 1 may be complete before bucket 0; it waits then, since ranks that start collectives in different orders
  // hang or sum gradients of different parameters.
  while (next_bucket_ < buckets_.size() && buckets_[next_bucket_]->ready == buckets_[next_bucket_]->members.size()) {
    start(*buckets_[next_bucket_++]);
  }
}

void GradientReducer::start(Bucket& bucket) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < bucket.members.size(); ++i) {
    const at::Tensor& gradient = parameters_[bucket.members[i]].grad();
    if (gradient.defined()) {
      bucket.slices[i].copy_(gradient);
    } else {
      bucket.slices[i].zero_();
    }
  }
  bucket.work.emplace(communicator_.start_all_reduce(bucket.flat, ReduceOp::kSum));
}

void GradientReducer::drop_gradients() {
  for (at::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
}

void GradientReducer::reduce() {
  const at::NoGradGuard no_grad;
  // Parameters that this loss did not reach have no hook called: their buckets start here, with zeros for them, so
  // that every rank still takes part in the same collectives.
  while (next_bucket_ < buckets_.size()) start(*buckets_[next_bucket_++]);
  for (const std::unique_ptr<Bucket>& bucket : buckets_) {
    bucket->work->wait();
    bucket->work.reset();
    bucket->ready = 0;
    for (std::size_t i = 0; i < bucket->members.size(); ++i) {
      at::Tensor& gradient = parameters_[bucket->members[i]].mutable_grad();
      // A view of the bucket, not a copy: the next step's gradients are new tensors (drop_gradients sets them to none).
      gradient = bucket->slices[i];
    }
  }
  next_bucket_ = 0;
}

}  // namespace negatron
