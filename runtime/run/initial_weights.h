#pragma once

#include <memory>
#include <string>

#include "comm/communicator.h"
#include "runtime/data/decoded_images.h"
#include "runtime/encoders/encoder_pair.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// Makes a backbone as the run will, so that what does not fit the images, or the file of `options.init`, is known
/// before anything is written. `comm` is what batch norms would be over. Local: without collectives, so that any rank
/// may call it. Throws WeightsError or std::invalid_argument.
std::shared_ptr<Backbone> check_backbone(const PretrainOptions& options, const ContrastSetup& setup,
                                         std::int64_t channels, const ImageSize& view_size, Communicator& comm);

/// Begins a run with the weights that `options.init` names: backbones of the query encoder and, with the same weights
/// or those of a file of its own, of the momentum encoder. Rank 0 reads the files; every rank gets its numbers, also
/// where the encoder itself came from a file. What was taken, missing and left over, a line each; empty without files.
/// Collective over both: `host` carries host tensors, `comm` those of the encoders. Throws SnapshotError on every rank.
std::string start_from_weights(Communicator& host, Communicator& comm, const PretrainOptions& options,
                               EncoderPair& encoders);

}  // namespace negatron
