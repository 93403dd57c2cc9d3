#pragma once

#include "runtime/training/pretrain_options.h"

namespace negatron {

/// Refuses flags that do not go with the samples that --data names: of features, all that images are changed by, and
/// encoders that take images alone; of images, the noise and dropout of features. Local. Throws std::invalid_argument
/// in a sentence that names the flag.
void check_sample_flags(const PretrainOptions& options, bool are_features);

}  // namespace negatron
