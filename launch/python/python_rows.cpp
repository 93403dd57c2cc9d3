// What a ProgramBank does for rows that stay and for rows that learn (samplers/bank/BANK.md 6 to 9).

#include <iomanip>
#include <limits>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "launch/python/python_bank.h"
#include "runtime/snapshots/bank_file.h"
#include "samplers/bank/row_geometry.h"
#include "samplers/exchange/rows/row_fetch.h"
#include "samplers/exchange/rows/sample_rows.h"

namespace negatron::python {
namespace {

std::int64_t total_of(const std::vector<std::int64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
}

std::string exact(double number) {
  std::ostringstream text;
  text << std::setprecision(std::numeric_limits<double>::max_digits10) << number;
  return text.str();
}

}  // namespace

std::string ProgramBank::problem_of_ids(const at::Tensor& ids) const {
  if (!rows_have_samples(bank_->kind())) {
    return "the rows of a bank of the kind " + kind_text(bank_->kind()) +
           " are those of no sample; memory, index and parametric have such";
  }
  if (!ids.defined()) return "ids are needed: the row of a sample is told by its id";
  std::string problem = problem_of_numbers("ids", ids, ids.dim() == 1 ? ids.size(0) : 0);
  if (!problem.empty() || ids.numel() == 0) return problem;
  const auto least = ids.min().item<std::int64_t>(), most = ids.max().item<std::int64_t>();
  if (least >= 0 && most < bank_->capacity()) return {};
  return "ids must lie between 0 and " + std::to_string(bank_->capacity() - 1) + ", the rows of the bank, and reach " +
         std::to_string(least < 0 ? least : most);
}

at::Tensor ProgramBank::fetch(const at::Tensor& ids) {
  const Group::Use use = group_->use();
  const at::NoGradGuard no_grad;
  const std::string problem = problem_of_ids(ids);
  BatchRecord record;
  record.call = BatchCall::kFetch;
  record.rows = problem.empty() ? ids.size(0) : 0;
  record.step = step_;
  agree_on_batch(use.comm(), record, problem);
  // The slot of a sample is its id.
  const at::Tensor slots = ids.to(bank_->options().device).unsqueeze(1);
  const FetchedRows fetched = fetch_rows(use.comm(), *bank_, slots);
  return fetched.rows.index_select(0, fetched.index.flatten());
}

void ProgramBank::mix(BatchRecord record, const std::string& kind_problem, const SampleFeatures& given,
                      double momentum) {
  const Group::Use use = group_->use();
  Communicator& comm = use.comm();
  const at::NoGradGuard no_grad;
  std::string problem = kind_problem.empty() ? problem_of_ids(given.ids) : kind_problem;
  if (problem.empty()) problem = problem_of(*bank_, "features", given.features);
  if (problem.empty() && given.features.size(0) != given.ids.size(0)) {
    problem = "features must be one for each of " + std::to_string(given.ids.size(0)) + " ids, and are " +
              std::to_string(given.features.size(0));
  }
  if (problem.empty()) problem = problem_of_numbers("labels", given.labels, given.ids.size(0));
  record.rows = problem.empty() ? given.ids.size(0) : 0;
  record.step = step_;
  record.dtype = given.features.scalar_type();
  record.has_labels = given.labels.defined();
  const std::vector<std::int64_t> sizes = agree_on_batch(comm, record, problem);
  const at::Tensor ids = in_equal_shares(comm, given.ids.cpu(), sizes);
  // Of distances they come as rows or queries, like all that a program gives, and what is blended are the vectors.
  const at::Tensor vectors = vectors_of_rows(given.features.detach(), bank_->options().length);
  const at::Tensor features = in_equal_shares(comm, vectors.contiguous(), sizes);
  const at::Tensor labels = given.labels.defined() ? in_equal_shares(comm, given.labels.cpu(), sizes) : at::Tensor();
  const at::Tensor all_ids = comm.all_gather(ids.contiguous(), share_sizes(total_of(sizes), comm.size()));
  SampleRows(comm, comm, *bank_, all_ids).blend(features, labels, momentum, step_);
}

void ProgramBank::blend(const at::Tensor& ids, const at::Tensor& features, const at::Tensor& labels, double momentum) {
  std::string problem;
  if (bank_->kind() != BankKind::kMemory) {
    problem = "what is blended into are the rows of a memory bank, and this bank's kind is " + kind_text(bank_->kind());
  } else if (!(momentum >= 0.0 && momentum <= 1.0)) {
    problem = "momentum must lie between 0 and 1, and is " + exact(momentum);
  }
  BatchRecord record;
  record.call = BatchCall::kBlend;
  record.settings = "momentum " + exact(momentum);
  mix(std::move(record), problem, {ids, features, labels}, momentum);
  ++step_;
}

void ProgramBank::write(const at::Tensor& ids, const at::Tensor& features, const at::Tensor& labels) {
  BatchRecord record;
  record.call = BatchCall::kWrite;
  mix(std::move(record), {}, {ids, features, labels}, /*momentum=*/0.0);
}

void ProgramBank::add_gradient(const GradientOfRows& gradient, const at::Tensor& factor) {
  const at::NoGradGuard no_grad;
  GradientOfRows scaled = gradient;
  scaled.values = gradient.values * factor.to(gradient.values.options());
  pending_ = sum_of(std::move(pending_), std::move(scaled));
  const at::Tensor number = factor.detach().to(at::kDouble);
  factors_ = factors_.defined() ? factors_ + number : number.clone();
}

at::Tensor ProgramBank::gradient() const {
  if (!pending_.values.defined()) return {};
  return of_all_rows(pending_, bank_->shard().rows.vectors.size(0)).clone();
}

void ProgramBank::drop_gradient() {
  pending_ = {};
  factors_ = at::Tensor();
}

void ProgramBank::step_rows(const RowOptimizer& optimizer, double divisor) {
  const Group::Use use = group_->use();
  const at::NoGradGuard no_grad;
  std::string problem;
  if (!rows_learn(bank_->kind())) {
    problem = "the rows of a bank of the kind " + kind_text(bank_->kind()) + " are not trained";
  } else if (!(optimizer.rate >= 0.0) || !(optimizer.momentum >= 0.0 && optimizer.momentum < 1.0) ||
             !(optimizer.weight_decay >= 0.0) || !(divisor > 0.0)) {
    problem = "lr and weight_decay must be 0 or more, momentum must lie in [0, 1), and grad_scale be above 0";
  } else if (!pending_.values.defined()) {
    problem = "rows have no gradient; call backward() of a loss over this bank that trains first";
  }
  BatchRecord record;
  record.call = BatchCall::kStepRows;
  record.step = step_;
  // Each rank has the gradient of all ranks' queries, times what its own backward multiplied it by.
  record.settings = "lr " + exact(optimizer.rate) + ", momentum " + exact(optimizer.momentum) + ", weight_decay " +
                    exact(optimizer.weight_decay) + ", grad_scale " + exact(divisor) + ", losses times " +
                    exact(factors_.defined() ? factors_.item<double>() : 0.0);
  agree_on_batch(use.comm(), record, problem);
  GradientOfRows gradient = std::exchange(pending_, {});
  factors_ = at::Tensor();
  if (divisor != 1.0) gradient.values = gradient.values / divisor;
  bank_->train(gradient, optimizer, step_);
  ++step_;
}

}  // namespace negatron::python
