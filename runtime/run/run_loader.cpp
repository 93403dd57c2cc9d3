#include "runtime/run/run_loader.h"

#include <utility>

#include "runtime/data/batch_placement.h"
#include "runtime/run/data_memory.h"
#include "runtime/run/refresh_jobs.h"

namespace negatron {

LoaderOptions run_loader_options(const PretrainOptions& options, const ContrastSetup& setup, const PretrainData& data,
                                 const ViewFormat& format, const Communicator& comm) {
  LoaderOptions loader;
  loader.batches.global_batch = options.global_batch;
  loader.batches.seed = options.seed;
  loader.batches.rank = comm.rank();
  loader.batches.ranks = comm.size();
  loader.batches.drop_last = options.drop_last;
  loader.batches.identities = options.batch_identities;
  loader.batches.views = options.views_of_sample();
  if (const std::optional<Mining> mining = setup.mining()) loader.batches.mined = mining->met;
  loader.planned = plans_batches(options, setup);
  loader.batches.unmade = options.views_on_device;
  loader.batches.augmentation = options.augmentation;
  loader.batches.format = format;
  loader.threads = options.loader_threads < 0 ? 1 : static_cast<int>(options.loader_threads);
  loader.queue_depth = batch_queue(options, data, format.size, comm.size(), setup.views_in_batch(options)).batches;
  return loader;
}

Loader make_run_loader(const PretrainData& data, LoaderOptions options, const ComputePlace& place) {
  options.finish = [placement = batch_placement_on(place.device)](Batch& batch) {
    batch = placement->place(std::move(batch));
  };
  return Loader(data.train, options);
}

}  // namespace negatron
