#include "runtime/run/hardest_sheet.h"

#include "runtime/bank_files/open_bank.h"
#include "runtime/reports/near_sheet.h"
#include "runtime/snapshots/files/posix_file_layer.h"

namespace negatron {

at::Tensor hardest_sheet(const std::filesystem::path& run_directory, const ImageSource& train) {
  constexpr std::int64_t kMemory = std::int64_t{256} << 20;
  const PosixFileLayer files;
  const BankMemory memory(kMemory);
  const PictureOptions options;
  const auto pictures = near_pictures(open_bank(files, run_directory, memory), train, options, memory);
  return pictures.empty() ? at::Tensor() : near_sheet(pictures, options.side);
}

}  // namespace negatron
