#include "launch/python/bank_files.h"

#include <algorithm>
#include <limits>
#include <span>
#include <sstream>
#include <stdexcept>

#include "launch/bank/bank_report.h"
#include "runtime/bank_files/extract_rows.h"
#include "runtime/bank_files/listed_rows.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/matrices/held_matrix.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/text/json_text.h"
#include "samplers/bank/row_geometry.h"

namespace negatron::python {
namespace {

BankMemory memory_of(std::int64_t mib) {
  constexpr int kMibShift = 20;
  if (mib < 1 || mib > std::numeric_limits<std::int64_t>::max() >> kMibShift) {
    throw std::invalid_argument("memory must be a number of MiB above 0, not " + std::to_string(mib) + ".");
  }
  return BankMemory(mib << kMibShift);
}

std::string text_of_written(const std::string& path, const Manifest& manifest,
                            const nlohmann::ordered_json& more = nlohmann::ordered_json::object()) {
  std::ostringstream text;
  report_written(text, /*as_json=*/true, path, manifest, more);
  return text.str();
}

const char* name_of(const RowChoice& choice) {
  return choice.labels ? "labels" : "ids";
}

FoundKeys keys_of(const OpenBank& bank, const RowChoice& choice, const BankMemory& memory) {
  FoundKeys found;
  if (choice.range) {
    found.sequence = keys_in(bank, *choice.range, memory);
    return found;
  }
  const KeyColumn column = choice.labels ? KeyColumn::kLabel : KeyColumn::kId;
  found = find_keys(bank, column, choice.labels ? *choice.labels : *choice.ids, memory);
  if (found.sequence.empty()) {
    throw std::invalid_argument(std::string("no row of the bank has one of these ") + name_of(choice) + ".");
  }
  return found;
}

void require_one(const RowChoice& choice) {
  if ((choice.ids ? 1 : 0) + (choice.labels ? 1 : 0) + (choice.range ? 1 : 0) != 1) {
    throw std::invalid_argument("rows are meant by ids, by labels or by range: one of them.");
  }
}

}  // namespace

std::string info_of_bank(const std::string& path, const std::string& name, const BankInfoOptions& options,
                         std::int64_t memory_mib) {
  const BankMemory memory = memory_of(memory_mib);
  const OpenBank bank = open_bank(PosixFileLayer(), path, memory, {name, kNameArgument});
  return json_text(info_json(bank, bank_info(bank, options, memory), options.seed));
}

std::string verdict_on_bank(const std::string& path, std::int64_t memory_mib) {
  const BankMemory memory = memory_of(memory_mib);
  const PosixFileLayer files;
  std::vector<SnapshotVerdict> verdicts;
  for (const std::filesystem::path& snapshot : snapshots_at(files, path)) {
    verdicts.push_back(verify_bank(files, snapshot, memory));
  }
  return json_text(verify_json(verdicts));
}

std::string difference_of_banks(const std::string& path_a, const std::string& path_b, const std::string& name,
                                double tolerance, std::int64_t memory_mib) {
  if (!(tolerance >= 0.0)) throw std::invalid_argument("tolerance must be a number of at least 0.");
  const BankMemory memory = memory_of(memory_mib);
  OpenBank a = open_banks(PosixFileLayer(), path_a, memory).front();
  OpenBank b = open_banks(PosixFileLayer(), path_b, memory).front();
  const bool is_choice = a.manifest.banks.size() > 1 || b.manifest.banks.size() > 1;
  for (OpenBank* one : {&a, &b}) {
    if (is_choice && one->manifest.banks.size() == 1) continue;
    one->which = index_of_bank(one->path, one->manifest, {name, kNameArgument});
  }
  return json_text(diff_json(a, b, {diff_banks(a, b, memory), compare_rows(a, b, memory), tolerance}));
}

std::string reshard_to(const std::string& path, const std::string& out, std::int64_t ranks, std::int64_t memory_mib) {
  const BankMemory memory = memory_of(memory_mib);
  PosixFileLayer files;
  // Before the bank is opened, because verifying it takes as long as reading it.
  checked_ranks(ranks);
  return text_of_written(out, reshard_banks(files, open_banks(files, path, memory), out, ranks, memory));
}

std::string merge_to(const std::vector<std::string>& paths, const std::string& out, const MergeOptions& options,
                     std::int64_t memory_mib) {
  constexpr std::size_t kFewest = 2;
  if (paths.size() < kFewest) throw std::invalid_argument("merge takes at least two banks.");
  const BankMemory memory = memory_of(memory_mib);
  PosixFileLayer files;
  std::vector<OpenBank> banks;
  const BankChoice the_only_one{"", nullptr};
  for (const std::string& path : paths) banks.push_back(open_bank(files, path, memory, the_only_one));
  const MergeResult merged = merge_banks(files, banks, out, options, memory);
  return text_of_written(
      out, merged.manifest,
      {{"rows_read", merged.rows_read}, {"duplicates", merged.duplicates}, {"dropped", merged.dropped}});
}

std::string import_to(const at::Tensor& rows, const std::string& out, const ImportOptions& options,
                      std::int64_t memory_mib) {
  if (rows.dim() != 2 || rows.numel() == 0 || !rows.is_floating_point()) {
    throw std::invalid_argument("rows must be a floating matrix, [K, d] or, with transpose, [d, K].");
  }
  PosixFileLayer files;
  return text_of_written(out, import_rows(files, HeldMatrix(rows.detach().cpu()), out, options, memory_of(memory_mib)));
}

ChosenRows rows_of_bank(const std::string& path, const std::string& name, const RowChoice& choice,
                        std::int64_t memory_mib) {
  require_one(choice);
  const BankMemory memory = memory_of(memory_mib);
  const OpenBank bank = open_bank(PosixFileLayer(), path, memory, {name, kNameArgument});
  const FoundKeys found = keys_of(bank, choice, memory);
  const std::span<const std::int64_t> sequence = found.sequence;
  const auto count = static_cast<std::int64_t>(sequence.size());
  const at::TensorOptions number = at::kLong;
  ChosenRows chosen{{}, found.missing, bank.notes};
  BankBlock& all = chosen.rows;
  const RowLength length = bank.bank().length;
  all.vectors = at::empty({count, vector_width(length, bank.bank().width)}, bank.bank().dtype);
  for (at::Tensor* numbers : {&all.ids, &all.labels, &all.steps, &all.sequence}) *numbers = at::empty({count}, number);
  // What is asked for is not counted against the memory, but what is read at a time.
  const std::int64_t together = memory.fitting(2 * bank.bytes_while_reading());
  BankReader reader = bank.reader(together);
  for (std::int64_t begin = 0; begin < count; begin += together) {
    const std::int64_t some = std::min(together, count - begin);
    const BankBlock block =
        read_listed(reader, sequence.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(some)));
    const auto put = [&](const at::Tensor& into, const at::Tensor& part) { into.narrow(0, begin, some).copy_(part); };
    put(all.vectors, vectors_of_rows(block.vectors, length));
    put(all.ids, block.ids);
    put(all.labels, block.labels);
    put(all.steps, block.steps);
    put(all.sequence, block.sequence);
  }
  return chosen;
}

