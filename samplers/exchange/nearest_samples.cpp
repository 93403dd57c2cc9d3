#include "samplers/exchange/nearest_samples.h"

#include <algorithm>
#include <vector>

#include <ATen/core/grad_mode.h>

#include "comm/require.h"
#include "samplers/pass/selection/selection_key.h"

namespace negatron {
namespace {

/// Queries of a rank at a time: a few megabytes of lists, and products large enough for any machine.
constexpr std::int64_t kBlock = 512;

/// The part of own rows that is block `block`.
Range rows_of_block(std::int64_t rows, std::int64_t block) {
  return {std::min(rows, block * kBlock), std::min(rows, (block + 1) * kBlock)};
}

/// How long lists are follows the searches of training, which those of mining must not show in.
class KeptStretch {
 public:
  explicit KeptStretch(HardSetSearch& search) : search_(search), stretch_(search.stretch()) {
    search_.restore_stretch(1.0);
  }
  ~KeptStretch() { search_.restore_stretch(stretch_); }
  KeptStretch(const KeptStretch&) = delete;
  KeptStretch& operator=(const KeptStretch&) = delete;

 private:
  HardSetSearch& search_;
  double stretch_;
};

}  // namespace

void nearest_samples(Communicator& group, const Bank& bank, BankExchange& exchange, std::int64_t nearest,
                     const TakeNearest& take, const std::function<void()>& pause) {
  const at::NoGradGuard no_grad;
  require(rows_have_samples(bank.kind()), "nearest_samples: the rows of this bank have no samples");
  require(nearest >= 1, "nearest_samples: at least one row is looked for");
  const KeptStretch kept(exchange.hard_set_search());
  const at::Tensor& vectors = bank.shard().rows.vectors;
  const at::ScalarType type = vectors.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;

  NegativeRequest request;
  request.sets.clear();
  request.report_hardest = nearest;
  request.needs_largest = false;
  // The largest share has the most blocks; ranks whose share is smaller may have no query in the last one.
  const std::int64_t blocks = (share(bank.capacity(), group.size(), 0).size() + kBlock - 1) / kBlock;
  for (std::int64_t block = 0; block < blocks; ++block) {
    if (pause) pause();
    QueryBatch batch;
    // Whose rows they are is arithmetic, so that numbers need not travel.
    std::vector<at::Tensor> ids;
    for (int rank = 0; rank < group.size(); ++rank) {
      const Range own = share(bank.capacity(), group.size(), rank);
      const Range rows = rows_of_block(own.size(), block);
      batch.shares.sizes.push_back(rows.size());
      ids.push_back(at::arange(own.begin + rows.begin, own.begin + rows.end, at::kLong));
    }
    batch.all_ids = at::cat(ids);
    batch.ids = ids[static_cast<std::size_t>(group.rank())];
    const Range rows = rows_of_block(share(bank.capacity(), group.size(), group.rank()).size(), block);
    batch.queries = vectors.slice(0, rows.begin, rows.end).to(type);
    const NegativeResult result = exchange.run(group, bank, batch, request, {});
    take(rows, slots_of_keys(result.hardest).cpu());
  }
}

}  // namespace negatron
