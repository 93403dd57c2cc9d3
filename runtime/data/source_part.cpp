#include "runtime/data/source_part.h"

#include <stdexcept>
#include <utility>

namespace negatron {

SourcePart::SourcePart(std::shared_ptr<const ImageSource> whole, Range range)
    : whole_(std::move(whole)), range_(range) {
  if (range.begin < 0 || range.end < range.begin || range.end > whole_->size()) {
    throw std::invalid_argument("A part of a data set lies within it.");
  }
}

DecodedImages SourcePart::load(const at::Tensor& ids) const {
  return whole_->load(ids + range_.begin);
}

at::Tensor SourcePart::labels() const {
  const at::Tensor labels = whole_->labels();
  return labels.defined() ? labels.slice(0, range_.begin, range_.end) : labels;
}

std::int64_t SourcePart::bytes_in_memory() const {
  return whole_->size() == 0 ? 0 : whole_->bytes_in_memory() / whole_->size() * size();
}

}  // namespace negatron
