#include "runtime/data/converted_source.h"

#include <utility>

#include "runtime/data/data_error.h"

namespace negatron {

at::Tensor in_channels(const at::Tensor& images, std::int64_t channels) {
  if (images.size(1) == channels) return images;
  if (channels == 3) return images.expand({images.size(0), 3, images.size(2), images.size(3)}).contiguous();
  // PIL's integers for ITU-R 601-2: 0.299, 0.587 and 0.114 times 65536, which are 65536 together, and half for
  // rounding.
  constexpr std::int64_t kRed = 19595, kGreen = 38470, kBlue = 7471, kHalf = 32768, kBits = 16;
  const at::Tensor wide = images.to(at::kInt);
  const auto plane = [&](std::int64_t channel, std::int64_t weight) { return wide.narrow(1, channel, 1) * weight; };
  return (plane(0, kRed) + plane(1, kGreen) + plane(2, kBlue) + kHalf).__rshift__(kBits).to(at::kByte);
}

std::shared_ptr<const ImageSource> ConvertedSource::where_needed(std::shared_ptr<const ImageSource> source,
                                                                 const SourceOptions& options) {
  if (source->gives_features()) {
    // Where they must be as many as other features, the caller compares them.
    if (options.view_side == 0 && (options.channels == 0 || options.channels == source->channels())) return source;
    throw DataError("Data '" + options.path + "' hold " + std::to_string(source->channels()) +
                    " features a sample; --data-channels and --image-size are for images.");
  }
  const bool channels_differ = options.channels != 0 && options.channels != source->channels();
  if (channels_differ && source->channels() != 1 && source->channels() != 3) {
    throw DataError("Data '" + options.path + "' have " + std::to_string(source->channels()) +
                    " channels, which --data-channels cannot convert.");
  }
  const bool size_differs =
      options.view_side != 0 && source->view_size() != ImageSize{options.view_side, options.view_side};
  if (!channels_differ && !size_differs) return source;
  return std::make_shared<const ConvertedSource>(std::move(source), options);
}

ConvertedSource::ConvertedSource(std::shared_ptr<const ImageSource> source, const SourceOptions& options)
    : source_(std::move(source)), options_(options) {}

std::int64_t ConvertedSource::channels() const {
  return options_.channels != 0 ? options_.channels : source_->channels();
}

ImageSize ConvertedSource::view_size() const {
  return options_.view_side != 0 ? ImageSize{options_.view_side, options_.view_side} : source_->view_size();
}

DecodedImages ConvertedSource::load(const at::Tensor& ids) const {
  return converted(source_->load(ids));
}

ImageParts ConvertedSource::load_parts(const at::Tensor& ids, const CropsOfImage& crops) const {
  ImageParts loaded = source_->load_parts(ids, crops);
  return {converted(std::move(loaded.pixels)), std::move(loaded.parts)};
}

DecodedImages ConvertedSource::converted(DecodedImages images) const {
  if (channels() == source_->channels()) return images;
  if (images.have_one_size()) return in_channels(images.together(), channels());
  std::vector<at::Tensor> converted;
  for (std::int64_t i = 0; i < images.size(); ++i) {
    converted.push_back(in_channels(images.image(i), channels()).squeeze(0));
  }
  return DecodedImages(std::move(converted));
}

std::shared_ptr<const ImageSource> ConvertedSource::test_part() const {
  std::shared_ptr<const ImageSource> part = source_->test_part();
  return part == nullptr ? part : where_needed(std::move(part), options_);
}

}  // namespace negatron
