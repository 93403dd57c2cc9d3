#include "runtime/data/holdout.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "runtime/data/orders/epoch_order.h"

namespace negatron {
namespace {

constexpr std::string_view kLast = "last:";
constexpr std::string_view kDrawn = "drawn:";
/// kNN's subsets are step 0 of the same purpose.
constexpr std::uint64_t kHoldoutStep = 1;

/// How many of each class: sizes [classes] int64 -> as many, `count` in all.
/// Example: classes of 5, 3 and 2, of which 4 are taken. The shares are 2.0, 1.2 and 0.8; whole are 2, 1 and 0, and the
/// fourth goes to the largest remainder: 2, 1, 1.
std::vector<std::int64_t> shares_of(const std::vector<std::int64_t>& sizes, std::int64_t count) {
  const std::int64_t all = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  std::vector<std::int64_t> shares, remainders;
  for (const std::int64_t size : sizes) {
    shares.push_back(size * count / all);
    remainders.push_back(size * count % all);
  }
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return remainders[a] > remainders[b]; });
  const std::int64_t given = std::accumulate(shares.begin(), shares.end(), std::int64_t{0});
  for (std::int64_t i = 0; i < count - given; ++i) ++shares[order[static_cast<std::size_t>(i)]];
  return shares;
}

/// A mark for each image that is drawn: [samples] bool.
at::Tensor drawn_images(std::int64_t samples, const at::Tensor& labels, std::int64_t count) {
  // Images without labels are one class.
  const at::Tensor classes = labels.defined() ? labels : at::zeros({samples}, at::kLong);
  const at::Tensor by_class = classes.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/false);
  const at::Tensor counts = at::bincount(classes);
  const auto* first = counts.const_data_ptr<std::int64_t>();
  const std::vector<std::int64_t> sizes(first, first + counts.numel());
  const std::vector<std::int64_t> shares = shares_of(sizes, count);
  at::Tensor marks = at::zeros({samples}, at::kBool);
  std::int64_t begin = 0;
  for (std::size_t label = 0; label < sizes.size(); ++label) {
    const at::Tensor members = by_class.narrow(0, begin, sizes[label]);
    const at::Tensor order = random_permutation(sizes[label], CounterRng(0, Purpose::kEvaluation, kHoldoutStep, label));
    marks.index_fill_(0, members.index_select(0, order.narrow(0, 0, shares[label])), true);
    begin += sizes[label];
  }
  return marks;
}

}  // namespace

Holdout parse_holdout(const std::string& text) {
  std::string_view number = text;
  Holdout holdout;
  if (number.starts_with(kLast)) {
    holdout.drawn = false;
    number.remove_prefix(kLast.size());
  } else if (number.starts_with(kDrawn)) {
    number.remove_prefix(kDrawn.size());
  }
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), holdout.count);
  if (error != std::errc() || end != number.data() + number.size() || holdout.count < 0) {
    throw std::invalid_argument("--holdout is '" + text +
                                "', expected how many training images are drawn for evaluation (500), or last:500 for "
                                "the last ones.");
  }
  if (holdout.count == 0) holdout.drawn = true;
  return holdout;
}

std::string text_of(const Holdout& holdout) {
  if (holdout.count == 0) return "0";
  return std::string(holdout.drawn ? kDrawn : kLast) + std::to_string(holdout.count);
}

HeldOut hold_out(std::int64_t samples, const at::Tensor& labels, const Holdout& holdout) {
  const std::int64_t kept = samples - holdout.count;
  if (kept < 1) {
    throw std::invalid_argument("--holdout " + std::to_string(holdout.count) + " leaves nothing of the " +
                                std::to_string(samples) + " training samples.");
  }
  if (!holdout.drawn) return {at::arange(kept, at::kLong), at::arange(kept, samples, at::kLong)};
  const at::Tensor marks = drawn_images(samples, labels, holdout.count);
  return {marks.logical_not().nonzero().flatten(), marks.nonzero().flatten()};
}

}  // namespace negatron
