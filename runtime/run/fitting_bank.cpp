#include "runtime/run/fitting_bank.h"

#include <string>

#include "runtime/snapshots/hdf5/dtype_text.h"

namespace negatron {

void require_bank(const Snapshot& snapshot, const BankOptions* bank, bool convert) {
  const std::string name = "The snapshot '" + snapshot.path.string() + "'";
  if (bank == nullptr) {
    if (snapshot.manifest.bank) throw SnapshotError(name + " holds a bank, but this run has none (--negatives).");
    return;
  }
  if (!snapshot.manifest.bank) throw SnapshotError(name + " holds no bank, but this run has one (--negatives).");
  const SavedBank& saved = *snapshot.manifest.bank;
  const auto refuse = [&](const std::string& what, const std::string& theirs, const std::string& ours,
                          const std::string& flag) {
    throw SnapshotError(name + " holds a bank of " + what + " " + theirs + ", this run's is " + ours + " (" + flag +
                        ").");
  };
  if (saved.kind != bank->kind) refuse("kind", kind_text(saved.kind), kind_text(bank->kind), "--bank-kind");
  if (saved.length != bank->length) {
    refuse("row length", name_of(saved.length), name_of(bank->length), "--head-output");
  }
  if (saved.width != bank->width) {
    refuse("width", std::to_string(saved.width), std::to_string(bank->width), "--width");
  }
  if (saved.layout.capacity != bank->rows) {
    refuse("rows", std::to_string(saved.layout.capacity), std::to_string(bank->rows),
           rows_have_samples(bank->kind) ? "--data: such a bank has a row for each sample" : "--bank-rows");
  }
  if (saved.dtype != bank->dtype && !convert) {
    refuse("type", dtype_text(saved.dtype), dtype_text(bank->dtype), "--bank-dtype; --convert-bank rounds its rows");
  }
}

void require_row_optimizer(const Snapshot& snapshot, const BankOptions* bank) {
  if (bank == nullptr || !rows_learn(bank->kind)) return;
  const RowOptimizerKind saved = snapshot.manifest.bank->row_optimizer;
  if (saved == bank->row_optimizer) return;
  throw SnapshotError("The snapshot '" + snapshot.path.string() + "' has rows that were trained by " +
                      row_optimizer_text(saved) + ", this run's are by " + row_optimizer_text(bank->row_optimizer) +
                      " (--rows-optimizer).");
}

}  // namespace negatron
