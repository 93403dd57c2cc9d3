#pragma once

#include <string>

#include "runtime/data/decoding/decode_image.h"

namespace negatron {

enum class ImageFormat { kJpeg, kPng, kWebp };

/// The format that the first bytes tell. Local. Throws DataError that says what the file is instead: empty, text (what
/// servers send when there is no image), another format or nothing known.
ImageFormat image_format(FileBytes bytes, const std::string& name);

}  // namespace negatron
