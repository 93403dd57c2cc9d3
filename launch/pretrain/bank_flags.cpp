#include "launch/pretrain/bank_flags.h"

#include "launch/flags/bank_kind_field.h"
#include "launch/flags/number_fields.h"
#include "launch/flags/row_optimizer_field.h"
#include "launch/flags/typed_fields.h"

namespace negatron {
namespace {

TypedField refresh_field(RunInterval* field) {
  using Unit = RunInterval::Unit;
  return {[field] { return text_of(*field); },
          [field](const std::string& flag, const std::string& text) {
            *field = parse_interval("--" + flag, text, {Unit::kSteps, Unit::kEpochs, Unit::kNever});
          },
          {"1epoch", "500", "never"}};
}

}  // namespace

void add_bank_flags(FlagTable& table, PretrainOptions& o) {
  table.add(
      "bank-kind", bank_kind_field(&o.bank_kind),
      "queue (the last K keys, as MoCo), memory (a row for each training sample, which is its positive, as "
      "InstDisc), learned (rows that are trained against the loss, as AdCo), index (a row for each training sample, "
      "all made anew every --refresh-every, as ANCE), or parametric (a row for each training sample, which is its "
      "positive and is trained with the encoder, as PIC)");
  table.add(
      "bank-rows", within(&o.bank_rows, 1, kMostBankRows),
      "K, keys in the bank over all ranks; memory, index and parametric have as many as there are training samples");
  table.add("bank-momentum", within(&o.bank_momentum, 0.0, 1.0),
            "m of a memory bank's rows: v <- m v + (1 - m) f, when their sample is met");
  table.add(
      "bank-per-view", &o.bank_per_view,
      "two memory banks, one for each view of a sample: queries of either view meet the other one's rows, as CMC");
  table.add("refresh-every", refresh_field(&o.refresh_every),
            "when an index is made anew, beside the start: steps (500), epochs (2epochs), or never");
  table.add("rows-tau", within(&o.rows_tau, kLeastTemperature, kMostTemperature),
            "temperature of the InfoNCE that rows of a learned bank raise");
  table.add("rows-lr", within(&o.rows.rate, 0.0, kMostRate),
            "learning rate of rows that learn: of a learned bank all the time, of a parametric one at first");
  table.add(
      "rows-optimizer", row_optimizer_field(&o.rows.kind),
      "of rows that learn: sgd with momentum, adagrad (one number a row), or adam; with the last two, rows that a "
      "step did not meet stay as they are");
  table.add("rows-momentum", within(&o.rows.momentum, 0.0, 1.0),
            "momentum of rows that learn, below 1; not of adagrad");
  table.add("rows-weight-decay", within(&o.rows.weight_decay, 0.0, kMostRate), "weight decay of rows that learn");
  table.add(
      "bank-fill",
      one_of<BankFill>(&o.bank_fill,
                       {{"random", BankFill::kRandom}, {"empty", BankFill::kEmpty}, {"features", BankFill::kFeatures}}),
      "random (unit rows at start, as MoCo), empty, or features (of rows that stay: what the encoder makes of samples "
      "before the first step)");
  table.add("bank-dtype",
            one_of<at::ScalarType>(&o.bank_dtype, {{"fp32", at::kFloat}, {"bf16", at::kBFloat16}, {"fp16", at::kHalf}}),
            "how rows are stored: fp32, bf16, fp16 (fp64 with --precision fp64)");
  table.add("mask-own-sample", &o.mask_own_sample, "a query never meets an older key of its own sample");
  table.add("max-key-age", within(&o.max_key_age, 0, kMostCount), "older keys do not score, steps; 0 for no limit");
  table.add("shards", within(&o.shards, 0, kMostJobRanks),
            "ranks that share one copy of the bank, a divisor of all ranks; 0 for all");
}

}  // namespace negatron
