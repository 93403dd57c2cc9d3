#include "runtime/data/source_part.h"

#include <stdexcept>
#include <string_view>
#include <utility>

#include "runtime/snapshots/files/digest.h"

namespace negatron {

SourcePart::SourcePart(std::shared_ptr<const ImageSource> whole, at::Tensor ids)
    : whole_(std::move(whole)), ids_(std::move(ids)) {
  if (ids_.dim() != 1 || ids_.scalar_type() != at::kLong)
    throw std::invalid_argument("Numbers of images are [n] int64.");
  if (ids_.numel() > 0 && (ids_.min().item<std::int64_t>() < 0 || ids_.max().item<std::int64_t>() >= whole_->size())) {
    throw std::invalid_argument("A part of a data set lies within it.");
  }
  if (whole_->has_labels()) labels_ = whole_->labels().index_select(0, ids_);
}

DecodedImages SourcePart::load(const at::Tensor& ids) const {
  return whole_->load(ids_.index_select(0, ids));
}

ImageParts SourcePart::load_parts(const at::Tensor& ids, const CropsOfImage& crops) const {
  return whole_->load_parts(ids_.index_select(0, ids), crops);
}

std::string SourcePart::fingerprint() const {
  const std::string whole = whole_->fingerprint();
  if (whole.empty()) return whole;
  const at::Tensor numbers = ids_.contiguous();
  const std::string_view bytes(static_cast<const char*>(numbers.const_data_ptr()), numbers.nbytes());
  return whole + ", of which " + std::to_string(size()) + " whose numbers have the digest " + digest_of(bytes);
}

std::int64_t SourcePart::bytes_in_memory() const {
  return whole_->size() == 0 ? 0 : whole_->bytes_in_memory() * size() / whole_->size();
}

std::int64_t SourcePart::bytes_of_index() const {
  const std::size_t labels = labels_.defined() ? labels_.nbytes() : 0;
  return whole_->bytes_of_index() + static_cast<std::int64_t>(ids_.nbytes() + labels);
}

}  // namespace negatron
