#include "runtime/data/image_source.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "runtime/data/data_error.h"
#include "runtime/snapshots/files/digest.h"

namespace negatron {

ImageParts ImageSource::load_parts(const at::Tensor& ids, const CropsOfImage& crops) const {
  ImageParts whole{load(ids)};
  for (std::int64_t i = 0; i < whole.pixels.size(); ++i) crops(i, whole.pixels.size_of(i));
  return whole;
}

std::string sample_of_loaded(const ImageSource& source) {
  constexpr std::int64_t kLooks = 16;
  const std::int64_t looks = std::min(kLooks, source.size());
  DigestStream seen;
  for (std::int64_t look = 0; look < looks; ++look) {
    try {
      const DecodedImages loaded = source.load(at::full({1}, look * source.size() / looks, at::kLong));
      const at::Tensor image = loaded.image(0).contiguous();
      seen.update(std::span(static_cast<const std::byte*>(image.const_data_ptr()), image.nbytes()));
    } catch (const DataError&) {
      // A broken image, which is told when its turn comes.
    }
  }
  return seen.hex();
}

std::int64_t loaded_together(const ImageSource& source) {
  constexpr std::int64_t kFromMemory = 500, kDecoded = 8;
  return source.bytes_in_memory() > 0 || source.gives_features() ? kFromMemory : kDecoded;
}

at::Tensor labels_of(const ImageSource& source, const at::Tensor& ids) {
  const at::Tensor labels = source.labels();
  return labels.defined() ? labels.index_select(0, source.stand_ins(ids)) : labels;
}

std::int64_t count_classes(const ImageSource& source) {
  const at::Tensor labels = source.labels();
  return labels.defined() && labels.size(0) > 0 ? labels.max().item<std::int64_t>() + 1 : 0;
}

}  // namespace negatron
