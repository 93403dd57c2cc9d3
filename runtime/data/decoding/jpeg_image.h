#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ATen/ATen.h>

#include "runtime/data/decoding/decode_image.h"
#include "runtime/data/decoding/stored_head.h"

namespace negatron {

/// Pixels of a stored image that was shrunk.
struct JpegBox {
  /// By what the sides are divided: 1, 2, 4 or 8. The shrunk image has the rounded-up sides, and the last pixels of it
  /// may reach beyond the image.
  std::int64_t shrink = 1;
  std::int64_t left = 0;
  std::int64_t top = 0;
  ImageSize size;
};

/// A JPEG file that is open: its head is read, its pixels are not. Grey, colour and CMYK (always taken as Adobe writes
/// it, inverted), baseline and progressive, 8 bits. Local.
class JpegImage {
 public:
  /// Reads the head. Throws DataError naming the file. The bytes must outlive this.
  JpegImage(FileBytes bytes, const std::string& name);
  ~JpegImage();
  JpegImage(const JpegImage&) = delete;
  JpegImage& operator=(const JpegImage&) = delete;

  const StoredHead& head() const { return head_; }

  /// All pixels: [C, H, W] uint8 as stored. Once, and then nothing else. Throws DataError naming the file.
  at::Tensor decode(std::int64_t channels);

  /// Only a box, which is not empty and lies in the shrunk image: [C, h, w] uint8. With shrink 1 the pixels are those
  /// of decode(). Once, and then nothing else. Throws where decode() would, wherever the damage is.
  at::Tensor decode_box(const JpegBox& box, std::int64_t channels);

 private:
  struct Library;

  template <typename Step>
  void run(Step step);

  std::string name_;
  std::unique_ptr<Library> library_;
  StoredHead head_;
};

}  // namespace negatron