std::string extract_to(const std::string& path, const std::string& out, const std::string& name,
                       const RowChoice& choice, std::int64_t memory_mib) {
  require_one(choice);
  const BankMemory memory = memory_of(memory_mib);
  PosixFileLayer files;
  const OpenBank bank = open_bank(files, path, memory, {name, kNameArgument});
  const FoundKeys found = keys_of(bank, choice, memory);
  extract_rows(files, bank, out, found.sequence, memory);
  return json_text(nlohmann::ordered_json{{"path", out},
                                          {"rows", found.sequence.size()},
                                          {std::string(name_of(choice)) + "_not_found", found.missing},
                                          {"notes", bank.notes}});
}

NearAnswer rows_near(const std::string& path, const std::string& name, const NearRequest& request,
                     std::int64_t memory_mib) {
  const BankMemory memory = memory_of(memory_mib);
  if (request.top < 1) throw std::invalid_argument("top must be at least 1.");
  const at::Tensor& vectors = request.queries;
  if (vectors.defined() && (vectors.dim() != 2 || vectors.size(0) == 0 || !vectors.is_floating_point())) {
    throw std::invalid_argument("queries must be a floating matrix [n, d].");
  }
  const OpenBank bank = open_bank(PosixFileLayer(), path, memory, {name, kNameArgument});
  NearAnswer answer;
  answer.notes = bank.notes;
  const NearQueries queries = vectors.defined() ? queries_of_matrix(bank, HeldMatrix(vectors.detach().cpu()),
                                                                    {0, vectors.size(0)}, request.normalize, memory)
                                                : queries_of_samples(bank, request.ids, memory, answer.missing);
  if (queries.count() == 0) throw std::invalid_argument("no row of the bank has one of these ids.");
  answer.rows = near_rows(bank, queries, request.top, memory);
  answer.samples = queries.ids;
  return answer;
}

}  // namespace negatron::python
