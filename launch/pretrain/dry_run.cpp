#include "launch/pretrain/dry_run.h"

#include <iomanip>
#include <ostream>
#include <sstream>

#include "comm/share.h"
#include "runtime/run/data_memory.h"
#include "runtime/snapshots/hdf5/dtype_text.h"
#include "runtime/training/bank_setup.h"

namespace negatron {
namespace {

std::string bytes_text(std::int64_t bytes) {
  constexpr double kMebibyte = 1024.0 * 1024.0;
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << static_cast<double>(bytes) / kMebibyte << " MiB";
  return text.str();
}

void print_line(std::ostream& out, const std::string& name, const std::string& text) {
  out << "  " << std::left << std::setw(34) << name << text << "\n";
}

std::string shape(std::initializer_list<std::int64_t> sizes) {
  std::ostringstream text;
  for (const std::int64_t size : sizes) text << (text.tellp() == 0 ? "[" : ", ") << size;
  return text.str() + "]";
}

std::string count_text(const ImageSource* images) {
  return images == nullptr ? "none" : std::to_string(images->size());
}

void print_images(const PretrainData& data, std::ostream& out) {
  out << "\nImages\n";
  print_line(out, "training", count_text(data.train.get()));
  print_line(out, "evaluation", count_text(data.test.get()));
  print_line(out, "classes", data.train->has_labels() ? std::to_string(count_classes(*data.train)) : "none");
}

void print_memory(const PretrainOptions& options, const ContrastSetup& setup, const PretrainData& data,
                  const KnownSizes& sizes, std::ostream& out) {
  const RunMemory& memory = sizes.memory;
  out << "Memory of rank 0\n";
  print_line(out, "parameters", bytes_text(memory.parameters));
  print_line(out, "gradients, optimizer", bytes_text(memory.gradients_and_optimizer));
  if (memory.key_encoder > 0) print_line(out, "key encoder", bytes_text(memory.key_encoder));
  if (memory.bank() > 0)
    print_line(out, "bank", bytes_text(memory.bank_rows + memory.bank_learning + memory.bank_anew));
  if (memory.sampler_lists > 0) print_line(out, "lists of samples", bytes_text(memory.sampler_lists));
  if (memory.ordered_rows > 0) print_line(out, "rows to order by", bytes_text(memory.ordered_rows));
  print_line(out, "training images", bytes_text(data.train->bytes_in_memory()));
  const BatchQueue queue =
      batch_queue(options, data, data.train->view_size(), sizes.ranks, setup.views_in_batch(options));
  print_line(out, "batches that wait", std::to_string(queue.batches) + " of " + bytes_text(queue.batch_bytes));
  print_line(out, "index of images", bytes_text(data.train->bytes_of_index()));
}

void print_steps(const PretrainOptions& options, const ImageSource& train, std::ostream& out) {
  out << "Steps\n";
  // As BatchSource counts: a last batch that is not full is a step, unless --drop-last leaves it out.
  const std::int64_t rounding = options.drop_last ? 0 : options.global_batch - 1;
  const std::int64_t steps = std::max<std::int64_t>(1, (train.size() + rounding) / options.global_batch);
  print_line(out, "per epoch", std::to_string(steps));
  print_line(out, "in all",
             std::to_string(options.max_steps > 0 ? std::min(options.max_steps, steps * options.epochs)
                                                  : steps * options.epochs));
}

}  // namespace

void print_dry_run(const PretrainOptions& options, const ContrastSetup& setup, const ComputePlace& place,
                   const PretrainData& data, const KnownSizes& sizes, std::ostream& out) {
  const ImageSource& train = *data.train;
  print_images(data, out);
  const int ranks = sizes.ranks;
  const std::int64_t batch = share(options.global_batch, ranks, 0).size();
  const std::int64_t width = options.head.output;

  out << "One step of rank 0 of " << ranks << " (" << place.device << ", " << name_of(place.precision) << ")\n";
  print_line(out, options.views_of_sample() == 2 ? "two views" : "one view",
             shape({batch, train.channels(), train.view_size().height, train.view_size().width}));
  if (const std::optional<Mining> mining = setup.mining()) {
    print_line(out, "views of mined samples",
               shape({batch * mining->met, train.channels(), train.view_size().height, train.view_size().width}));
  }
  if (options.accumulate > 1) {
    // Of the encoders' activations, which nothing here estimates, those of one part are in memory at a time.
    const std::int64_t part = (batch + options.accumulate - 1) / options.accumulate;
    print_line(out, "a part of them",
               shape({part, train.channels(), train.view_size().height, train.view_size().width}));
  }
  print_line(out, "features", shape({batch, sizes.feature_width}));
  print_line(out, setup.has_rows_as_positives() ? "queries, own rows" : "queries, keys",
             shape({batch, width}) + (options.head.length == RowLength::kUnit ? "" : " of any length"));
  if (setup.has_bank()) {
    const BankLayout layout = layout_of_bank(options, ranks);
    print_line(out, options.bank_per_view ? "bank of a view, all ranks" : "bank, all ranks",
               shape({options.bank_rows, options.width_of_rows()}) + " " +
                   dtype_text(row_type(options, place.precision)) +
                   (options.head.length == RowLength::kDistance ? ", two numbers of each for distances" : ""));
    print_line(out, options.bank_per_view ? "bank of a view, this rank" : "bank, this rank",
               shape({layout.local_rows(0), options.width_of_rows()}));
  }
  print_memory(options, setup, data, sizes, out);
  print_steps(options, train, out);
}

}  // namespace negatron
