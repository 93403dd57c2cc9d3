#include "runtime/run/mined_samples.h"

#include <algorithm>

#include "comm/queued_copy.h"
#include "comm/require.h"
#include "comm/share.h"
#include "runtime/data/orders/epoch_order.h"
#include "samplers/exchange/nearest_samples.h"
#include "samplers/random/philox.h"

namespace negatron {

at::Tensor mined_samples(Communicator& group, const Bank& bank, BankExchange& exchange, const MinedDraw& draw,
                         const std::function<void()>& pause) {
  const Mining& mining = draw.mining;
  require(bank.capacity() > mining.drawn, "mined_samples: there are fewer samples than are drawn for each");
  const std::int64_t nearest = std::min(mining.nearest, bank.capacity() - 1);
  const Range own = share(bank.capacity(), group.size(), group.rank());
  at::Tensor drawn = at::empty({own.size(), mining.drawn}, at::kLong);
  const auto take = [&](const Range& rows, const at::Tensor& near) {
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const CounterRng random(draw.seed, Purpose::kMinedDraw, static_cast<std::uint64_t>(draw.step),
                              static_cast<std::uint64_t>(own.begin + row));
      const at::Tensor places = random_permutation(nearest, random).narrow(0, 0, mining.drawn);
      drawn.select(0, row).copy_(near.select(0, row - rows.begin).index_select(0, places));
    }
  };
  nearest_samples(group, bank, exchange, nearest, take, pause);
  const at::Device place = bank.shard().rows.vectors.device();
  return group.all_gather(queued_copy(drawn, place), share_sizes(bank.capacity(), group.size())).cpu();
}

}  // namespace negatron
