#include "runtime/evaluation/alignment_uniformity.h"

#include <cmath>
#include <limits>
#include <vector>

namespace negatron {

namespace {

// Rows whose scores against everything are held at one time.
constexpr std::int64_t kScoredRows = 512;

std::vector<std::int64_t> row_counts(Communicator& comm, const at::Tensor& x) {
  const at::Tensor own = at::full({1}, x.size(0), at::TensorOptions(at::kLong).device(x.device()));
  const at::Tensor counts = comm.all_gather(own).to(at::kCPU);
  return {counts.data_ptr<std::int64_t>(), counts.data_ptr<std::int64_t>() + counts.numel()};
}

}  // namespace

double alignment(Communicator& comm, const at::Tensor& x, const at::Tensor& y, double exponent) {
  const at::Tensor distances = (x - y).to(at::kDouble).norm(2, 1).pow(exponent);  // [n]
  at::Tensor totals = at::stack({distances.sum(), at::full({}, x.size(0), distances.options())});
  comm.all_reduce(totals, ReduceOp::kSum);
  // 0 / 0 without a pair: NaN, as documented.
  return totals[0].item<double>() / totals[1].item<double>();
}

// Rows have length 1, so |x - y|^2 = 2 - 2 x.y, and exp(-t |x - y|^2) = exp(2t x.y - 2t): one matrix product gives all
// pairs, and sums stay in the logarithm, where they cannot underflow. Example: two opposite rows have x.y = -1; the
// log-sum-exp over both ordered pairs is log 2 - 2t, and log 2 - 2t - log 2 - 2t = -4t, as |x - y|^2 = 4 asks for.
double uniformity(Communicator& comm, const at::Tensor& x, double t) {
  const std::vector<std::int64_t> counts = row_counts(comm, x);
  std::int64_t total = 0;
  std::int64_t first_own = 0;
  for (int rank = 0; rank < comm.size(); ++rank) {
    if (rank == comm.rank()) first_own = total;
    total += counts[static_cast<std::size_t>(rank)];
  }
  const at::Tensor all = comm.all_gather(x.contiguous(), counts);  // [n, D]

  at::Tensor own_sums = at::empty({x.size(0)}, x.options().dtype(at::kDouble));  // [n_r]: LSE over j != i
  for (std::int64_t begin = 0; begin < x.size(0); begin += kScoredRows) {
    const at::Tensor rows = x.slice(0, begin, begin + kScoredRows);
    at::Tensor scores = at::mm(rows, all.t()).to(at::kDouble).mul_(2.0 * t);  // [tile, n]
    // Row i of the tile is global row first_own + begin + i: it does not meet itself.
    scores.diagonal(first_own + begin).slice(0, 0, rows.size(0)).fill_(-std::numeric_limits<double>::infinity());
    own_sums.slice(0, begin, begin + kScoredRows).copy_(at::logsumexp(scores, 1));
  }
  const at::Tensor sums = comm.all_gather(own_sums, counts);  // [n]
  if (total < 2) return std::numeric_limits<double>::quiet_NaN();
  const double pairs = static_cast<double>(total) * static_cast<double>(total - 1);
  return at::logsumexp(sums, 0).item<double>() - std::log(pairs) - 2.0 * t;
}

}  // namespace negatron
