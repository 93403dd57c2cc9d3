#pragma once

#include "comm/communicator.h"
#include "runtime/data/loader.h"
#include "runtime/data/view_format.h"
#include "runtime/encoders/compute_place.h"
#include "runtime/run/pretrain_data.h"
#include "runtime/training/contrast_setup.h"
#include "runtime/training/pretrain_options.h"

namespace negatron {

/// Which batches a run trains on, of which this rank has its share: what the options say of views and order, planned
/// where they follow a plan, and as many that wait as `options.data_memory` holds. `format` is that of every view.
/// Local.
LoaderOptions run_loader_options(const PretrainOptions& options, const ContrastSetup& setup, const PretrainData& data,
                                 const ViewFormat& format, const Communicator& comm);

/// Their loader. Batches are on their way to where they are trained on as soon as they are built. Local.
Loader make_run_loader(const PretrainData& data, LoaderOptions options, const ComputePlace& place);

}  // namespace negatron
