#include "runtime/run/encoded_samples.h"

#include <algorithm>

#include "comm/together.h"
#include "runtime/evaluation/features.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {

at::Tensor encoded_samples(Communicator& host, EncoderPair& encoders, const SampleEncoding& encoding,
                           const at::Tensor& ids, std::int64_t most, const std::function<void()>& pause) {
  constexpr std::int64_t kImagesAtOnce = 500;
  const auto embed = [&encoders](const at::Tensor& views) { return encoders.embed(views); };
  at::Tensor all;
  for (std::int64_t begin = 0; begin < most; begin += kImagesAtOnce) {
    if (pause) pause();
    const at::Tensor block = ids.slice(0, begin, std::min(begin + kImagesAtOnce, ids.size(0)));
    together(host, [&] {
      if (block.size(0) == 0) return;
      at::Tensor rows = extract_features(embed, encoding.images, block, encoding.format, kImagesAtOnce, encoding.length)
                            .to(at::kDouble);
      // Rounded to fp32 in there: of length 1 in fp64, too.
      if (encoding.length == RowLength::kUnit) rows = rows / rows.norm(2, {1}, true);
      rows = rows_of_vectors(rows, encoding.length);
      if (!all.defined()) all = at::empty({ids.size(0), rows.size(1)}, rows.options().dtype(encoding.type));
      all.narrow(0, begin, block.size(0)).copy_(rows);
    });
  }
  return all;
}

}  // namespace negatron
