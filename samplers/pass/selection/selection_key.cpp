#include "samplers/pass/selection/selection_key.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <ATen/Parallel.h>

namespace negatron {
namespace {

/// Stands in for a random number 0, whose Gumbel number would be infinite: half the distance to the next.
constexpr double kLeastUniform = 0x1.0p-33;

constexpr std::int64_t kSlotBits = 32;
constexpr std::int64_t kSlotMask = (std::int64_t{1} << kSlotBits) - 1;
constexpr std::int32_t kSignBit = std::numeric_limits<std::int32_t>::min();
constexpr float kWorstScore = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kLanes = 4;
constexpr double kUnitPerWord = 0x1.0p-32;

/// The int32 image of fp32 scores whose ascending order is best first: the bits of a float ascend with its size, as
/// those of an integer of sign and magnitude do.
at::Tensor image_of(const at::Tensor& scores) {
  // Adding 0 turns -0 into +0: equal scores must tie.
  const at::Tensor bits = scores.to(at::kFloat).add(0.0).contiguous().view(at::kInt);
  // Of scores at or above 0 the bits ascend with the score, and ~ turns the order round. Of scores below 0 they ascend
  // as the score falls, which is right already; without the sign bit these images are at or above 0, behind all others.
  return at::where(bits < 0, bits.bitwise_xor(kSignBit), bits.bitwise_not());
}

at::Tensor score_of_image(const at::Tensor& image) {
  return at::where(image < 0, image.bitwise_not(), image.bitwise_xor(kSignBit)).contiguous().view(at::kFloat);
}

at::Tensor upper_half(const at::Tensor& image) {
  return image.to(at::kLong).bitwise_left_shift_(kSlotBits);
}

/// Positions of slots in ascending order of the slots: neighbours then share a block of random numbers.
std::vector<std::int64_t> ascending(const std::int64_t* slots, std::int64_t count) {
  std::vector<std::int64_t> positions(static_cast<std::size_t>(count));
  std::iota(positions.begin(), positions.end(), std::int64_t{0});
  std::sort(positions.begin(), positions.end(),
            [slots](std::int64_t a, std::int64_t b) { return slots[a] < slots[b]; });
  return positions;
}

}  // namespace

at::Tensor selection_keys(const at::Tensor& scores, const at::Tensor& slots) {
  // The lower half of the image's place is 0, so adding the slot fills it. A hole's slot of -1 borrows from the image,
  // but a hole is no candidate, and its key is replaced.
  return upper_half(image_of(scores)) + slots;
}

at::Tensor scores_of_keys(const at::Tensor& keys) {
  return score_of_image(keys.bitwise_right_shift(kSlotBits).to(at::kInt))
      .masked_fill_(keys == kAfterAllKeys, kWorstScore);
}

at::Tensor slots_of_keys(const at::Tensor& keys) {
  return keys.bitwise_and(kSlotMask).masked_fill_(keys == kAfterAllKeys, -1);
}

at::Tensor first_key_at(const at::Tensor& scores) {
  return upper_half(image_of(scores));
}

at::Tensor first_key_below(const at::Tensor& scores) {
  // The next image belongs to the next lower fp32 number: keys from there on are of lower scores, whatever their slots.
  return upper_half(image_of(scores).add_(1));
}

at::Tensor slot_uniforms(const SelectionOrder& order, const at::Tensor& query_index, const at::Tensor& slots) {
  if (order.step < 0 || (order.step >> 32) != 0) {
    throw std::invalid_argument("selection: the step of a random order must lie in [0, 2^32)");
  }
  // On the host, because every device must draw the same numbers. One block of the generator serves four neighbouring
  // slots, which is why slots are visited in order: numbers 4 b to 4 b + 3 are the words of block b.
  const at::Tensor host_queries = query_index.to(at::kCPU, at::kLong).contiguous();
  const at::Tensor host_slots = slots.to(at::kCPU, at::kLong).contiguous();
  const std::int64_t* query = host_queries.const_data_ptr<std::int64_t>();
  const std::int64_t* slot = host_slots.const_data_ptr<std::int64_t>();
  const std::int64_t count = host_slots.numel();
  const std::vector<std::int64_t> positions = ascending(slot, count);
  const std::array<std::uint32_t, 2> key = stream_key(order.seed, order.purpose);
  const auto step = static_cast<std::uint32_t>(order.step);

  const at::Tensor uniforms = at::empty({host_queries.numel(), count}, at::kDouble);
  auto* values = uniforms.mutable_data_ptr<double>();
  at::parallel_for(0, host_queries.numel(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto low = static_cast<std::uint32_t>(query[i]);
      const auto high = static_cast<std::uint32_t>(query[i] >> 32);
      std::int64_t block = -1;
      std::array<std::uint32_t, kLanes> words{};
      for (const std::int64_t position : positions) {
        // Holes have slot -1: whatever number they get, they are no candidates.
        const std::int64_t place = slot[position] & kSlotMask;
        if (place / kLanes != block) {
          block = place / kLanes;
          words = philox4x32_10({static_cast<std::uint32_t>(block), low, high, step}, key);
        }
        values[i * count + position] =
            static_cast<double>(words[static_cast<std::size_t>(place % kLanes)]) * kUnitPerWord;
      }
    }
  });
  return uniforms.to(slots.device());
}

at::Tensor gumbels_of(const at::Tensor& uniforms) {
  // -log(-log u). -log u is above 0, because u is below 1.
  return uniforms.clamp_min(kLeastUniform).log_().neg_().log_().neg_();
}

}  // namespace negatron
