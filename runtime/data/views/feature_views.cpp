#include "runtime/data/views/feature_views.h"

#include <span>

#include "comm/require.h"
#include "samplers/random/philox.h"

namespace negatron {
namespace {

constexpr std::int64_t kViewsOfASample = 2;

void add_noise(std::span<double> values, CounterRng random, double deviation) {
  if (deviation == 0.0) return;
  for (double& value : values) value += deviation * random.normal();
}

void drop_features(std::span<double> values, CounterRng random, double probability) {
  if (probability == 0.0) return;
  for (double& value : values) {
    if (random.uniform() < probability) value = 0.0;
  }
}

}  // namespace

at::Tensor feature_views(const DecodedImages& features, const at::Tensor& ids, const ViewNumber& number,
                         const AugmentationOptions& options, const Normalization& normalization) {
  require(number.view >= 0 && number.view < kViewsOfASample, "A view is number 0 or 1.");
  at::Tensor views = normalization.centre(features.together().clone(at::MemoryFormat::Contiguous));
  const auto samples = ids.accessor<std::int64_t, 1>();
  const auto width = static_cast<std::size_t>(views.size(1));
  auto* first = views.mutable_data_ptr<double>();
  const auto epoch = static_cast<std::uint64_t>(number.epoch);
  for (std::int64_t i = 0; i < features.size(); ++i) {
    const std::span<double> values(first + static_cast<std::size_t>(i) * width, width);
    const auto index = static_cast<std::uint64_t>(samples[i] * kViewsOfASample + number.view);
    add_noise(values, CounterRng(number.seed, Purpose::kFeatureNoise, epoch, index), options.feature_noise);
    drop_features(values, CounterRng(number.seed, Purpose::kFeatureDropout, epoch, index), options.feature_dropout);
  }
  return views.to(at::kFloat);
}

}  // namespace negatron
