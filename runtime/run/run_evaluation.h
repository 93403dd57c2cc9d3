#pragma once

#include <string>

#include "comm/communicator.h"
#include "runtime/data/normalization.h"
#include "runtime/evaluation/evaluate_knn.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/run/run_log.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// Evaluations of a run: what the encoder is compared with, and the encoder itself. Collective, all of them; each
/// returns the kNN accuracy, 0 to 1, and writes it to the log.
class RunEvaluation {
 public:
  /// The arguments outlive it.
  RunEvaluation(const PretrainOptions& options, const PretrainData& data, const Normalization& normalization,
                Communicator& comm, Trainer& trainer, RunLog& log);

  /// On all of the data.
  double raw_pixels();
  /// The encoder before its first step.
  double random_weights();
  /// The encoder after the epochs up to `epoch`, on so many training and test images, 0 for all.
  double encoder(std::int64_t epoch, std::int64_t index_count, std::int64_t query_count);

 private:
  ImageFeatures backbone();
  double baseline(const std::string& subject, const ImageFeatures& features);
  double classify(const ImageFeatures& features, std::int64_t index_count, std::int64_t query_count);

  const PretrainOptions& options_;
  const PretrainData& data_;
  Normalization normalization_;
  Communicator& comm_;
  Trainer& trainer_;
  RunLog& log_;
};

}  // namespace negatron
