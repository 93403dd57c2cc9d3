#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "runtime/data/image_source.h"
#include "runtime/data/view_format.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// Throws std::invalid_argument where --bank-fill features has fewer `samples` than rows. Local.
void require_samples_for_rows(const PretrainOptions& options, std::int64_t samples);

/// With --bank-fill features every row of the trainer's bank becomes what the query encoder makes of a sample: of the
/// whole image, by running statistics, written by no step. Row s of K is that of sample floor(s N / K) of N, so that a
/// memory bank, of which K is N, has each sample's own, and a smaller bank has samples from all over the data. Each
/// rank encodes the samples whose rows it owns, so that none travels. Returns what people should hear; with other fills
/// it does nothing. All rows at once, when the last one is there: what `pause` throws, on all ranks alike, leaves the
/// bank as it is. `pause` is called between blocks of samples, as often on every rank. Collective over `host`: all
/// ranks throw what one of them cannot read.
std::vector<std::string> fill_bank(Communicator& host, const PretrainOptions& options, const ImageSource& images,
                                   const ViewFormat& format, Trainer& trainer, const std::function<void()>& pause = {});

}  // namespace negatron
