#pragma once

#include "runtime/metrics/step_metrics.h"
#include "runtime/metrics/tensorboard/event_writer.h"

namespace negatron {

/// The numbers of a step, or of an evaluation, under the names that TensorBoard shows; what stands before the slash is
/// the group: "step_ms/forward". Baselines have the subject behind their name: "evaluation/knn, raw pixels". Local.
EventWriter::Scalars scalars_of(const StepMetrics& metrics);
EventWriter::Scalars scalars_of(const EvaluationMetrics& metrics);

}  // namespace negatron
