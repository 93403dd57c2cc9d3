#pragma once

#include <cstdint>
#include <memory>

#include "comm/communicator.h"
#include "runtime/encoders/momentum_encoder.h"
#include "runtime/training/compute_place.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/schedule.h"
#include "samplers/bank/bank.h"

namespace negatron {

/// The parts of a Trainer as the options of its run describe them. Local, equal on every rank.
///
/// Initialized from the seed, on the device; `comm` is for batch norm over all ranks.
std::shared_ptr<ContrastiveEncoder> make_encoder(const PretrainOptions& options, const ComputePlace& place,
                                                 Communicator& comm, std::int64_t input_channels);
std::shared_ptr<ProjectionHead> make_predictor(const PretrainOptions& options, const ComputePlace& place,
                                               Communicator& comm);
BankOptions bank_options(const PretrainOptions& options, const ComputePlace& place);
/// S, by default one shard a rank.
int shard_count(const PretrainOptions& options, const Communicator& comm);

/// Steps that the schedules span.
std::int64_t total_steps(const PretrainOptions& options, std::int64_t steps_per_epoch);
LearningRateOptions learning_rate_options(const PretrainOptions& options, std::int64_t steps_per_epoch);
MomentumOptions momentum_options(const PretrainOptions& options, std::int64_t steps_per_epoch);

}  // namespace negatron
