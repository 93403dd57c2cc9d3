#include "launch/python/python_bank.h"

#include <sstream>
#include <stdexcept>
#include <utility>

#include "comm/require.h"
#include "launch/python/bank_files.h"
#include "launch/python/made_together.h"
#include "runtime/bank_files/open_bank.h"
#include "runtime/snapshots/bank_file.h"
#include "runtime/snapshots/files/posix_file_layer.h"
#include "runtime/snapshots/load_snapshot.h"
#include "runtime/snapshots/named_snapshot.h"
#include "runtime/snapshots/save_bank.h"
#include "runtime/snapshots/snapshot_error.h"

namespace negatron::python {
namespace {

/// The keys per step that a bank is laid out for which comes from a file that does not say.
constexpr std::int64_t kAnyBatch = 1;

std::string text_of(const BankOptions& options) {
  std::ostringstream text;
  text << options.rows << " rows of width " << options.width << " in " << toString(options.dtype) << " on "
       << options.device.type() << ", fill " << static_cast<int>(options.fill) << ", seed " << options.seed
       << ", global batch " << options.global_batch << ", kind " << kind_text(options.kind) << ", rows "
       << name_of(options.length) << ", trained by " << row_optimizer_text(options.row_optimizer);
  return text.str();
}

std::string shape_of(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

}  // namespace

ProgramBank::ProgramBank(std::shared_ptr<Group> group, const BankOptions& options) : group_(std::move(group)) {
  const Group::Use use = group_->use();
  use.comm().agree("the bank", text_of(options));
  bank_ = made_together(use.comm(), [&] {
    require(!rows_stay(options.kind) || options.fill == BankFill::kRandom,
            "a bank of the kind " + kind_text(options.kind) + " has all its rows from the start; leave fill 'random'");
    return std::make_unique<Bank>(options, use.comm().rank(), use.comm().size());
  });
}

ProgramBank::ProgramBank(std::shared_ptr<Group> group, std::unique_ptr<Bank> bank, std::int64_t step)
    : group_(std::move(group)), bank_(std::move(bank)), step_(step) {}

std::shared_ptr<ProgramBank> ProgramBank::load(std::shared_ptr<Group> group, const std::string& path,
                                               const std::string& name, at::Device device, at::ScalarType dtype) {
  const Group::Use use = group->use();
  use.comm().agree("the bank to load",
                   path + " (" + name + ") as " + toString(dtype) + " on " + c10::DeviceTypeName(device.type()));
  PosixFileLayer files;
  const NamedSnapshot named = open_named_snapshot(use.comm(), files, path, {});
  const Manifest& manifest = named.snapshot.manifest;
  if (manifest.banks.empty()) throw SnapshotError("'" + named.snapshot.path.string() + "' holds no bank.");
  // All ranks have the same manifest, so that what is refused here is refused on all of them.
  const SavedBank& saved = manifest.banks[index_of_bank(named.snapshot.path, manifest, {name, kNameArgument})];
  BankOptions options = options_of(saved);
  if (dtype != at::ScalarType::Undefined) options.dtype = dtype;
  options.device = device;
  options.global_batch = kAnyBatch;
  std::unique_ptr<Bank> bank = made_together(use.comm(), [&] {
    auto made = std::make_unique<Bank>(options, use.comm().rank(), use.comm().size());
    LoadBankOptions load;
    load.convert_dtype = dtype != at::ScalarType::Undefined;
    load.name = saved.name;
    load_bank(named.snapshot, *made, load);
    return made;
  });
  return std::shared_ptr<ProgramBank>(new ProgramBank(std::move(group), std::move(bank), manifest.step));
}

void ProgramBank::enqueue(const at::Tensor& keys, const at::Tensor& ids, const at::Tensor& labels) {
  const Group::Use use = group_->use();
  const at::NoGradGuard no_grad;
  std::string problem = problem_of(*bank_, "k", keys);
  if (rows_stay(bank_->kind())) {
    problem = "the rows of a bank of the kind " + kind_text(bank_->kind()) + " stay; a queue takes keys";
  }
  if (problem.empty()) problem = problem_of_numbers("ids", ids, keys.size(0));
  if (problem.empty()) problem = problem_of_numbers("labels", labels, keys.size(0));
  BatchRecord record;
  record.call = BatchCall::kEnqueue;
  record.rows = problem.empty() ? keys.size(0) : 0;
  record.step = step_;
  record.dtype = keys.scalar_type();
  record.has_ids = ids.defined();
  record.has_labels = labels.defined();
  const std::vector<std::int64_t> sizes = agree_on_batch(use.comm(), record, problem);
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) total += size;
  if (total > bank_->capacity()) {
    throw std::invalid_argument("enqueue: " + std::to_string(total) + " keys of all ranks do not fit into a bank of " +
                                std::to_string(bank_->capacity()) + " rows");
  }
  const at::Tensor numbers = ids.defined() ? ids.cpu() : at::full({keys.size(0)}, -1, at::kLong);
  const at::Tensor own_keys = in_equal_shares(use.comm(), keys.detach(), sizes);
  const at::Tensor own_ids = in_equal_shares(use.comm(), numbers, sizes);
  const at::Tensor own_labels = labels.defined() ? in_equal_shares(use.comm(), labels.cpu(), sizes) : at::Tensor();
  bank_->enqueue(own_keys, own_ids, own_labels, step_, total);
  ++step_;
}

HardestRows ProgramBank::hardest(const at::Tensor& queries, std::int64_t count) {
  const Group::Use use = group_->use();
  std::string problem = problem_of(*bank_, "q", queries);
  if (problem.empty() && queries.scalar_type() != at::kFloat && queries.scalar_type() != at::kDouble) {
    problem = "q must be float32 or float64";
  }
  if (count < 1 || count > bank_->capacity()) {
    problem = "n must lie between 1 and the " + std::to_string(bank_->capacity()) + " rows of the bank";
  }
  BatchRecord record;
  record.call = BatchCall::kHardest;
  record.rows = problem.empty() ? queries.size(0) : 0;
  record.step = count;
  record.dtype = queries.scalar_type();
  const std::vector<std::int64_t> sizes = agree_on_batch(use.comm(), record, problem);
  return hardest_rows(use.comm(), *bank_, exchange_, queries, sizes, count);
}

void ProgramBank::save(const std::string& path) {
  const Group::Use use = group_->use();
  use.comm().agree("the path of the bank", path);
  PosixFileLayer files;
  save_bank(use.comm(), files, path, step_, *bank_);
}

std::string problem_of(const Bank& bank, const std::string& name, const at::Tensor& vectors) {
  if (vectors.dim() != 2 || vectors.size(1) != bank.width()) {
    return name + " must be [b, " + std::to_string(bank.width()) + "], the width of the bank, and is " +
           shape_of(vectors);
  }
  if (!vectors.is_floating_point()) return name + " must be of a floating dtype";
  if (vectors.device() != bank.options().device) {
    return name + " lies on " + vectors.device().str() + " and the bank on " + bank.options().device.str();
  }
  return {};
}

std::string problem_of_numbers(const std::string& name, const at::Tensor& values, std::int64_t rows) {
  if (!values.defined() || (values.dim() == 1 && values.size(0) == rows && values.scalar_type() == at::kLong))
    return {};
  return name + " must be int64, one for each of " + std::to_string(rows) + " rows, and is " +
         toString(values.scalar_type()) + " " + shape_of(values);
}

}  // namespace negatron::python
