#include "samplers/pass/cpu/query_panels.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "samplers/pass/score_term.h"

namespace negatron {
namespace {

/// Nearest bf16, ties to even; finite numbers.
std::uint32_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  // Adding one less than half a unit of the last bit that stays, and one more where that bit is 1, carries exactly if
  // the number is to be rounded up; a tie goes to the even neighbour.
  constexpr std::uint32_t kHalfMinusOne = 0x7fff;
  return (bits + kHalfMinusOne + ((bits >> 16) & 1u)) >> 16;
}

float from_bf16(std::uint32_t half) {
  return std::bit_cast<float>(half << 16);
}

/// What is left of a number after `parts` parts, at most 2.
/// Both differences are exact in fp32. 1 + 2^-9 leaves 2^-9 after the first part, which is 1 (bf16 has 8 bits, steps of
/// 2^-7 there), and nothing after the second.
float rest_of(float number, int parts) {
  for (int part = 0; part < parts; ++part) number -= from_bf16(to_bf16(number));
  return number;
}

/// The bf16 pair of numbers 2 w and 2 w + 1, of what is left of them after `part` parts.
float pair_word(const float* query, std::int64_t width, std::int64_t w, int part) {
  std::uint32_t word = 0;
  for (std::int64_t i = 2 * w; i < std::min(2 * w + 2, width); ++i) {
    word |= to_bf16(rest_of(query[i], part)) << (i % 2 == 0 ? 0 : 16);
  }
  return std::bit_cast<float>(word);
}

/// The length of what `parts` parts leave of a query.
double length_of_rest(const float* query, std::int64_t width, int parts) {
  double square = 0.0;
  for (std::int64_t i = 0; i < width; ++i) {
    const double rest = rest_of(query[i], parts);
    square += rest * rest;
  }
  return std::sqrt(square);
}

}  // namespace

QueryPanels::QueryPanels(const at::Tensor& queries, const PassKernel& kernel, int parts) {
  const at::Tensor own = queries.contiguous();
  const std::int64_t count = own.size(0);
  const std::int64_t width = own.size(1);
  const auto* values = own.const_data_ptr<float>();
  if (kernel.pairs) parts_ = parts;
  vectors_ = (count + kernel.lanes - 1) / kernel.lanes;
  const std::int64_t words = kernel.query_words(width);
  words_ = parts_ * words;
  panels_ = at::zeros({vectors_ * kernel.lanes * words_}, own.options());

  const std::int64_t group = kernel.lanes * kernel.vectors;
  auto* panels = panels_.data_ptr<float>();
  for (std::int64_t q = 0; q < count; ++q) {
    const std::int64_t first = q / group * group;
    // 70 queries in groups of 64 and lanes of 16: the first group has g = 64, the second 16, of which 6 are queries.
    // Groups before this one take words_ numbers for each of their queries, so it begins at first * words_.
    const std::int64_t g = std::min(group, vectors_ * kernel.lanes - first);
    float* panel = panels + first * words_ + (q - first);
    const float* query = values + q * width;
    rounding_.push_back(kernel.pairs ? length_of_rest(query, width, parts_) : 0.0);
    for (std::int64_t w = 0; w < words_; ++w) {
      // Number w of all queries of the group lies together, one lane each: a kernel loads vectors along queries. Parts
      // follow each other, [parts][words][g].
      panel[w * g] = kernel.pairs ? pair_word(query, width, w % words, static_cast<int>(w / words)) : query[w];
    }
  }
}

const float* QueryPanels::from(std::int64_t query) const {
  return panels_.const_data_ptr<float>() + query * words_;
}

}  // namespace negatron
