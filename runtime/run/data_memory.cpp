#include "runtime/run/data_memory.h"

#include <algorithm>

#include "comm/share.h"

namespace negatron {
namespace {

std::int64_t view_bytes(const PretrainData& data, const ImageSize& view) {
  return data.train->channels() * view.height * view.width * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

std::int64_t image_bytes(const PretrainData& data) {
  return data.train->bytes_in_memory() + (data.test == nullptr ? 0 : data.test->bytes_in_memory());
}

BatchQueue batch_queue(const PretrainOptions& options, const PretrainData& data, const ImageSize& view, int ranks,
                       std::int64_t views) {
  constexpr std::int64_t kMostBatches = 4;
  BatchQueue queue;
  queue.batch_bytes = views * share(options.global_batch, ranks, 0).size() * view_bytes(data, view);
  const std::int64_t left = options.data_memory - image_bytes(data);
  queue.batches = static_cast<int>(std::clamp<std::int64_t>(left / queue.batch_bytes, 1, kMostBatches));
  return queue;
}

std::int64_t pixel_rows(const PretrainOptions& options, const PretrainData& data, const ImageSize& view) {
  return options.data_memory / view_bytes(data, view);
}

}  // namespace negatron
