#include "runtime/planning/planned_job.h"

#include <limits>
#include <stdexcept>
#include <string>

#include "comm/require.h"

namespace negatron {
namespace {

void require_at_least_one(const char* flag, std::int64_t value) {
  require(value >= 1, std::string(flag) + " must be at least 1, not " + std::to_string(value) + ".");
}

}  // namespace

void check(const PlannedJob& job) {
  constexpr std::int64_t kMostRows = std::int64_t{1} << 32;
  require_at_least_one("--ranks", job.ranks);
  require_at_least_one("--bank-rows", job.bank_rows);
  require_at_least_one("--width", job.width);
  require(job.ranks <= std::numeric_limits<int>::max(), "--ranks " + std::to_string(job.ranks) + " is too large.");
  require(job.bank_rows < kMostRows, "--bank-rows must be below 2^32, not " + std::to_string(job.bank_rows) + ".");
  require(job.shards >= 1 && job.ranks % job.shards == 0,
          "--shards " + std::to_string(job.shards) + " must divide --ranks " + std::to_string(job.ranks) + ".");
  require(job.global_batch >= job.ranks, "a global batch of " + std::to_string(job.global_batch) +
                                             " samples is smaller than --ranks " + std::to_string(job.ranks) +
                                             "; each rank needs one.");
  require(!rows_learn(job.bank_kind) || job.shards == job.ranks,
          "--bank-kind " + std::string(job.has_kind(BankKind::kLearned) ? "learned" : "parametric") +
              " has one copy of the bank, whose rows learn from the queries of all ranks; leave --shards out.");
  require(rows_stay(job.bank_kind) || job.global_batch <= job.bank_rows,
          "--bank-rows " + std::to_string(job.bank_rows) + " is smaller than the global batch of " +
              std::to_string(job.ranks) + " ranks, " + std::to_string(job.global_batch) + ".");
  require(job.hard >= 0 && job.hard <= job.bank_rows,
          "--hard must lie between 0 and --bank-rows, not " + std::to_string(job.hard) + ".");
  require(job.sample_seconds >= 0.0, "--images-per-second must be above 0.");
  require(job.gradient_bytes >= 0.0, "--gradient-mb must not be negative.");
}

}  // namespace negatron
