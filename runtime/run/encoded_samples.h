#pragma once

#include <cstdint>
#include <functional>

#include <ATen/ATen.h>

#include "comm/communicator.h"
#include "runtime/data/image_source.h"
#include "runtime/data/view_format.h"
#include "runtime/encoders/encoder_pair.h"
#include "samplers/bank/row_length.h"

namespace negatron {

/// What samples are made into rows of, and how rows are stored. Images and format outlive it.
struct SampleEncoding {
  const ImageSource& images;
  const ViewFormat& format;
  at::ScalarType type = at::kFloat;
  /// kUnit scales rows of a raw head, too; kDistance makes rows of d + 2 numbers.
  RowLength length = RowLength::kUnit;
};

/// What the query encoder makes of the images `ids` [n] int64, whole and by running statistics: rows [n, w] of
/// `encoding.length`, on its device; undefined for no images. Each rank has its own images, `most` at most, which is
/// the same number on every rank. `pause` is called between blocks of them, as often on every rank, and may be
/// collective; may be empty. Collective over `host`: all ranks throw FailedTogether for what one of them cannot read.
at::Tensor encoded_samples(Communicator& host, EncoderPair& encoders, const SampleEncoding& encoding,
                           const at::Tensor& ids, std::int64_t most, const std::function<void()>& pause = {});

}  // namespace negatron
