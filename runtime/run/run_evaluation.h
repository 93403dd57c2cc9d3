#pragma once

#include <string>
#include <utility>

#include "comm/communicator.h"
#include "runtime/data/view_format.h"
#include "runtime/evaluation/evaluate_knn.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/run/run_log.h"
#include "runtime/training/pretrain_options.h"
#include "runtime/training/trainer.h"

namespace negatron {

/// Evaluations of a run: what the encoder is compared with, and the encoder itself. Collective, all of them; each
/// returns the kNN accuracy, 0 to 1, and writes it to the log. Without labels or a test part there is no such accuracy:
/// it is NaN, and what consists of it alone is neither computed nor written.
class RunEvaluation {
 public:
  /// The arguments outlive it.
  RunEvaluation(const PretrainOptions& options, const PretrainData& data, const ViewFormat& format, Communicator& comm,
                Trainer& trainer, RunLog& log);

  /// What happens between the parts of an evaluation; what it throws ends the evaluation, of which then nothing is
  /// written.
  void pause_for(Pause pause) { pause_ = std::move(pause); }

  /// On all of the data, or on as much of it as `options.data_memory` holds.
  double raw_pixels();
  /// The encoder before its first step.
  double random_weights();
  /// The encoder after the epochs up to `epoch`, on so many training and test images, 0 for all.
  double encoder(std::int64_t epoch, std::int64_t index_count, std::int64_t query_count);

 private:
  bool has_labels() const { return data_.test != nullptr && data_.train->has_labels() && data_.test->has_labels(); }
  /// Those of which views are looked at.
  const ImageSource& evaluated_images() const { return data_.test != nullptr ? *data_.test : *data_.train; }
  /// Whether so many images, 0 for all, are fewer than there are.
  bool takes_a_part(std::int64_t index_count, std::int64_t query_count) const;
  FeatureFunction backbone();
  /// On at most so many images of each part, 0 for all.
  double baseline(const std::string& subject, const FeatureFunction& features, std::int64_t most);
  double classify(const FeatureFunction& features, std::int64_t index_count, std::int64_t query_count);

  const PretrainOptions& options_;
  const PretrainData& data_;
  ViewFormat format_;
  Communicator& comm_;
  Trainer& trainer_;
  RunLog& log_;
  Pause pause_{};
};

}  // namespace negatron
