// Images per second that the loader gives, two views each, and nothing else: no encoder, no training.
//   loader_bench DATA [threads] [side] [batch] [recipe] [batches]
// Normalised with ImageNet's numbers, so that nothing is measured first. The first batches are not counted: they fill
// the queue and the page cache.

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include <ATen/Parallel.h>

#include "launch/process_setup.h"
#include "runtime/data/loader.h"
#include "runtime/data/registry.h"
#include "runtime/data/views/view_recipe.h"

namespace negatron::testing {
namespace {

constexpr std::int64_t kNotCounted = 2;

struct LoaderScene {
  SourceOptions source;
  LoaderOptions loader;
  std::int64_t batches = 8;
};

LoaderScene scene_of(const std::vector<std::string>& words) {
  const auto number = [&](std::size_t place, int otherwise) {
    return words.size() > place ? std::stoi(words[place]) : otherwise;
  };
  LoaderScene scene;
  scene.source.path = words.at(0);
  scene.loader.threads = number(1, 1);
  scene.source.view_side = number(2, 224);
  scene.loader.batches.global_batch = number(3, 64);
  scene.loader.batches.augmentation = view_recipe(words.size() > 4 ? words[4] : "moco-v2");
  scene.batches = number(5, 8);
  return scene;
}

void measure_loader(LoaderScene scene) {
  keep_freed_memory();
  at::set_num_threads(1);
  const std::shared_ptr<const ImageSource> images = open_images(scene.source);
  Normalization known{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
  if (images->channels() == 1) known = {0.5, 0.25};
  scene.loader.batches.format = {images->view_size(), known};
  Loader loader(images, scene.loader);
  std::int64_t taken = 0, counted = 0;
  auto begin = std::chrono::steady_clock::now();
  for (std::int64_t epoch = 0; taken < kNotCounted + scene.batches; ++epoch) {
    loader.start_epoch(epoch);
    while (const std::optional<Batch> batch = loader.next()) {
      if (++taken > kNotCounted) counted += batch->ids.size(0);
      if (taken == kNotCounted) begin = std::chrono::steady_clock::now();
      if (taken == kNotCounted + scene.batches) break;
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%.1f images/s\n", static_cast<double>(counted) / seconds);
}

}  // namespace
}  // namespace negatron::testing

int main(int count, char** words) {
  if (count < 2) {
    std::fprintf(stderr, "loader_bench DATA [threads] [side] [batch] [recipe] [batches]\n");
    return 2;
  }
  try {
    negatron::testing::measure_loader(negatron::testing::scene_of({words + 1, words + count}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "loader_bench: %s\n", error.what());
    return 1;
  }
}
