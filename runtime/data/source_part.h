#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "runtime/data/image_source.h"

namespace negatron {

/// Some images of another source, numbered from 0: how a part of the training images is held out for evaluation. It has
/// no test part.
class SourcePart : public ImageSource {
 public:
  /// `ids` [n] int64 lie within the whole. Throws std::invalid_argument otherwise.
  SourcePart(std::shared_ptr<const ImageSource> whole, at::Tensor ids);

  std::int64_t size() const override { return ids_.size(0); }
  std::int64_t channels() const override { return whole_->channels(); }
  bool gives_features() const override { return whole_->gives_features(); }
  ImageSize view_size() const override { return whole_->view_size(); }
  DecodedImages load(const at::Tensor& ids) const override;
  ImageParts load_parts(const at::Tensor& ids, const CropsOfImage& crops) const override;
  at::Tensor labels() const override { return labels_; }
  std::vector<std::string> label_names() const override { return whole_->label_names(); }
  /// The whole's, and which of it this part is.
  std::string fingerprint() const override;
  /// The whole's.
  std::string content_sample() const override { return whole_->content_sample(); }
  /// This part's share of what the whole takes.
  std::int64_t bytes_in_memory() const override;
  /// The whole's, and this part's own.
  std::int64_t bytes_of_index() const override;

 private:
  std::shared_ptr<const ImageSource> whole_;
  at::Tensor ids_;
  at::Tensor labels_;
};

}  // namespace negatron
