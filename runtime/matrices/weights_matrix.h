#pragma once

#include <filesystem>
#include <memory>

#include "runtime/matrices/matrix_file.h"

namespace negatron {

/// A matrix of a safetensors file, or of what torch.save wrote: the file is read as a whole, and the matrix stays in
/// memory. Local. Throws as open_matrix.
std::unique_ptr<MatrixFile> open_weights_matrix(const std::filesystem::path& path, const MatrixRequest& request);

}  // namespace negatron
