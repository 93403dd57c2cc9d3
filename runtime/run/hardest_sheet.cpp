#include "runtime/run/hardest_sheet.h"

#include "runtime/bank_files/open_bank.h"
#include "runtime/reports/near_sheet.h"
#include "runtime/snapshots/files/posix_file_layer.h"

namespace negatron {
namespace {

/// Undefined where there is nothing to show.
at::Tensor hardest_sheet(const std::filesystem::path& run_directory, const ImageSource& train) {
  constexpr std::int64_t kMemory = std::int64_t{256} << 20;
  const PosixFileLayer files;
  const BankMemory memory(kMemory);
  const PictureOptions options;
  const auto pictures = near_pictures(open_bank(files, run_directory, memory), train, options, memory);
  return pictures.empty() ? at::Tensor() : near_sheet(pictures, options.side);
}

}  // namespace

void log_hardest(const std::filesystem::path& run_directory, const ImageSource& train, std::int64_t steps_done,
                 RunLog& log) {
  try {
    const at::Tensor sheet = hardest_sheet(run_directory, train);
    if (sheet.defined()) log.hardest(steps_done, sheet);
  } catch (const std::exception& error) {
    log.remark(std::string("TensorBoard gets no pictures of the hardest negatives: ") + error.what());
  }
}

}  // namespace negatron
