#include "runtime/reports/near_pictures.h"

#include <algorithm>
#include <set>

#include "runtime/bank_files/near_rows.h"
#include "runtime/data/decoding/encode_png.h"
#include "runtime/data/view_format.h"

namespace negatron {
namespace {

/// Of the newest keys so many are looked at for samples: more than a batch of most runs, less than a moment.
constexpr std::int64_t kNewestKeys = 1024;

std::vector<std::int64_t> newest_samples(const OpenBank& bank, std::int64_t known, std::int64_t wanted) {
  const BankLayout layout = bank.layout();
  const std::int64_t begin = std::max(layout.floor(), layout.head() - kNewestKeys);
  if (begin == layout.head()) return {};
  const at::Tensor ids = bank.reader(layout.head() - begin).read({begin, layout.head()}).ids;
  std::set<std::int64_t> samples;
  for (std::int64_t i = 0; i < ids.numel(); ++i) {
    const std::int64_t id = ids[i].item<std::int64_t>();
    if (id >= 0 && id < known) samples.insert(id);
  }
  // Example: 4 of the samples 1 to 8: the 1st, 3rd, 5th and 7th of them.
  const std::vector<std::int64_t> all(samples.begin(), samples.end());
  const auto count = std::min(wanted, static_cast<std::int64_t>(all.size()));
  std::vector<std::int64_t> spread;
  for (std::int64_t i = 0; i < count; ++i) {
    spread.push_back(all[static_cast<std::size_t>(i) * all.size() / static_cast<std::size_t>(count)]);
  }
  return spread;
}

/// The larger side becomes `side`.
ImageSize picture_size(const ImageSize& whole, std::int64_t side) {
  const std::int64_t longer = std::max(whole.height, whole.width);
  const auto scaled = [&](std::int64_t pixels) { return std::max<std::int64_t>(1, pixels * side / longer); };
  return {scaled(whole.height), scaled(whole.width)};
}

PicturedSample pictured(const ImageSource& images, std::int64_t id, std::int64_t side) {
  const at::Tensor number = at::full({1}, id, at::kLong);
  const DecodedImages loaded = images.load(number);
  const ViewFormat format{picture_size(loaded.size_of(0), side), Normalization()};
  const at::Tensor pixels = whole_views(loaded, format)[0].mul(kByteMax).round_().clamp_(0.0, kByteMax);
  const at::Tensor labels = images.labels();
  return {id, labels.defined() ? labels[id].item<std::int64_t>() : -1, 1.0, encode_png(pixels.to(at::kByte))};
}

}  // namespace

std::vector<NearPictures> near_pictures(const OpenBank& bank, const ImageSource& images, const PictureOptions& options,
                                        const BankMemory& memory) {
  const bool can_be_seen = !images.gives_features();
  const std::vector<std::int64_t> samples =
      can_be_seen ? newest_samples(bank, images.size(), options.samples) : std::vector<std::int64_t>();
  if (samples.empty()) return {};
  std::vector<std::int64_t> missing;
  const NearQueries queries = queries_of_samples(bank, samples, memory, missing);
  const NearRows rows = near_rows(bank, queries, options.near, memory);
  std::vector<NearPictures> all;
  for (std::int64_t query = 0; query < queries.count(); ++query) {
    all.push_back({pictured(images, queries.ids[query].item<std::int64_t>(), options.side), {}});
    for (std::int64_t i = 0; i < options.near; ++i) {
      const std::int64_t id = rows.ids[query][i].item<std::int64_t>();
      if (id < 0 || id >= images.size()) continue;
      all.back().near.push_back(pictured(images, id, options.side));
      all.back().near.back().score = rows.scores[query][i].item<double>();
    }
  }
  return all;
}

}  // namespace negatron
