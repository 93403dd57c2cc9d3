#include "runtime/bank_files/open_bank.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace negatron {

namespace fs = std::filesystem;

std::int64_t OpenBank::row_bytes() const {
  return bank().width * static_cast<std::int64_t>(c10::elementSize(bank().dtype));
}

std::size_t index_of_bank(const fs::path& snapshot, const Manifest& manifest, const BankChoice& choice) {
  const std::vector<SavedBank>& all = manifest.banks;
  if (all.size() == 1 && choice.name.empty()) return 0;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const SavedBank& one) { return one.name == choice.name; });
  if (found != all.end()) return static_cast<std::size_t>(found - all.begin());
  const std::string there = "The snapshot '" + snapshot.string() + "' holds ";
  const std::string flag = choice.flag == nullptr ? "" : choice.flag;
  if (all.size() == 1) throw std::invalid_argument(there + "one bank, which needs no " + flag + ".");
  const std::string what_to_do =
      flag.empty() ? "; what is asked for takes a snapshot of one" : "; say which with " + flag;
  throw std::invalid_argument(there + "the banks " + bank_names_text(all) + what_to_do + ".");
}

OpenBank open_bank(const FileLayer& files, const fs::path& path, const BankMemory& memory, const BankChoice& choice) {
  // The first one has the notes.
  OpenBank bank = std::move(open_banks(files, path, memory).front());
  bank.which = index_of_bank(bank.path, bank.manifest, choice);
  return bank;
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
