#include "runtime/run/fitting_bank.h"

#include <algorithm>
#include <string>

#include "runtime/snapshots/hdf5/dtype_text.h"

namespace negatron {

namespace {

void require_bank(const std::string& name, const SavedBank& saved, const BankOptions& bank, bool convert) {
  const auto refuse = [&](const std::string& what, const std::string& theirs, const std::string& ours,
                          const std::string& flag) {
    throw SnapshotError(name + " holds a bank of " + what + " " + theirs + ", this run's is " + ours + " (" + flag +
                        ").");
  };
  if (saved.kind != bank.kind) refuse("kind", kind_text(saved.kind), kind_text(bank.kind), "--bank-kind");
  if (saved.length != bank.length) {
    refuse("row length", name_of(saved.length), name_of(bank.length), "--head-output");
  }
  if (saved.width != bank.width) {
    // Of vectors: that is what the flag gives.
    refuse("width", std::to_string(vector_width(saved.length, saved.width)),
           std::to_string(vector_width(bank.length, bank.width)), "--width");
  }
  if (saved.layout.capacity != bank.rows) {
    refuse("rows", std::to_string(saved.layout.capacity), std::to_string(bank.rows),
           rows_have_samples(bank.kind) ? "--data: such a bank has a row for each sample" : "--bank-rows");
  }
  if (saved.dtype != bank.dtype && !convert) {
    refuse("type", dtype_text(saved.dtype), dtype_text(bank.dtype), "--bank-dtype; --convert-bank rounds its rows");
  }
}

std::string count_text(std::size_t banks) {
  return banks == 0 ? "no bank" : banks == 1 ? "one bank" : "a bank for each view";
}

}  // namespace

void require_banks(const Snapshot& snapshot, const WantedBanks& wanted, bool convert) {
  const std::string name = "The snapshot '" + snapshot.path.string() + "'";
  const std::vector<SavedBank>& saved = snapshot.manifest.banks;
  if (wanted.names.empty() != saved.empty()) {
    throw SnapshotError(name + (saved.empty() ? " holds no bank, but this run has one (--negatives)."
                                              : " holds a bank, but this run has none (--negatives)."));
  }
  const bool are_there = std::all_of(wanted.names.begin(), wanted.names.end(), [&](const std::string& one) {
    return snapshot.manifest.bank_named(one) != nullptr;
  });
  if (!are_there || saved.size() != wanted.names.size()) {
    const bool is_nameless = saved.size() == 1 && saved.front().name.empty();
    throw SnapshotError(name + " holds " + (is_nameless ? "one bank" : "the banks " + bank_names_text(saved)) +
                        ", this run has " + count_text(wanted.names.size()) + " (--bank-per-view).");
  }
  for (const SavedBank& bank : saved) require_bank(name, bank, wanted.options, convert);
}

void require_row_optimizer(const Snapshot& snapshot, const WantedBanks& wanted) {
  const BankOptions& bank = wanted.options;
  if (wanted.names.empty() || !rows_learn(bank.kind)) return;
  const RowOptimizerKind saved = snapshot.manifest.bank_named(wanted.names.front())->row_optimizer;
  if (saved == bank.row_optimizer) return;
  throw SnapshotError("The snapshot '" + snapshot.path.string() + "' has rows that were trained by " +
                      row_optimizer_text(saved) + ", this run's are by " + row_optimizer_text(bank.row_optimizer) +
                      " (--rows-optimizer).");
}

}  // namespace negatron
