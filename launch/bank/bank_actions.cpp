#include "launch/bank/bank_actions.h"

#include <limits>
#include <ostream>

#include "launch/bank/bank_arguments.h"
#include "launch/bank/bank_report.h"
#include "launch/bank/near_report.h"
#include "launch/exit_code.h"
#include "launch/flags/float_type.h"
#include "runtime/bank_files/extract_rows.h"
#include "runtime/bank_files/import_rows.h"
#include "runtime/bank_files/merge_banks.h"
#include "runtime/bank_files/near_rows.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/text/json_text.h"

namespace negatron {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

/// What a command that wrote a bank says: one object for programs, or a sentence for people, and nothing in between, so
/// that `--json` can be piped. `more` is what only this command knows.
int report_written(const BankArguments& request, std::ostream& out, const std::string& path, const Manifest& manifest,
                   const Json& more = Json::object()) {
  if (request.json()) {
    Json json = written_json(path, manifest);
    json.update(more);
    out << json_text(json) << "\n";
  } else {
    print_written(out, path, manifest);
  }
  return kExitOk;
}

std::unique_ptr<MatrixFile> opened_matrix(BankArguments& request, const std::string& path, const std::string& dataset) {
  try {
    return open_matrix(request.files(), request.seekable(path), dataset);
  } catch (const SnapshotError& error) {
    // Not a snapshot that is damaged but a file of another kind.
    throw UsageError(error.what());
  }
}

// Each command below is read in one order: declare its flags, parse, refuse what cannot be meant, and only then open a
// bank. Nothing is read, and nothing written, before the whole command line is known to make sense.

int info(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank info PATH [FLAGS]\n\n"
      "What is in a bank.\n",
      out, remarks);
  BankInfoOptions options;
  request.flags().add("sample", &options.uniformity_rows, "rows that uniformity is computed over, all pairs of them");
  request.flags().add("seed", &options.seed, "of the choice of those rows");
  if (!request.parse(arguments, 1, 1)) return kExitOk;
  if (options.uniformity_rows < 0) throw UsageError("--sample must not be negative.");
  const OpenBank bank = request.open(request.path(0));
  const BankInfo found = bank_info(bank, options, request.memory());
  if (request.json()) {
    out << json_text(info_json(bank, found, options.seed)) << "\n";
  } else {
    print_info(out, bank, found, options.seed);
  }
  return kExitOk;
}

int verify(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank verify PATH [FLAGS]\n\n"
      "Every digest and everything else that must hold of a snapshot, or of all snapshots of a run.\n"
      "Exit code 1 when something does not, and the names of the bad files.\n",
      out, remarks);
  if (!request.parse(arguments, 1, 1)) return kExitOk;
  std::vector<SnapshotVerdict> verdicts;
  bool good = true;
  // A verdict is printed as soon as it is there: reading all snapshots of a run may take an hour, and the first bad one
  // is what somebody waits for. Programs get all of them as one object at the end.
  for (const std::filesystem::path& snapshot : snapshots_at(request.files(), request.path(0))) {
    verdicts.push_back(verify_bank(request.files(), snapshot, request.memory()));
    good = good && verdicts.back().good();
    if (!request.json()) print_verdict(out, verdicts.back());
  }
  if (request.json()) out << json_text(verify_json(verdicts)) << "\n";
  return good ? kExitOk : kExitFailure;
}

int reshard(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank reshard IN OUT --ranks N [FLAGS]\n\n"
      "The same snapshot over another number of ranks; a run can be resumed from it.\n",
      out, remarks);
  std::int64_t ranks = 0;
  request.flags().add("ranks", &ranks, "files that the bank is to lie in");
  if (!request.parse(arguments, 2, 2)) return kExitOk;
  // Before the bank is opened, because verifying it takes as long as reading it.
  checked_ranks(ranks);
  const OpenBank bank = request.open(request.path(0));
  return report_written(request, out, request.path(1),
                        reshard_bank(request.files(), bank, request.path(1), ranks, request.memory()));
}

