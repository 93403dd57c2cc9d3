#pragma once

#include <cstdint>
#include <memory>

#include <ATen/ATen.h>

#include "comm/share.h"
#include "runtime/data/image_source.h"

namespace negatron {

/// A run of consecutive images of another source, numbered from 0: how a part of the training images is held out for
/// choosing options. It has no test part.
class SourcePart : public ImageSource {
 public:
  /// `range` lies within the whole. Throws std::invalid_argument otherwise.
  SourcePart(std::shared_ptr<const ImageSource> whole, Range range);

  std::int64_t size() const override { return range_.size(); }
  std::int64_t channels() const override { return whole_->channels(); }
  ImageSize view_size() const override { return whole_->view_size(); }
  DecodedImages load(const at::Tensor& ids) const override;
  at::Tensor labels() const override;
  /// This part's share of what the whole takes.
  std::int64_t bytes_in_memory() const override;

 private:
  std::shared_ptr<const ImageSource> whole_;
  Range range_;
};

}  // namespace negatron
