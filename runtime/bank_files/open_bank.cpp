#include "runtime/bank_files/open_bank.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace negatron {

namespace fs = std::filesystem;

std::int64_t OpenBank::row_bytes() const {
  return bank().width * static_cast<std::int64_t>(c10::elementSize(bank().dtype));
}

OpenBank open_bank(const FileLayer& files, const fs::path& path, const BankMemory& memory, const BankChoice& choice) {
  std::vector<OpenBank> banks = open_banks(files, path, memory);
  if (banks.size() == 1 && choice.name.empty()) return std::move(banks.front());
  const std::vector<SavedBank>& all = banks.front().manifest.banks;
  const auto found =
      std::find_if(banks.begin(), banks.end(), [&](const OpenBank& one) { return one.bank().name == choice.name; });
  if (found != banks.end()) return std::move(*found);
  const std::string snapshot = "The snapshot '" + banks.front().path.string() + "' holds ";
  if (all.size() == 1) throw std::invalid_argument(snapshot + "one bank, which needs no " + choice.flag + ".");
  throw std::invalid_argument(snapshot + "the banks " + bank_names_text(all) + "; say which with " + choice.flag + ".");
}

std::vector<OpenBank> open_banks(const FileLayer& files, const fs::path& path, const BankMemory& memory) {
  ChosenSnapshot chosen = choose_snapshot(files, path, std::min(kDigestBlockBytes, memory.left()));
  Snapshot& snapshot = chosen.snapshot;
  if (snapshot.manifest.banks.empty()) {
    throw std::invalid_argument("The snapshot '" + snapshot.path.string() + "' holds no bank.");
  }
  std::vector<OpenBank> banks;
  for (std::size_t i = 0; i < snapshot.manifest.banks.size(); ++i) {
    banks.push_back({snapshot.path, snapshot.manifest, i == 0 ? chosen.notes : std::vector<std::string>(), i});
  }
  return banks;
}

void for_each_block(const OpenBank& bank, std::int64_t rows, const std::function<void(const BankBlock&)>& visit) {
  BankReader reader = bank.reader(rows);
  const BankLayout& layout = reader.layout();
  for (std::int64_t begin = layout.floor(); begin < layout.head(); begin += rows) {
    visit(reader.read({begin, std::min(begin + rows, layout.head())}));
  }
}

}  // namespace negatron
