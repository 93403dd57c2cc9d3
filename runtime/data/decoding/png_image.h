#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/decoding/decode_image.h"
#include "runtime/data/decoding/stored_head.h"

namespace negatron {

/// A PNG file that is open: its head is read, its pixels are not. All that the standard knows: 1 to 16 bits, grey,
/// colour and palettes, transparency of all kinds, interlaced. Gamma and profiles are not applied. Local.
class PngImage {
 public:
  /// Reads the head. Throws DataError naming the file. The bytes must outlive this.
  PngImage(FileBytes bytes, const std::string& name);
  ~PngImage();
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;

  const StoredHead& head() const { return head_; }

  /// All pixels: [C, H, W] uint8 as stored. Once, and then nothing else. Throws DataError naming the file.
  at::Tensor decode(std::int64_t channels);

 private:
  struct Library;

  template <typename Step>
  void run(Step step);

  std::string name_;
  std::unique_ptr<Library> library_;
  StoredHead head_;
};

}  // namespace negatron
