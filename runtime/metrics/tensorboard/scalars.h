#pragma once

#include <optional>

#include "runtime/metrics/step_metrics.h"
#include "runtime/metrics/tensorboard/event_writer.h"

namespace negatron {

/// The numbers of a step, or of an evaluation, under the names that TensorBoard shows; what stands before the slash is
/// the group: "step_ms/forward". What hard_scores_of() tells is not among them. Baselines have the subject behind their
/// name: "evaluation/knn, raw pixels". Local.
EventWriter::Scalars scalars_of(const StepMetrics& metrics);
EventWriter::Scalars scalars_of(const EvaluationMetrics& metrics);

/// The scores of the rows of hard sets, rows per query, in a step that looked at them (--telemetry-every). Local.
std::optional<NamedHistogram> hard_scores_of(const StepMetrics& metrics);

}  // namespace negatron
