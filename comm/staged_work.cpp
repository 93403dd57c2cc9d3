#include "comm/staged_work.h"

#include <utility>

#include "comm/patience.h"

namespace negatron {
namespace {

std::int64_t bytes_in(const at::Tensor& tensor) {
  return static_cast<std::int64_t>(tensor.nbytes());
}

class StagedPending : public Work::Pending {
 public:
  StagedPending(const Staging& staging, at::Tensor tensor, at::Tensor copy, std::unique_ptr<Work::Pending> pending,
                std::function<void(std::int64_t)> count)
      : staging_(staging),
        tensor_(std::move(tensor)),
        copy_(std::move(copy)),
        pending_(std::move(pending)),
        count_(std::move(count)) {}

  bool done() override { return pending_->done(); }

  at::Tensor finish() override {
    // The host has no stream that could wait in its place. It looks instead of waiting in the copy below, because looks
    // throw when the collective has failed or is over its limit, and a copy from a device knows no limit.
    if (tensor_.is_cpu()) {
      const Patience patience;
      while (!pending_->done()) patience.pause();
    }
    const at::Tensor result = pending_->finish();
    const at::Tensor target =
        result.is_same(copy_) ? tensor_ : at::empty(result.sizes(), result.options().device(tensor_.device()));
    staging_.give_back(result, target);
    count_(bytes_in(result));
    return target;
  }

 private:
  const Staging& staging_;
  at::Tensor tensor_;
  at::Tensor copy_;
  std::unique_ptr<Work::Pending> pending_;
  std::function<void(std::int64_t)> count_;
};

}  // namespace

std::unique_ptr<Work::Pending> run_staged(const Staging& staging, const at::Tensor& tensor,
                                          const std::function<std::unique_ptr<Work::Pending>(const at::Tensor&)>& run,
                                          std::function<void(std::int64_t)> count) {
  const at::Tensor copy = staging.bring(tensor);
  std::unique_ptr<Work::Pending> pending = run(copy);
  count(bytes_in(copy));
  return std::make_unique<StagedPending>(staging, tensor, copy, std::move(pending), std::move(count));
}

}  // namespace negatron
