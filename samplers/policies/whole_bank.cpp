#include "samplers/policies/whole_bank.h"

#include <stdexcept>

namespace negatron {

NegativeRequest WholeBank::draw(const Bank& bank, const QueryBatch& batch) const {
  if (batch.queries.dim() != 2 || batch.queries.size(1) != bank.width()) {
    throw std::invalid_argument("WholeBank: queries must be [b, d] with the width of the bank");
  }
  NegativeRequest request;
  request.queries = batch.queries;
  request.scales = batch.scales;
  if (mask_own_sample_) request.exclude_ids = batch.ids;
  return request;
}

}  // namespace negatron
