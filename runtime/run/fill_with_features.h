#pragma once

#include "comm/communicator.h"
#include "runtime/data/image_source.h"
#include "runtime/data/view_format.h"
#include "runtime/encoders/encoder_pair.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// Every row of a memory bank becomes what the query encoder makes of its sample: of the whole image, by running
/// statistics, written by no step. Each rank encodes the samples whose rows it owns, so that none travels. Collective
/// over `host`: all ranks throw what one of them cannot read.
void fill_with_features(Communicator& host, const ImageSource& images, const ViewFormat& format, EncoderPair& encoders,
                        Bank& bank);

}  // namespace negatron