int diff(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank diff A B [FLAGS]\n\n"
      "Compares two banks as sets of (id, step, vector), and their order and labels. Exit code 0 when all\n"
      "of it is equal, 1 when not, however many files either lies in.\n",
      out, remarks);
  if (!request.parse(arguments, 2, 2)) return kExitOk;
  const OpenBank a = request.open(request.path(0));
  const OpenBank b = request.open(request.path(1));
  const BankDiff found = diff_banks(a, b, request.memory());
  if (request.json()) {
    out << json_text(diff_json(a, b, found)) << "\n";
  } else {
    print_diff(out, a, b, found);
  }
  // As diff(1) does, so that scripts may ask without reading the output.
  return found.equal() ? kExitOk : kExitFailure;
}

int merge(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank merge A B ... OUT [FLAGS]\n\n"
      "The union of banks, the same (id, step, vector) once, as a bank that pretrain --bank starts from.\n",
      out, remarks);
  MergeOptions options;
  request.flags().add("rows", &options.rows, "rows of the result, of which the newest survive; 0: the sum");
  request.flags().add("convert", float_type_field(&options.convert),
                      "round all rows to this type: fp32, bf16, fp16 or fp64");
  request.flags().add("ranks", &options.ranks, "files that the bank is to lie in");
  constexpr std::size_t kFewestPaths = 3;
  if (!request.parse(arguments, kFewestPaths, std::numeric_limits<std::size_t>::max())) return kExitOk;
  // The last path is the result, all others are read. The fewest are two banks and a result.
  const std::string target = request.paths().back();
  std::vector<OpenBank> banks;
  for (std::size_t i = 0; i + 1 < request.paths().size(); ++i) banks.push_back(request.open(request.path(i)));
  const MergeResult result = merge_banks(request.files(), banks, target, options, request.memory());
  if (!request.json()) {
    out << "read " << result.rows_read << " rows of " << banks.size() << " banks: " << result.duplicates
        << " were there already, " << result.dropped << " were too old for " << result.manifest.bank->layout.capacity
        << " rows\n";
  }
  return report_written(
      request, out, target, result.manifest,
      {{"rows_read", result.rows_read}, {"duplicates", result.duplicates}, {"dropped", result.dropped}});
}

int extract(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank extract PATH OUT.h5 --ids FILE|1,2,3 | --range FIRST:END [FLAGS]\n\n"
      "Some rows as a plain HDF5 file: rows, ids, labels, steps, sequence.\n",
      out, remarks);
  std::string ids;
  std::string range;
  request.flags().add("ids", &ids, "sample ids, or a file of them");
  request.flags().add("range", &range, "sequence numbers, without END; negatron bank info shows those that there are");
  if (!request.parse(arguments, 2, 2)) return kExitOk;
  // Both would leave open whether a row must fit one of them or both; neither would copy the bank, which reshard does.
  if (ids.empty() == range.empty()) throw UsageError("negatron bank extract takes either --ids or --range.");
  // Read before the bank is opened: a list of ids that cannot be read should not cost the time of verifying a bank.
  const std::vector<std::int64_t> wanted = ids.empty() ? std::vector<std::int64_t>() : read_ids(ids);
  const Range keys = range.empty() ? Range{} : read_range(range);
  const OpenBank bank = request.open(request.path(0));
  // Rows are named by sequence number from here on, oldest first: an id may stand for several keys of its sample.
  FoundKeys found;
  if (ids.empty()) {
    found.sequence = keys_in(bank, keys, request.memory());
  } else {
    found = find_ids(bank, wanted, request.memory());
    if (found.sequence.empty()) throw UsageError("--ids: no row of the bank has one of these ids.");
  }
  extract_rows(request.files(), bank, request.path(1), found.sequence, request.memory());
  if (request.json()) {
    const Json json{{"path", request.path(1)}, {"rows", found.sequence.size()}, {"ids_not_found", found.missing}};
    out << json_text(json) << "\n";
  } else {
    out << "wrote " << request.path(1) << ": " << found.sequence.size() << " rows";
    if (!found.missing.empty()) out << "; " << found.missing.size() << " of the ids are not in the bank";
    out << "\n";
  }
  return kExitOk;
}

