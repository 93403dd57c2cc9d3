#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/data/data_error.h"
#include "runtime/data/registry.h"

namespace negatron::testing {

/// A source of data as somebody might bring it: a folder of colour images 0.ppm, 1.ppm, ... of any sizes, read when
/// they are asked for, with their labels in labels.txt if there is one, a number a line. It has no test part.
class PpmFolder : public ImageSource {
 public:
  explicit PpmFolder(const SourceOptions& options) : folder_(options.path) {
    while (std::filesystem::exists(path_of(size_))) ++size_;
    std::ifstream file(folder_ / "labels.txt");
    std::vector<std::int64_t> labels;
    for (std::int64_t label = 0; file >> label;) labels.push_back(label);
    if (!labels.empty()) labels_ = at::tensor(labels, at::kLong);
  }

  static SourceDescription describe() { return {"ppm", "a folder of 0.ppm, 1.ppm, ..."}; }
  static bool recognises(const std::filesystem::path& path) { return std::filesystem::exists(path / "0.ppm"); }

  std::int64_t size() const override { return size_; }
  std::int64_t channels() const override { return 3; }
  ImageSize view_size() const override { return {12, 12}; }
  at::Tensor labels() const override { return labels_; }
  DecodedImages load(const at::Tensor& ids) const override {
    std::vector<at::Tensor> images;
    for (std::int64_t i = 0; i < ids.size(0); ++i) images.push_back(read(path_of(ids[i].item<std::int64_t>())));
    return DecodedImages(std::move(images));
  }

 private:
  std::filesystem::path path_of(std::int64_t id) const { return folder_ / (std::to_string(id) + ".ppm"); }

  /// [3, h, w] uint8.
  static at::Tensor read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    std::int64_t width = 0, height = 0, brightest = 0;
    file >> magic >> width >> height >> brightest;
    file.get();
    if (!file || magic != "P6" || brightest != 255) throw DataError("Image '" + path.string() + "' is no PPM file.");
    const at::Tensor pixels = at::empty({height, width, 3}, at::kByte);
    file.read(static_cast<char*>(pixels.mutable_data_ptr()), pixels.numel());
    if (!file) throw DataError("Image '" + path.string() + "' is cut short.");
    return pixels.permute({2, 0, 1}).contiguous();
  }

  std::filesystem::path folder_;
  std::int64_t size_ = 0;
  at::Tensor labels_;
};

}  // namespace negatron::testing
