#include "launch/bank/row_actions.h"

#include <ostream>

#include "launch/bank/bank_arguments.h"
#include "launch/bank/bank_report.h"
#include "launch/bank/near_report.h"
#include "launch/exit_code.h"
#include "launch/flags/float_type.h"
#include "launch/flags/number_fields.h"
#include "launch/flags/typed_fields.h"
#include "runtime/bank_files/extract_rows.h"
#include "runtime/bank_files/import_rows.h"
#include "runtime/bank_files/near_rows.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/text/json_text.h"
#include "runtime/weights/saved_weights.h"

namespace negatron {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

/// Flags of commands that read a matrix.
struct MatrixFlags {
  std::string dataset;
  std::string key;
  NpyVoid npy_void = NpyVoid::kRefused;

  void add_to(FlagTable& flags) {
    flags.add("dataset", &dataset, "which dataset of an HDF5 file; may be left out when there is one matrix only");
    flags.add("key", &key, "which array of an .npz, or tensor of a safetensors or torch file; may be left out so too");
    flags.add("read-as", one_of<NpyVoid>(&npy_void, {{"auto", NpyVoid::kRefused}, {"bf16", NpyVoid::kBfloat16}}),
              "what numbers are that numpy has as raw bytes of type V2: bf16");
  }
};

std::unique_ptr<MatrixFile> opened_matrix(BankArguments& request, const std::string& path, const MatrixFlags& flags) {
  if (!flags.dataset.empty() && !flags.key.empty()) {
    throw UsageError("--dataset and --key both say which matrix is meant; leave one of them out.");
  }
  MatrixRequest matrix;
  matrix.name = flags.dataset + flags.key;
  matrix.filters = Hdf5Filters::kBuiltIn;
  matrix.npy_void = flags.npy_void;
  matrix.most_held_bytes = request.memory().left();
  try {
    return open_matrix(request.files(), request.seekable(path), matrix);
  } catch (const WeightsError& error) {
    throw UsageError(error.what());
  } catch (const SnapshotError& error) {
    // Not a snapshot that is damaged but a file of another kind.
    throw UsageError(error.what());
  }
}

}  // namespace

// As in bank_actions.cpp: flags, what cannot be meant, and only then the bank.

int extract_action(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank extract PATH OUT.h5|OUT.npy --ids FILE|1,2,3 | --labels FILE|1,2,3 | --range FIRST:END\n\n"
      "Some rows as a plain HDF5 file: rows, ids, labels, steps, sequence; or as arrays of numpy: OUT.npy, "
      "OUT.ids.npy,\n"
      "OUT.labels.npy, OUT.steps.npy, OUT.sequence.npy.\n",
      out, remarks);
  std::string ids;
  std::string labels;
  std::string range;
  request.flags().add("ids", &ids, "sample ids, or a file of them");
  request.flags().add("labels", &labels, "labels, or a file of them");
  request.take_name();
  request.flags().add("range", &range, "sequence numbers, without END; negatron bank info shows those that there are");
  if (!request.parse(arguments, 2, 2)) return kExitOk;
  // Both would leave open whether a row must fit one of them or both; neither would copy the bank, which reshard does.
  if ((ids.empty() ? 0 : 1) + (labels.empty() ? 0 : 1) + (range.empty() ? 0 : 1) != 1) {
    throw UsageError("negatron bank extract takes either --ids or --labels or --range.");
  }
  // Read before the bank is opened: a list of ids that cannot be read should not cost the time of verifying a bank.
  const KeyColumn column = labels.empty() ? KeyColumn::kId : KeyColumn::kLabel;
  const std::string flag = labels.empty() ? "--ids" : "--labels";
  const std::vector<std::int64_t> wanted =
      range.empty() ? read_numbers(flag, ids.empty() ? labels : ids) : std::vector<std::int64_t>();
  const Range keys = range.empty() ? Range{} : read_range(range);
  const OpenBank bank = request.open(request.path(0));
  // Rows are named by sequence number from here on, oldest first: an id may stand for several keys of its sample.
  FoundKeys found;
  if (!range.empty()) {
    found.sequence = keys_in(bank, keys, request.memory());
  } else {
    found = find_keys(bank, column, wanted, request.memory());
    if (found.sequence.empty()) {
      throw UsageError(flag + ": no row of the bank has one of these " + flag.substr(2) + ".");
    }
  }
  extract_rows(request.files(), bank, request.path(1), found.sequence, request.memory());
  if (request.json()) {
    Json json{
        {"path", request.path(1)}, {"rows", found.sequence.size()}, {flag.substr(2) + "_not_found", found.missing}};
    out << json_text(json) << "\n";
  } else {
    out << "wrote " << request.path(1) << ": " << found.sequence.size() << " rows";
    if (!found.missing.empty()) {
      out << "; " << found.missing.size() << " of the " << flag.substr(2) << " are not in the bank";
    }
    out << "\n";
  }
  return kExitOk;
}

