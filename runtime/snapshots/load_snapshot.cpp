#include "runtime/snapshots/load_snapshot.h"

#include "runtime/snapshots/bank_reader.h"
#include "runtime/snapshots/hdf5/hdf5_types.h"
#include "runtime/snapshots/trainer_file.h"

namespace negatron {

namespace {

std::filesystem::path trainer_file_of(const Snapshot& snapshot) {
  if (!snapshot.manifest.has(kTrainerName)) {
    throw SnapshotError("'" + snapshot.path.string() + "' holds a bank alone and no run that could go on.");
  }
  return snapshot.path / kTrainerName;
}

}  // namespace

TrainerState load_trainer(const Snapshot& snapshot) {
  return read_trainer_file(trainer_file_of(snapshot));
}

std::string load_trainer_text(const Snapshot& snapshot, const std::string& name) {
  return read_trainer_text(trainer_file_of(snapshot), name);
}

BankOptions options_of(const SavedBank& saved) {
  BankOptions options;
  options.rows = saved.layout.capacity;
  options.width = saved.width;
  options.dtype = saved.dtype;
  options.fill = BankFill::kEmpty;
  options.global_batch = saved.layout.height;
  options.kind = saved.kind;
  options.length = saved.length;
  options.row_optimizer = saved.row_optimizer;
  return options;
}

void load_bank(const Snapshot& snapshot, Bank& bank, const LoadBankOptions& options) {
  const std::string name = "'" + snapshot.path.string() + "'";
  const SavedBank* found = snapshot.manifest.bank_named(options.name);
  if (found == nullptr) {
    throw SnapshotError(name + " holds no bank" + (options.name.empty() ? "" : " '" + options.name + "'") +
                        ", but this run wants one.");
  }
  const SavedBank& saved = *found;
  const auto refuse = [&](const std::string& what, const std::string& theirs, const std::string& ours) {
    throw SnapshotError("The bank of " + name + " has " + what + " " + theirs + "; this run wants " + ours + ".");
  };
  if (saved.kind != bank.options().kind) refuse("the kind", kind_text(saved.kind), kind_text(bank.options().kind));
  if (saved.length != bank.options().length) {
    refuse("rows of the length", name_of(saved.length), name_of(bank.options().length));
  }
  // All refusals come before the bank is touched. A throw of restore itself leaves the bank without a use.
  if (saved.width != bank.width()) refuse("rows of width", std::to_string(saved.width), std::to_string(bank.width()));
  if (saved.layout.capacity != bank.capacity()) {
    refuse("a capacity of", std::to_string(saved.layout.capacity), std::to_string(bank.capacity()));
  }
  if (saved.dtype != bank.options().dtype && !options.convert_dtype) {
    refuse("rows of type", dtype_text(saved.dtype), dtype_text(bank.options().dtype));
  }
  if (saved.row_optimizer != bank.options().row_optimizer) {
    refuse("rows trained by", row_optimizer_text(saved.row_optimizer),
           row_optimizer_text(bank.options().row_optimizer));
  }
  BankReader reader(snapshot.path, saved, options.block_bytes, BankReader::Learned::kRead);
  // Each rank asks for its own keys, so no rank waits for another here, and one that throws leaves nobody in a
  // collective.
  bank.restore(saved.layout, [&](Range sequence) { return reader.read(sequence); });
}

}  // namespace negatron
