#include "runtime/bank_files/write_bank.h"

#include <algorithm>
#include <stdexcept>

#include "comm/require.h"
#include "runtime/snapshots/snapshot_directory.h"
#include "runtime/snapshots/virtual_bank.h"

namespace negatron {
namespace {

namespace fs = std::filesystem;

/// "OUT" for "OUT/": what is renamed is a name and not a path that ends in nothing.
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

/// The keys of one shard in ring order, in as many reads as it has batches.
BankBlockSource shard_rows(const SavedBank& bank, const RingOrder& order, const NewRows& read) {
  return [&bank, &order, &read, position = std::int64_t{0}](std::int64_t rows) mutable {
    BankBlock block{at::empty({rows, bank.width}, bank.dtype), at::empty({rows}, at::kLong),
                    at::empty({rows}, at::kLong), at::empty({rows}, at::kLong), at::empty({rows}, at::kLong)};
    std::int64_t done = 0;
    for (const RingOrder::Stretch& stretch : order.stretches({position, position + rows})) {
      const BankBlock part = read({stretch.sequence, stretch.sequence + stretch.count});
      const auto put = [&](const at::Tensor& all, const at::Tensor& some) {
        all.narrow(0, done, stretch.count).copy_(some);
      };
      put(block.vectors, part.vectors);
      put(block.ids, part.ids);
      put(block.labels, part.labels);
      if (rows_stay(bank.kind)) {
        put(block.steps, part.steps);
      } else {
        block.steps.narrow(0, done, stretch.count).fill_(stretch.step);
      }
      block.sequence.narrow(0, done, stretch.count)
          .copy_(at::arange(stretch.sequence, stretch.sequence + stretch.count, at::kLong));
      done += stretch.count;
    }
    position += rows;
    return block;
  };
}

/// A further matrix of a shard of rows that learn, whose rows are one stretch: position p is the key that follows p
/// others.
MatrixSource further_rows(const RingOrder& order, const NewMatrix& read) {
  return [&order, &read, position = std::int64_t{0}](std::int64_t rows) mutable {
    const RingOrder::Stretch stretch = order.stretches({position, position + rows}).front();
    position += rows;
    return read({stretch.sequence, stretch.sequence + rows});
  };
}

ShardSources shard_sources(const NewBank& bank, const RingOrder& order) {
  ShardSources sources{shard_rows(bank.bank, order, bank.rows)};
  if (rows_learn(bank.bank.kind)) {
    require(bank.raw && bank.moments, "write_bank: of rows that learn there must be raw rows and moments");
    sources.raw = further_rows(order, bank.raw);
    sources.moments = further_rows(order, bank.moments);
  }
  return sources;
}

/// Byte for byte, with the digest of what was read compared again: it is some time since it was verified.
ManifestFile copy_trainer(FileLayer& files, const OpenBank& from, const fs::path& directory, std::int64_t block_bytes) {
  const ManifestFile& known = from.manifest.file(kTrainerName);
  const fs::path source = from.path / kTrainerName;
  const std::unique_ptr<InputFile> input = files.open(source);
  const std::unique_ptr<OutputFile> output = files.create(directory / kTrainerName);
  std::vector<std::byte> block(static_cast<std::size_t>(block_bytes));
  for (std::int64_t offset = 0; offset < input->size();) {
    const auto count = static_cast<std::size_t>(std::min(block_bytes, input->size() - offset));
    const std::span<std::byte> bytes = std::span(block).first(count);
    input->read(offset, bytes);
    output->append(bytes);
    offset += static_cast<std::int64_t>(count);
  }
  output->sync();
  output->close();
  // Of the copy, read back: it is right only when what was read and what was written are both.
  check_digest(source, digest_of_file(files, directory / kTrainerName, block_bytes), known.digest);
  return known;
}

}  // namespace

std::int64_t NewBank::row_bytes() const {
  return negatron::row_bytes(bank);
}

void check_new_snapshot(const FileLayer& files, const fs::path& out, std::int64_t step) {
  check_new_path(files, out);
  const fs::path path = without_slash(out);
  const std::optional<std::int64_t> named = step_of(path.filename().string());
  if (named && *named != step) {
    throw std::invalid_argument("'" + path.string() + "' is the name of a snapshot of step " + std::to_string(*named) +
                                ", but this one is of step " + std::to_string(step) + "; call it " + step_name(step) +
                                " or something else.");
  }
}

void reserve_for_writing(const SavedBank& bank, BankMemory& memory) {
  const BankLayout layout(bank.layout, bank.shards);
  std::int64_t most = 0;
  for (int shard = 0; shard < bank.shards; ++shard) most = std::max(most, RingOrder(layout, shard).size());
  memory.reserve(most * kNumberBytesPerRow,
                 "ids, labels and steps of the " + std::to_string(most) + " rows of a file, or more --ranks");
}

Manifest write_bank(FileLayer& files, const fs::path& out, const NewBank& bank, const NewRows& read,
                    std::int64_t block_rows) {
  NewBank whole = bank;
  whole.rows = read;
  return write_banks(files, out, {whole}, block_rows);
}

Manifest write_banks(FileLayer& files, const fs::path& out, const std::vector<NewBank>& banks,
                     std::int64_t block_rows) {
  const NewBank& first = banks.front();
  check_new_snapshot(files, out, first.step);
  Manifest manifest{first.step, first.bank.shards, {}, {}};
  write_then_rename(files, without_slash(out), [&](const fs::path& partial) {
    files.make_directory(partial);
    FileWriting writing;
    for (std::size_t i = 0; i < banks.size(); ++i) {
      const SavedBank& bank = banks[i].bank;
      manifest.banks.push_back(bank);
      writing.block_bytes = block_rows * banks[i].row_bytes();
      const BankLayout layout(bank.layout, bank.shards);
      for (int shard = 0; shard < bank.shards; ++shard) {
        const RingOrder order(layout, shard);
        const std::string name = bank_file_name(shard, bank.shards, bank.name);
        const ShardSources sources = shard_sources(banks[i], order);
        manifest.files.push_back({name, write_bank_file(files, partial / name, bank, shard, sources, writing)});
      }
    }
    if (first.trainer_of != nullptr) {
      manifest.files.push_back(copy_trainer(files, *first.trainer_of, partial, writing.block_bytes));
    }
    for (const SavedBank& bank : manifest.banks) {
      const std::string name = virtual_bank_name(bank.name);
      manifest.files.push_back({name, write_virtual_bank(files, partial / name, bank, writing)});
    }
    const std::string text = manifest_text(manifest);
    // Never publish what could not be read back.
    parse_manifest(text);
    write_text(files, partial / kManifestName, text);
    files.sync_directory(partial);
  });
  return manifest;
}

}  // namespace negatron
