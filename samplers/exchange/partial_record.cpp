#include "samplers/exchange/partial_record.h"

namespace negatron {

at::Tensor pack_partials(const PassResult& result, const PartialFormat& format) {
  const std::int64_t queries = result.count.size(0);
  at::Tensor records = at::empty({queries, format.elements()}, result.mean.options());
  std::int64_t at_column = 0;
  const auto next = [&](std::int64_t columns) {
    at_column += columns;
    return records.narrow(1, at_column - columns, columns);
  };
  for (std::int64_t scale = 0; scale < format.scales; ++scale) next(format.width).copy_(result.mean[scale]);
  next(format.scales).copy_(result.log_sum_exp.t());
  if (format.has_max) next(1).copy_(result.max.unsqueeze(1));
  next(format.count_elements()).copy_(result.count.contiguous().unsqueeze(1).view(format.dtype));
  return records;
}

PassResult unpack_partials(const at::Tensor& records, const PartialFormat& format) {
  std::int64_t at_column = 0;
  const auto next = [&](std::int64_t columns) {
    at_column += columns;
    return records.narrow(1, at_column - columns, columns);
  };
  PassResult result;
  const at::Tensor means = next(format.scales * format.width);
  result.mean = means.unflatten(1, {format.scales, format.width}).transpose(0, 1).contiguous();
  result.log_sum_exp = next(format.scales).t().contiguous();
  if (format.has_max) result.max = next(1).squeeze(1).contiguous();
  // A copy even where a single record is contiguous already: to be read as int64 its offset must be even too.
  result.count = next(format.count_elements()).clone(at::MemoryFormat::Contiguous).view(at::kLong).squeeze(1);
  return result;
}

}  // namespace negatron
