#pragma once

#include "comm/communicator.h"
#include "runtime/data/image_source.h"
#include "runtime/data/normalization.h"

namespace negatron {

/// Mean and standard deviation of the pixels of each channel, in units of byte / 255. Images that lie in memory are all
/// looked at; of others 1,024, evenly spaced: their mean is off by a 32nd of what images differ by, and more of them
/// would only make a start longer. Of features, each by itself, at most 10,000 rows. The same bits on any number of
/// ranks. Throws DataError, and std::invalid_argument without images.
///
/// This one is local: it looks at all of them.
Normalization measured_normalization(const ImageSource& source);
/// Collective: each rank looks at its share, and a failure on one of them is FailedTogether on all. `comm` carries host
/// tensors. Bytes received per rank: 8 for each value of a byte and channel.
Normalization measured_normalization(const ImageSource& source, Communicator& comm);

}  // namespace negatron