int near(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank near PATH [QUERIES] [--ids FILE|1,2,3] [FLAGS]\n\n"
      "The rows of a bank with the largest scores, for each row of a matrix of embeddings (.npy or HDF5), or for\n"
      "samples, whose newest keys are taken and whose other keys are passed over.\n",
      out, remarks);
  std::int64_t top = 10;
  std::string ids;
  std::string range;
  std::string dataset;
  bool normalize = false;
  request.flags().add("top", &top, "rows for each query");
  request.flags().add("ids", &ids, "sample ids, or a file of them");
  request.flags().add("range", &range, "which rows of QUERIES, FIRST:END; else all");
  request.flags().add("dataset", &dataset, "which dataset of an HDF5 file; may be left out when there is one only");
  request.flags().add("normalize", &normalize, "scale queries to norm 1; else such as have another are refused");
  if (!request.parse(arguments, 1, 2)) return kExitOk;
  const bool of_file = request.paths().size() == 2;
  if (of_file != ids.empty()) throw UsageError("negatron bank near takes either QUERIES or --ids.");
  const std::vector<std::int64_t> wanted = of_file ? std::vector<std::int64_t>() : read_ids(ids);
  std::unique_ptr<MatrixFile> matrix;
  if (of_file) matrix = opened_matrix(request, request.path(1), dataset);
  const Range rows = !of_file ? Range{} : range.empty() ? Range{0, matrix->rows()} : read_range(range);
  const OpenBank bank = request.open(request.path(0));
  std::vector<std::int64_t> missing;
  const NearQueries queries = of_file ? queries_of_matrix(bank, *matrix, rows, normalize, request.memory())
                                      : queries_of_samples(bank, wanted, request.memory(), missing);
  if (queries.count() == 0) throw UsageError("--ids: no row of the bank has one of these ids.");
  const NearRows found = near_rows(bank, queries, top, request.memory());
  if (request.json()) {
    Json json = near_json(queries, found, rows.begin);
    json["ids_not_found"] = missing;
    out << json_text(json) << "\n";
  } else {
    print_near(out, queries, found, rows.begin);
    if (!missing.empty()) out << missing.size() << " of the ids are not in the bank\n";
  }
  return kExitOk;
}

int import(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank import IN OUT [FLAGS]\n\n"
      "A [K, d] matrix of unit rows, .npy or HDF5, as a bank that pretrain --bank starts from.\n",
      out, remarks);
  ImportOptions options;
  std::string dataset;
  request.flags().add("dataset", &dataset, "which dataset of an HDF5 file; may be left out when there is one only");
  request.flags().add("transpose", &options.transpose, "the file is [d, K], as the queue of PyTorch's MoCo is");
  request.flags().add("normalize", &options.normalize, "scale rows to norm 1; else such as have another are refused");
  request.flags().add("dtype", float_type_field(&options.dtype),
                      "how to store rows: fp32, bf16, fp16 or fp64; else as in the file");
  request.flags().add("rows", &options.rows, "rows of the bank; more than the file has: partly filled; 0: as many");
  request.flags().add("oldest", &options.oldest, "the row to be overwritten first (MoCo's queue_ptr)");
  request.flags().add("batch", &options.batch, "keys per step of the run that the bank is for");
  request.flags().add("ranks", &options.ranks, "files that the bank is to lie in");
  if (!request.parse(arguments, 2, 2)) return kExitOk;
  // Only the head of the file is looked at here; rows are streamed by import_rows().
  const std::unique_ptr<MatrixFile> matrix = opened_matrix(request, request.path(0), dataset);
  return report_written(request, out, request.path(1),
                        import_rows(request.files(), *matrix, request.path(1), options, request.memory()));
}

}  // namespace

const std::vector<BankAction>& bank_actions() {
  static const std::vector<BankAction> actions{
      {"info", "what is in a bank", info},
      {"verify", "is a snapshot, or every one of a run, as it should be", verify},
      {"reshard", "the same snapshot over another number of ranks", reshard},
      {"diff", "compare two banks", diff},
      {"merge", "the union of banks", merge},
      {"extract", "some rows as a plain HDF5 file", extract},
      {"near", "the rows nearest to embeddings or samples", near},
      {"import", "a plain matrix, .npy or HDF5, as a bank", import}};
  return actions;
}

}  // namespace negatron
