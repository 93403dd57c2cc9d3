#include "tests/samplers/pass/cuda/emulated_device.h"

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "samplers/pass/cuda/merge_slices.h"
#include "samplers/pass/cuda/scan_block.h"
#include "samplers/pass/cuda/score_list.h"
#include "tests/samplers/pass/cuda/emulated_block.h"

namespace negatron::testing {
namespace {

constexpr std::size_t kSharedAlignment = 128;

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

}  // namespace

void EmulatedDevice::scan(const BankScan& scan) const {
  const bool known = with_scan_shape(scan.width, scan.terms, [&](auto shape) {
    using Shape = decltype(shape);
    const std::unique_ptr<void, Free> memory(
        std::aligned_alloc(kSharedAlignment, static_cast<std::size_t>(Shape::shared_bytes(scan.parts))));
    auto* shared = static_cast<std::uint16_t*>(memory.get());
    const int blocks = (scan.query_count + Shape::kQueries - 1) / Shape::kQueries;
    const int all = blocks * scan.slices;
    EmulatedBlock block(Shape::kThreads, order_);
    for (int i = 0; i < all; ++i) {
      const int place = order_ == 0 ? i : all - 1 - i;
      block.run(place % blocks, place / blocks,
                [&](const EmulatedThread& thread) { scan_block<Shape>(thread, scan, shared); });
    }
  });
  if (!known) throw std::logic_error("a scan of a shape that no kernel has");
}

void EmulatedDevice::merge(const SliceMerge& merge) const {
  for (std::int32_t query = 0; query < merge.query_count; ++query) {
    for (int column = 0; column < merge.width; ++column) merge_slices(merge, query, column);
  }
}

void EmulatedDevice::score(const ListScoring& lists) const {
  for (std::int32_t query = 0; query < lists.query_count; ++query) {
    for (std::int32_t place = 0; place < lists.capacity; ++place) score_list(lists, query, place);
  }
}

}  // namespace negatron::testing
