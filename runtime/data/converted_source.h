#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/data/image_source.h"
#include "runtime/data/source_options.h"

namespace negatron {

/// images [n, C, h, w] uint8 with 1 or 3 channels, in so many: grey three times, or 0.299 R + 0.587 G + 0.114 B as PIL
/// rounds it. Local.
at::Tensor in_channels(const at::Tensor& images, std::int64_t channels);

/// The images of another source with the channels and the size of views that somebody asked for.
class ConvertedSource : public ImageSource {
 public:
  /// `source` itself where it is already as the options ask. Throws DataError for more than 1 or 3 channels.
  static std::shared_ptr<const ImageSource> where_needed(std::shared_ptr<const ImageSource> source,
                                                         const SourceOptions& options);

  ConvertedSource(std::shared_ptr<const ImageSource> source, const SourceOptions& options);

  std::int64_t size() const override { return source_->size(); }
  std::int64_t channels() const override;
  bool gives_features() const override { return source_->gives_features(); }
  ImageSize view_size() const override;
  DecodedImages load(const at::Tensor& ids) const override;
  ImageParts load_parts(const at::Tensor& ids, const CropsOfImage& crops) const override;
  at::Tensor stand_ins(const at::Tensor& ids) const override { return source_->stand_ins(ids); }
  at::Tensor labels() const override { return source_->labels(); }
  std::vector<std::string> label_names() const override { return source_->label_names(); }
  std::shared_ptr<const ImageSource> test_part() const override;
  std::string fingerprint() const override { return source_->fingerprint(); }
  std::string content_sample() const override { return source_->content_sample(); }
  std::int64_t bytes_in_memory() const override { return source_->bytes_in_memory(); }
  std::int64_t bytes_of_index() const override { return source_->bytes_of_index(); }

 private:
  DecodedImages converted(DecodedImages images) const;

  std::shared_ptr<const ImageSource> source_;
  SourceOptions options_;
};

}  // namespace negatron
