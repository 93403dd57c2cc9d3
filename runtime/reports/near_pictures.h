#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/bank_files/open_bank.h"
#include "runtime/data/image_source.h"

namespace negatron {

/// A sample as it is looked at. Label -1 for none.
struct PicturedSample {
  std::int64_t id = -1;
  std::int64_t label = -1;
  /// With the sample that it is near to.
  double score = 1.0;
  /// The image as the bytes of a PNG file.
  std::string png;
};

/// A sample and what is hardest to tell from it: the rows of the bank with the largest scores, the first the largest.
struct NearPictures {
  PicturedSample sample;
  std::vector<PicturedSample> near;
};

struct PictureOptions {
  /// How many samples, and rows for each.
  std::int64_t samples = 6;
  std::int64_t near = 8;
  /// Pixels of a picture's longer side.
  std::int64_t side = 72;
};

/// Samples of the bank's newest keys, spread over them, each with the rows that are nearest to its key
/// (bank_files/near_rows.h). `images` are those that the run trained on; rows of no sample among them (of the start,
/// imported, of other data) are left out. Local. Throws SnapshotError, DataError.
std::vector<NearPictures> near_pictures(const OpenBank& bank, const ImageSource& images, const PictureOptions& options,
                                        const BankMemory& memory);

}  // namespace negatron
