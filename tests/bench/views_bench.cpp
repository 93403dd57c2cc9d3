// Images per second of two views each, made on one thread from decoded images: one line for each kind of views.
//   views_bench

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>

#include <ATen/Parallel.h>

#include "runtime/data/augmentation.h"
#include "runtime/data/views/view_recipe.h"
#include "samplers/random/philox.h"

namespace negatron::testing {
namespace {

constexpr int kRepeats = 9;

struct Scene {
  const char* name;
  std::int64_t count, channels;
  ImageSize image, view;
};

at::Tensor random_bytes(const Scene& scene) {
  CounterRng random(1, Purpose::kEvaluation, 0, 0);
  const at::Tensor images = at::empty({scene.count, scene.channels, scene.image.height, scene.image.width}, at::kByte);
  auto* bytes = images.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < images.numel(); ++i) bytes[i] = static_cast<std::uint8_t>(random.next_u32() & 0xFFU);
  return images;
}

/// The fastest of some batches, each of another epoch.
void measure(const Scene& scene, const char* views, const AugmentationOptions& options) {
  const at::Tensor images = random_bytes(scene);
  const at::Tensor ids = at::arange(scene.count, at::kLong);
  const ViewFormat format{scene.view, {0.4, 0.2}};
  double best = std::numeric_limits<double>::infinity();
  for (int epoch = 0; epoch < kRepeats; ++epoch) {
    const auto begin = std::chrono::steady_clock::now();
    for (const int view : {0, 1}) augment(images, ids, {1, epoch, view}, options, format);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::printf("%-18s %-16s %9.1f images/s, %7.3f ms a view\n", scene.name, views,
              static_cast<double>(scene.count) / best, 500.0 * best / static_cast<double>(scene.count));
}

void measure_all() {
  at::set_num_threads(1);
  const Scene photographs{"500 x 375 -> 224", 32, 3, {375, 500}, {224, 224}};
  AugmentationOptions crops;
  crops.jitter_probability = 0.0;
  measure(photographs, "crops alone", crops);
  for (const char* recipe : {"grey", "moco-v2", "simclr", "byol"}) measure(photographs, recipe, view_recipe(recipe));
  measure({"grey 28 x 28", 256, 1, {28, 28}, {28, 28}}, "grey", view_recipe("grey"));
  measure({"32 x 32", 256, 3, {32, 32}, {32, 32}}, "moco-v2", view_recipe("moco-v2"));
}

}  // namespace
}  // namespace negatron::testing

int main() {
  negatron::testing::measure_all();
}
