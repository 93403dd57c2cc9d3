#include "runtime/bank_files/open_bank.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace negatron {

namespace fs = std::filesystem;

std::int64_t OpenBank::row_bytes() const {
  return bank().width * static_cast<std::int64_t>(c10::elementSize(bank().dtype));
}

OpenBank open_bank(const FileLayer& files, const fs::path& path, const BankMemory& memory) {
  ChosenSnapshot chosen = choose_snapshot(files, path, std::min(kDigestBlockBytes, memory.left()));
  Snapshot& snapshot = chosen.snapshot;
  if (!snapshot.manifest.bank) {
    throw std::invalid_argument("The snapshot '" + snapshot.path.string() + "' holds no bank.");
  }
  return {snapshot.path, std::move(snapshot.manifest), std::move(chosen.notes)};
}

void for_each_block(const OpenBank& bank, std::int64_t rows, const std::function<void(const BankBlock&)>& visit) {
  BankReader reader = bank.reader(rows);
  const BankLayout& layout = reader.layout();
  for (std::int64_t begin = layout.floor(); begin < layout.head(); begin += rows) {
    visit(reader.read({begin, std::min(begin + rows, layout.head())}));
  }
}

}  // namespace negatron
