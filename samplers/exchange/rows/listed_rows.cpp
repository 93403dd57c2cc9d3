#include "samplers/exchange/rows/listed_rows.h"

#include "comm/require.h"

namespace negatron {

ListedRows::ListedRows(Communicator& group, const Bank& bank, const at::Tensor& slots, at::ScalarType type)
    : group_(group) {
  require(slots.dim() == 2 && (slots >= 0).all().item<bool>(), "ListedRows: slots must be [b, U] of rows there are");
  FetchedRows fetched = fetch_rows(group, bank, slots);
  route_ = std::move(fetched.route);
  leaf_ = fetched.rows.to(type).requires_grad_();
  const at::AutoGradMode with_gradient(true);
  vectors_ = leaf_.index_select(0, fetched.index.flatten()).view({slots.size(0), slots.size(1), bank.width()});
}

// Example with 2 ranks, as in fetch_rows(): this rank named slots 7, 3, 7, so of its two leaves the one of slot 7 has
// the sum of two gradients. That of slot 3 stays here and that of slot 7 goes to its owner, which remembers by `wanted`
// of which row it is. Had the other rank named slot 7 as well, the owner would add both.
GradientOfRows ListedRows::gradient() const {
  const at::NoGradGuard no_grad;
  const at::Tensor& arrived = leaf_.grad();
  const at::Tensor values = arrived.defined() ? arrived : at::zeros_like(leaf_);
  const at::Tensor came =
      group_.all_to_all(values.index_select(0, route_.order), route_.asked, route_.asked_of_us);  // [A, d]
  return summed_by_row(route_.wanted, came);
}

}  // namespace negatron
