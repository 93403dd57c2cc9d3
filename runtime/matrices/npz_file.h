#pragma once

#include <memory>

#include "runtime/matrices/matrix_file.h"
#include "runtime/matrices/zip_file.h"

namespace negatron {

/// Whether the archive is one of numpy.savez: it holds .npy files, and nothing of torch.save. Local.
bool holds_npy(const ZipFile& archive);

/// A matrix of an archive that numpy.savez or savez_compressed wrote. One that is packed lies in memory. Local. Throws
/// as open_matrix.
std::unique_ptr<MatrixFile> open_npz(const ZipFile& archive, const std::filesystem::path& path,
                                     const MatrixRequest& request);

}  // namespace negatron
