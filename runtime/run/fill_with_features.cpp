#include "runtime/run/fill_with_features.h"

#include <algorithm>

#include "comm/together.h"
#include "runtime/evaluation/features.h"

namespace negatron {

void fill_with_features(Communicator& host, const ImageSource& images, const ViewFormat& format, EncoderPair& encoders,
                        Bank& bank) {
  constexpr std::int64_t kImagesAtOnce = 500;
  constexpr std::int64_t kNoStep = -1;
  const Range own = share(bank.capacity(), bank.layout().ranks(), bank.rank());
  const auto embed = [&encoders](const at::Tensor& views) { return encoders.embed(views); };
  together(host, [&] {
    for (std::int64_t begin = own.begin; begin < own.end; begin += kImagesAtOnce) {
      const at::Tensor ids = at::arange(begin, std::min(begin + kImagesAtOnce, own.end), at::kLong);
      const at::Tensor rows = extract_features(embed, images, ids, format, kImagesAtOnce);
      // Rounded to fp32 above: of length 1 in a bank of fp64, too.
      const at::Tensor wide = rows.to(at::kDouble);
      bank.replace(ids - own.begin, wide / wide.norm(2, {1}, true), labels_of(images, ids), kNoStep);
    }
  });
}

}  // namespace negatron