int near_action(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank near PATH [QUERIES] [--ids FILE|1,2,3] [FLAGS]\n\n"
      "The rows of a bank with the largest scores, for each row of a matrix of embeddings (as import reads), or for\n"
      "samples, whose newest keys are taken and whose other keys are passed over.\n"
      "Scores are inner products: cosines in a bank of unit rows, while in one of raw rows long rows score high. In a\n"
      "bank of distances they are minus half of the squared distance.\n",
      out, remarks);
  std::int64_t top = 10;
  std::string ids;
  std::string range;
  MatrixFlags matrix_flags;
  bool normalize = false;
  request.flags().add("top", within(&top, 1, kMostBankRows), "rows for each query");
  request.flags().add("ids", &ids, "sample ids, or a file of them");
  request.take_name();
  request.flags().add("range", &range, "which rows of QUERIES, FIRST:END; else all");
  matrix_flags.add_to(request.flags());
  request.flags().add("normalize", &normalize,
                      "scale queries to norm 1; else such as have another are refused, unless rows are raw");
  if (!request.parse(arguments, 1, 2)) return kExitOk;
  const bool of_file = request.paths().size() == 2;
  if (of_file != ids.empty()) throw UsageError("negatron bank near takes either QUERIES or --ids.");
  const std::vector<std::int64_t> wanted = of_file ? std::vector<std::int64_t>() : read_numbers("--ids", ids);
  std::unique_ptr<MatrixFile> matrix;
  if (of_file) matrix = opened_matrix(request, request.path(1), matrix_flags);
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

int import_action(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank import IN OUT [FLAGS]\n\n"
      "A [K, d] matrix of unit rows (or, with --raw or --distance, of any) as a bank that pretrain --bank starts\n"
      "from: numpy's .npy and .npz, HDF5, safetensors, and what torch.save wrote of a tensor, a state dict or a\n"
      "checkpoint.\n",
      out, remarks);
  ImportOptions options;
  MatrixFlags matrix_flags;
  matrix_flags.add_to(request.flags());
  request.flags().add("transpose", &options.transpose, "the file is [d, K], as the queue of PyTorch's MoCo is");
  request.flags().add("normalize", &options.normalize, "scale rows to norm 1; else such as have another are refused");
  request.flags().add("raw", &options.raw, "keep rows of any length, for runs with --head-output raw");
  request.flags().add("distance", &options.distance, "keep them for runs with --head-output distance");
  request.flags().add("dtype", float_type_field(&options.dtype),
                      "how to store rows: fp32, bf16, fp16 or fp64; else as in the file");
  request.flags().add("rows", within(&options.rows, 0, kMostBankRows),
                      "rows of the bank; more than the file has: partly filled; 0: as many");
  request.flags().add("oldest", within(&options.oldest, 0, kMostBankRows),
                      "the row to be overwritten first (MoCo's queue_ptr)");
  request.flags().add("batch", within(&options.batch, 1, kMostBatch), "keys per step of the run that the bank is for");
  request.flags().add("ranks", within(&options.ranks, 1, kMostRanks), "files that the bank is to lie in");
  if (!request.parse(arguments, 2, 2)) return kExitOk;
  // Only the head of the file is looked at here; rows are streamed by import_rows().
  const std::unique_ptr<MatrixFile> matrix = opened_matrix(request, request.path(0), matrix_flags);
  report_written(out, request.json(), request.path(1),
                 import_rows(request.files(), *matrix, request.path(1), options, request.memory()));
  return kExitOk;
}

}  // namespace negatron
