#include "runtime/planning/stage_scene.h"

#include "comm/share.h"
#include "samplers/bank/random_rows.h"
#include "samplers/contrast/rows_loss.h"

namespace negatron {
namespace {

constexpr std::uint64_t kBankSeed = 1;
constexpr std::uint64_t kQuerySeed = 2;
/// 1 / tau, as contrastive training has it; times do not depend on it.
constexpr double kScale = 5.0;
constexpr double kRowsTau = 0.1;

}  // namespace

StageScene make_stage_scene(const PlannedJob& job, std::int64_t rank, at::Device device) {
  check(job);
  const auto group_rank = static_cast<int>(rank % job.shards);
  const std::vector<std::int64_t> all = share_sizes(job.global_batch, static_cast<int>(job.ranks));
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(rank - group_rank);
  const std::int64_t batch_of_bank = rows_stay(job.bank_kind) ? job.bank_rows : job.global_batch;
  StageScene scene{Bank({job.bank_rows, job.width, job.bank_dtype, device, BankFill::kRandom, kBankSeed, batch_of_bank,
                         job.bank_kind, RowLength::kUnit, job.row_optimizer},
                        group_rank, static_cast<int>(job.shards)),
                   {},
                   {},
                   {ScoreTerm{}}};
  const QueryShares whole{all, 0};
  QueryBatch& batch = scene.batch;
  batch.shares = {{begin, begin + job.shards}, whole.begin(static_cast<int>(rank - group_rank))};
  const std::int64_t first = batch.shares.begin(group_rank);
  const std::int64_t size = batch.shares.size(group_rank);
  batch.queries = random_unit_rows(kQuerySeed, first, size, job.width).to(device, at::kFloat);
  batch.keys = batch.queries;
  if (job.sample_ids && !job.has_kind(BankKind::kLearned)) batch.ids = at::arange(first, first + size, at::kLong);
  if (batch.ids.defined() && rows_are_positives(job.bank_kind)) {
    batch.all_ids = at::arange(batch.shares.first, batch.shares.first + batch.shares.total(), at::kLong);
  }
  scene.request.report_hardest = job.hard;
  scene.terms.front().scale = kScale;
  scene.request.keeps_met = rows_learn(job.bank_kind);
  if (job.has_kind(BankKind::kLearned)) scene.terms.push_back(rows_term(kRowsTau));
  return scene;
}

}  // namespace negatron
