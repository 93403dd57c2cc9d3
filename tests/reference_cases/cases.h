#pragma once

#include <optional>

#include "tests/reference_cases/case_file.h"
#include "tests/samplers/contrast/contrast_job.h"

namespace negatron::reference {

/// Computed values by key of `ReferenceCase::expected`; nothing when the case is of another topic. Each topic
/// recognises its cases by parameters and expected keys; by a word in the name only where those are the same for two.
using Computed = std::optional<nlohmann::json>;

Computed softmax_case(const ReferenceCase& reference, int ranks);    // infonce_*, similarities
Computed shard_case(const ReferenceCase& reference, int ranks);      // *_shards_*
Computed estimator_case(const ReferenceCase& reference, int ranks);  // bank_debiased*, bank_hcl*, inbatch_*
Computed in_batch_case(const ReferenceCase& reference, int ranks);   // nt_xent_*, decoupled_*, n_pair_raw
Computed label_case(const ReferenceCase& reference, int ranks);     // soft_nn_*, lifted_*, supcon_*, triplet_in_batch_*
Computed margin_case(const ReferenceCase& reference, int ranks);    // triplet_*, contrastive_*, warp
Computed logistic_case(const ReferenceCase& reference, int ranks);  // neg_*, nce_*, siglip_*
Computed selection_case(const ReferenceCase& reference, int ranks);  // ring_*
Computed mix_case(const ReferenceCase& reference, int ranks);        // mochi_*
Computed row_case(const ReferenceCase& reference, int ranks);        // adco_*
Computed sample_case(const ReferenceCase& reference, int ranks);     // mined_*, memory_update_*, popularity_draws
Computed draw_case(const ReferenceCase& reference, int ranks);       // warp_*, dns_*, nscaching_*
Computed adversary_case(const ReferenceCase& reference, int ranks);  // advir_*, daml_*, negcut_*
Computed metrics_case(const ReferenceCase& reference, int ranks);    // metrics

/// A job over the case's bank, or over its batch (then both sides take gradient), before it is told what to compute.
testing::ContrastJob bank_job(const ReferenceCase& reference, const std::string& objective, double tau);
testing::ContrastJob batch_job(const ReferenceCase& reference, const std::string& objective, double tau);

/// [B, K] of an objective's first term over one bank row at a time.
at::Tensor pair_values(const testing::ContrastJob& job, int ranks);

/// [B, K] bool: which rows the job's sampler lets each query meet.
at::Tensor members(const testing::ContrastJob& job, int ranks);

/// [B, K]: how often the job's sampler lets each query meet each row.
at::Tensor times_met(const testing::ContrastJob& job, int ranks);

/// The slots of the members of each query, best score first.
nlohmann::json ranked_members(const testing::ContrastJob& job, int ranks);

}  // namespace negatron::reference
