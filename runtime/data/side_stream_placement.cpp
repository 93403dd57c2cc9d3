// A batch's way to a GPU, beside what trains there.

#include <mutex>
#include <utility>
#include <vector>

#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "runtime/data/batch_placement.h"

namespace negatron {
namespace {

class SideStreamPlacement : public BatchPlacement {
 public:
  explicit SideStreamPlacement(c10::DeviceIndex device)
      : stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device)) {}

  Batch place(Batch batch) const override {
    const c10::cuda::CUDAStreamGuard here(stream_);
    make_views(batch);
    std::vector<at::Tensor> placed;
    for (at::Tensor* view : batch.views()) {
      // The cache of pinned memory hands the block out again when this stream has read it.
      if (view->is_cpu()) *view = view->pin_memory().to(stream_.device(), view->scalar_type(), /*non_blocking=*/true);
      placed.push_back(*view);
    }
    auto copied = std::make_shared<at::cuda::CUDAEvent>();
    copied->record(stream_);
    batch.arrive = [copied, device = stream_.device_index(), views = std::move(placed)] {
      const c10::cuda::CUDAStream user = c10::cuda::getCurrentCUDAStream(device);
      copied->block(user);
      // This memory belongs to the side stream, which must not have it back before its user is done.
      for (const at::Tensor& view : views) {
        c10::cuda::CUDACachingAllocator::recordStream(view.storage().data_ptr(), user);
      }
    };
    return batch;
  }

 private:
  /// One batch at a time: what making takes beside the views is there once, however many threads build batches.
  void make_views(Batch& batch) const {
    const std::lock_guard lock(making_);
    batch.make_views_on(stream_.device());
  }

  c10::cuda::CUDAStream stream_;
  mutable std::mutex making_;
};

}  // namespace

std::shared_ptr<const BatchPlacement> side_stream_placement(at::Device device) {
  return std::make_shared<SideStreamPlacement>(device.index());
}

}  // namespace negatron
