#include "launch/bank/bank_actions.h"

#include <algorithm>
#include <limits>
#include <ostream>

#include "launch/bank/bank_arguments.h"
#include "launch/bank/bank_report.h"
#include "launch/bank/row_actions.h"
#include "launch/exit_code.h"
#include "launch/flags/float_type.h"
#include "launch/flags/number_fields.h"
#include "runtime/bank_files/compare_rows.h"
#include "runtime/bank_files/merge_banks.h"
#include "runtime/bank_files/reshard_bank.h"
#include "runtime/text/json_text.h"

namespace negatron {
namespace {

using Words = std::vector<std::string>;

// Each command below is read in one order: declare its flags, parse, refuse what cannot be meant, and only then open a
// bank. Nothing is read, and nothing written, before the whole command line is known to make sense.

/// Null when there is none.
const OpenBank* bank_of_name(const std::vector<OpenBank>& banks, const std::string& name) {
  const auto found =
      std::find_if(banks.begin(), banks.end(), [&](const OpenBank& one) { return one.bank().name == name; });
  return found == banks.end() ? nullptr : &*found;
}

using BankPairs = std::vector<std::pair<const OpenBank*, const OpenBank*>>;

/// Those of one name; one bank is compared with another whatever their names are.
BankPairs pairs_of(const std::vector<OpenBank>& a, const std::vector<OpenBank>& b) {
  if (a.size() == 1 && b.size() == 1) return {{&a.front(), &b.front()}};
  BankPairs pairs;
  for (const OpenBank& one : a) {
    if (const OpenBank* other = bank_of_name(b, one.bank().name)) pairs.emplace_back(&one, other);
  }
  if (pairs.size() == a.size() && a.size() == b.size()) return pairs;
  throw UsageError("'" + a.front().path.string() + "' and '" + b.front().path.string() +
                   "' hold banks of other names; --name says which one of several.");
}

int info(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank info PATH [FLAGS]\n\n"
      "What is in a bank.\n",
      out, remarks);
  BankInfoOptions options;
  request.flags().add("sample", within(&options.uniformity_rows, 0, kMostBankRows),
                      "rows that uniformity is computed over, all pairs of them");
  request.flags().add("seed", seed_field(&options.seed), "of the choice of those rows");
  request.take_name();
  if (!request.parse(arguments, 1, 1)) return kExitOk;
  const std::vector<OpenBank> banks = request.open_all(request.path(0));
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const OpenBank& bank : banks) {
    const BankInfo found = bank_info(bank, options, request.memory());
    if (request.json()) {
      all.push_back(info_json(bank, found, options.seed));
    } else {
      print_info(out, bank, found, options.seed);
    }
  }
  // Of one bank an object, as before there could be several.
  if (request.json()) out << json_text(all.size() == 1 ? all.front() : all) << "\n";
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
  request.flags().add("ranks", within(&ranks, 1, kMostRanks), "files that the bank is to lie in");
  if (!request.parse(arguments, 2, 2)) return kExitOk;
  // Before the bank is opened, because verifying it takes as long as reading it.
  checked_ranks(ranks);
  const std::vector<OpenBank> banks = request.open_all(request.path(0));
  report_written(out, request.json(), request.path(1),
                 reshard_banks(request.files(), banks, request.path(1), ranks, request.memory()));
  return kExitOk;
}

int diff(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank diff A B [FLAGS]\n\n"
      "Compares two banks as sets of (id, step, vector), and their order and labels. Exit code 0 when all\n"
      "of it is equal, 1 when not, however many files either lies in. The largest difference of a number, and the\n"
      "smallest cosine, of rows that are the same key are shown; with --tolerance they decide in the place of bits.\n",
      out, remarks);
  double tolerance = 0.0;
  constexpr double kMostTolerance = 2.0;
  request.flags().add("tolerance", within(&tolerance, 0.0, kMostTolerance),
                      "largest difference of a number of rows that count as equal; 0: every bit, and the type");
  request.take_name();
  if (!request.parse(arguments, 2, 2)) return kExitOk;
  // A name chooses where there is a choice: one of two views is compared with the bank of a run that has one.
  const std::vector<OpenBank> a = request.open_all(request.path(0));
  const std::vector<OpenBank> b = request.open_all(request.path(1));
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  bool equal = true;
  for (const auto& [one, other] : pairs_of(a, b)) {
    const BankDiff found = diff_banks(*one, *other, request.memory());
    const BankComparison comparison{found, compare_rows(*one, *other, request.memory()), tolerance};
    equal = equal && comparison.equal();
    if (request.json()) {
      all.push_back(diff_json(*one, *other, comparison));
    } else {
      print_diff(out, *one, *other, comparison);
    }
  }
  if (request.json()) out << json_text(all.size() == 1 ? all.front() : all) << "\n";
  // As diff(1) does, so that scripts may ask without reading the output.
  return equal ? kExitOk : kExitFailure;
}

int merge(const Words& arguments, std::ostream& out, std::ostream& remarks) {
  BankArguments request(
      "usage: negatron bank merge A B ... OUT [FLAGS]\n\n"
      "The union of banks, the same (id, step, vector) once, as a bank that pretrain --bank starts from.\n",
      out, remarks);
  MergeOptions options;
  request.flags().add("rows", within(&options.rows, 0, kMostBankRows),
                      "rows of the result, of which the newest survive; 0: the sum");
  request.flags().add("convert", float_type_field(&options.convert),
                      "round all rows to this type: fp32, bf16, fp16 or fp64");
  request.flags().add("ranks", within(&options.ranks, 1, kMostRanks), "files that the bank is to lie in");
  constexpr std::size_t kFewestPaths = 3;
  if (!request.parse(arguments, kFewestPaths, std::numeric_limits<std::size_t>::max())) return kExitOk;
  // The last path is the result, all others are read. The fewest are two banks and a result.
  const std::string target = request.paths().back();
  std::vector<OpenBank> banks;
  for (std::size_t i = 0; i + 1 < request.paths().size(); ++i) banks.push_back(request.open(request.path(i)));
  const MergeResult result = merge_banks(request.files(), banks, target, options, request.memory());
  if (!request.json()) {
    out << "read " << result.rows_read << " rows of " << banks.size() << " banks: " << result.duplicates
        << " were there already, " << result.dropped << " were too old for " << result.manifest.bank().layout.capacity
        << " rows\n";
  }
  report_written(out, request.json(), target, result.manifest,
                 {{"rows_read", result.rows_read}, {"duplicates", result.duplicates}, {"dropped", result.dropped}});
  return kExitOk;
}

}  // namespace

const std::vector<BankAction>& bank_actions() {
  static const std::vector<BankAction> actions{
      {"info", "what is in a bank", info},
      {"verify", "is a snapshot, or every one of a run, as it should be", verify},
      {"reshard", "the same snapshot over another number of ranks", reshard},
      {"diff", "compare two banks", diff},
      {"merge", "the union of banks", merge},
      {"extract", "some rows as a plain HDF5 or .npy file", extract_action},
      {"near", "the rows nearest to embeddings or samples", near_action},
      {"import", "a plain matrix of numpy, HDF5, safetensors or PyTorch as a bank", import_action}};
  return actions;
}

}  // namespace negatron
