#include "samplers/contrast/hard_set_report.h"

#include <algorithm>
#include <cstdio>

#include "samplers/exchange/rows/row_fetch.h"
#include "samplers/pass/selection/selection_key.h"

namespace negatron {
namespace {

constexpr int kBins = 10;

std::string bin_name(int bin) {
  char text[16];
  std::snprintf(text, sizeof text, "hard_bin_%.1f", static_cast<double>(bin) / kBins);
  return text;
}

/// The step that wrote each slot, -1 for rows of the start and for no row.
at::Tensor steps_of(const BankLayout& layout, const at::Tensor& slots) {
  at::Tensor steps = at::full_like(slots, -1);
  const auto* slot = slots.const_data_ptr<std::int64_t>();
  auto* step = steps.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < slots.numel(); ++i) {
    if (slot[i] >= 0) step[i] = layout.batch_of(slot[i])->step;
  }
  return steps;
}

/// Mean over the entries of each row where `counted` holds, summed over rows; rows without any add 0.
at::Tensor sum_of_means(const at::Tensor& values, const at::Tensor& counted) {
  const at::Tensor counts = counted.sum(1).clamp_min(1);
  return ((values.to(at::kDouble) * counted).sum(1) / counts).sum();
}

}  // namespace

std::map<std::string, at::Tensor> report_hard_sets(Communicator& group, const Bank& bank,
                                                   const NegativeResult& negatives, const at::Tensor& labels,
                                                   std::int64_t step, std::int64_t last_look) {
  const std::int64_t queries = std::min(kReportedQueries, negatives.hardest.size(0));
  const at::Tensor keys = negatives.hardest.narrow(0, 0, queries);
  const at::Tensor slots = slots_of_keys(keys).cpu().contiguous();
  const at::Tensor scores = scores_of_keys(keys).cpu().to(at::kDouble);
  const at::Tensor present = slots >= 0;
  const at::Tensor steps = steps_of(bank.layout(), slots);
  const at::Tensor aged = steps >= 0;

  std::map<std::string, at::Tensor> sums;
  sums["queries"] = at::scalar_tensor(queries, at::kDouble);
  // Present entries come first, best first, so the last of them is at their number less one. A query without any has
  // scores of -infinity, which are left out of the sums.
  const at::Tensor last = present.sum(1, true).sub(1).clamp_min(0);
  const at::Tensor any = present.select(1, 0);
  sums["hard_score_first"] = scores.select(1, 0).masked_fill(~any, 0.0).sum();
  sums["hard_score_last"] = scores.gather(1, last).squeeze(1).masked_fill(~any, 0.0).sum();
  sums["hard_age"] = sum_of_means(step - steps, aged);
  sums["hard_turnover"] = sum_of_means(steps >= last_look, present);
  for (int bin = 0; bin < kBins; ++bin) {
    const double low = static_cast<double>(bin) / kBins;
    // The last bin has no upper end, since rounding may take a score above 1; scores below 0 are in no bin.
    const at::Tensor inside = (scores >= low) & (bin + 1 < kBins ? scores < low + 1.0 / kBins : present) & present;
    sums[bin_name(bin)] = inside.sum().to(at::kDouble);
  }
  // Rows of an adversary are no sample's, and have no label.
  if (labels.defined() && bank.options().kind != BankKind::kLearned) {
    // Collective; labels are there on all ranks or on none, as they come with the data.
    const FetchedRows rows = fetch_rows(group, bank, slots_of_keys(keys));
    const at::Tensor fetched = at::cat({rows.labels.cpu(), at::full({1}, -1, at::kLong)});
    // Index -1, for no row, reads the appended "unknown".
    const at::Tensor index = rows.index.cpu();
    const at::Tensor row_labels =
        fetched.index_select(0, index.where(index >= 0, at::full_like(index, fetched.size(0) - 1)).flatten())
            .view_as(index);
    const at::Tensor own = labels.narrow(0, 0, queries).cpu().unsqueeze(1);
    sums["hard_same_label"] = sum_of_means((row_labels == own) & (own >= 0), present);
  }
  return sums;
}

}  // namespace negatron
