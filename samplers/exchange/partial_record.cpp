#include "samplers/exchange/partial_record.h"

#include <utility>
#include "samplers/exchange/columns.h"

namespace negatron {
namespace {

bool has_log_weight(const ScoreTerm& term) {
  return term.reduction == Reduction::kSoftmaxMean;
}

}  // namespace

std::int64_t PartialFormat::elements() const {
  std::int64_t sum = 1 + count_elements() + further;
  for (const ScoreTerm& term : terms) {
    sum += 1 + (term.want_gradient ? width : 0) + (term.want_slope ? 1 : 0) + (has_log_weight(term) ? 1 : 0);
  }
  return sum;
}

at::Tensor pack_partials(const PartialRecords& partials, const PartialFormat& format) {
  const PassResult& result = partials.result;
  const at::TensorOptions options = result.count.options().dtype(format.dtype);
  const at::Tensor records = at::empty({result.count.size(0), format.elements()}, options);
  Columns columns(records);
  for (std::size_t i = 0; i < format.terms.size(); ++i) {
    const TermResult& term = result.terms[i];
    if (format.terms[i].want_gradient) columns.next(format.width).copy_(term.gradient);
    columns.next().copy_(term.value);
    if (format.terms[i].want_slope) columns.next().copy_(term.slope);
    if (has_log_weight(format.terms[i])) columns.next().copy_(term.log_weight);
  }
  columns.next().copy_(result.max);
  // As bits: a count does not fit fp32 above 2^24.
  columns.next(format.count_elements()).copy_(result.count.contiguous().unsqueeze(1).view(format.dtype));
  if (format.further > 0) columns.next(format.further).copy_(partials.further);
  return records;
}

PartialRecords unpack_partials(const at::Tensor& records, const PartialFormat& format) {
  Columns columns(records);
  PartialRecords partials;
  for (const ScoreTerm& wanted : format.terms) {
    TermResult& term = partials.result.terms.emplace_back();
    if (wanted.want_gradient) term.gradient = columns.next(format.width).contiguous();
    term.value = columns.next().contiguous();
    if (wanted.want_slope) term.slope = columns.next().contiguous();
    if (has_log_weight(wanted)) term.log_weight = columns.next().contiguous();
  }
  partials.result.max = columns.next().contiguous();
  // A copy even where a single record is contiguous already: to be read as int64 its offset must be even too.
  const at::Tensor count = columns.next(format.count_elements()).clone(at::MemoryFormat::Contiguous);
  partials.result.count = count.view(at::kLong).squeeze(1);
  if (format.further > 0) partials.further = columns.next(format.further).contiguous();
  return partials;
}

}  // namespace negatron
