#include "tests/runtime/bank_files/made_bank.h"

#include <cmath>

#include "runtime/bank_files/write_bank.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "samplers/bank/row_geometry.h"
#include "tests/runtime/snapshots/saved_run.h"

namespace negatron::testing {

void write_made_bank(FileLayer& files, const std::filesystem::path& path, const std::vector<MadeRow>& rows, int shards,
                     std::int64_t snapshot_step, at::ScalarType dtype, RowLength length) {
  NewBank bank;
  bank.step = snapshot_step;
  BankLayoutState& layout = bank.bank.layout;
  const auto count = static_cast<std::int64_t>(rows.size());
  layout.capacity = count;
  layout.height = count;
  layout.columns = count;
  layout.head = count;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t step = rows[static_cast<std::size_t>(i)].step;
    if (layout.batches.empty() || layout.batches.back().step != step) {
      layout.batches.push_back({layout.next_number++, i, 0, step});
    }
    ++layout.batches.back().size;
  }
  bank.bank.shards = shards;
  bank.bank.width = row_width(length, 2);
  bank.bank.dtype = dtype;
  bank.bank.length = length;
  const NewRows read = [&](Range keys) {
    BankBlock block{at::empty({keys.size(), 2}, at::kDouble),
                    at::empty({keys.size()}, at::kLong),
                    at::empty({keys.size()}, at::kLong),
                    {},
                    {}};
    for (std::int64_t i = 0; i < keys.size(); ++i) {
      const MadeRow& row = rows[static_cast<std::size_t>(keys.begin + i)];
      block.vectors[i][0] = row.norm * std::cos(row.angle);
      block.vectors[i][1] = row.norm * std::sin(row.angle);
      block.ids[i] = row.id;
      block.labels[i] = row.label;
    }
    block.vectors = rows_of_vectors(block.vectors, length);
    for (std::int64_t i = 0; length == RowLength::kDistance && i < keys.size(); ++i) {
      block.vectors[i][2] += rows[static_cast<std::size_t>(keys.begin + i)].square_off;
      block.vectors[i][3] = rows[static_cast<std::size_t>(keys.begin + i)].last;
    }
    block.vectors = block.vectors.to(dtype);
    return block;
  };
  write_bank(files, path, bank, read, 3);
}

std::filesystem::path save_run(const SmallRun& run, FileLayer& files, const std::filesystem::path& directory,
                               std::int64_t steps, int ranks) {
  std::filesystem::create_directories(directory);
  const SaveReport report = save(run, files, directory, steps, ranks);
  if (report.state != SaveState::kCommitted) throw std::runtime_error(report.problem);
  return report.path;
}

OpenBank opened(const FileLayer& files, const std::filesystem::path& path) {
  return open_bank(files, path, BankMemory(kPlenty));
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const std::invalid_argument& error) {
    return std::string("usage: ") + error.what();
  } catch (const SnapshotError& error) {
    return std::string("snapshot: ") + error.what();
  }
  return "nothing";
}

}  // namespace negatron::testing
