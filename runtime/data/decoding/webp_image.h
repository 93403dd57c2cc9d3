#pragma once

#include <cstdint>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/decoding/decode_image.h"
#include "runtime/data/decoding/stored_head.h"

namespace negatron {

/// A WebP file whose head is read: lossy or lossless, with or without transparency. Animations are refused. Local.
class WebpImage {
 public:
  /// Reads the head. Throws DataError naming the file. The bytes must outlive this.
  WebpImage(FileBytes bytes, const std::string& name);

  const StoredHead& head() const { return head_; }

  /// All pixels: [C, H, W] uint8 as stored. Throws DataError naming the file.
  at::Tensor decode(std::int64_t channels);

 private:
  std::string name_;
  FileBytes bytes_;
  StoredHead head_;
  bool has_alpha_ = false;
};

}  // namespace negatron
