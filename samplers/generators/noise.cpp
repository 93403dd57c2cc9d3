#include "samplers/generators/noise.h"

#include <ATen/Parallel.h>

#include "samplers/random/philox.h"

namespace negatron {

at::Tensor normal_noise(std::uint64_t seed, std::int64_t step, std::int64_t first, at::IntArrayRef shape) {
  const at::Tensor noise = at::empty(shape, at::kDouble);
  const std::int64_t numbers = shape[1] * shape[2];
  auto* values = noise.mutable_data_ptr<double>();
  at::parallel_for(0, shape[0], 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      CounterRng random(seed, Purpose::kGeneratorNoise, static_cast<std::uint64_t>(step),
                        static_cast<std::uint64_t>(first + i));
      for (std::int64_t k = 0; k < numbers; ++k) values[i * numbers + k] = random.normal();
    }
  });
  return noise;
}

}  // namespace negatron
