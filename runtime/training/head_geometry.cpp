#include "runtime/training/head_geometry.h"

#include <sstream>

#include "comm/require.h"
#include "runtime/training/bank_setup.h"
#include "samplers/bank/row_geometry.h"

namespace negatron {
namespace {

/// Of what raw vectors do not go with, either.
constexpr const char* kLeaveUnit = "Leave --head-output unit, or choose another.";
constexpr const char* kTakeProducts = "Take --head-output unit or raw, or choose another.";

std::string flag_of(const PretrainOptions& options) {
  return std::string("--head-output ") + name_of(options.head.length);
}

/// What vectors of any length ask of the rest.
void require_any_length(const PretrainOptions& options, const ContrastSetup& setup) {
  const auto require_no = [&](const char* reason, const std::string& method) {
    require(reason == nullptr, flag_of(options) + " does not go with " + method + ": " +
                                   (reason == nullptr ? "" : reason) + ". " + kLeaveUnit);
  };
  require_no(setup.objective.why_unit_rows, "--objective " + setup.objective.name);
  if (setup.has_bank()) require_no(setup.sampler.why_unit_rows, "--sampler " + setup.sampler.name);
}

/// What scores that are squared distances ask beside.
void require_distances(const PretrainOptions& options, const ContrastSetup& setup) {
  const auto require_no = [&](const std::string& reason, const std::string& method) {
    require(reason.empty(), flag_of(options) + " does not go with " + method + ": " + reason + ". " + kTakeProducts);
  };
  const char* of_objective = why_inner_products(setup.objective, setup.source);
  const bool by_source = of_objective != nullptr && setup.objective.why_inner_products == nullptr;
  require_no(of_objective == nullptr ? "" : of_objective,
             "--objective " + setup.objective.name + (by_source ? " and --negatives batch" : ""));
  if (setup.has_bank() && setup.sampler.why_inner_products != nullptr) {
    require_no(setup.sampler.why_inner_products(setup.sampler_options), "--sampler " + setup.sampler.name);
  }
  require_no(options.batch_order == BatchOrder::kSimilar ? "it orders samples by the directions of their vectors" : "",
             "--batch-order similar");
  require(!setup.has_bank() ||
              can_be_stored(options.head.length, row_type(options, options.precision.value_or(Precision::kFp32))),
          flag_of(options) +
              " stores |n|^2 / 2 with each row n, of which bf16 and fp16 keep too few digits; take "
              "--bank-dtype fp32.");
}

/// The shortest form of a temperature that a flag was given.
std::string short_text(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

}  // namespace

void require_head_geometry(const PretrainOptions& options, const ContrastSetup& setup) {
  if (options.head.length == RowLength::kUnit) return;
  require_any_length(options, setup);
  if (options.head.length == RowLength::kDistance) {
    require_distances(options, setup);
  } else {
    require(!setup.has_learned(), flag_of(options) +
                                      " does not go with --bank-kind learned: its rows are trained as unit rows, or "
                                      "by their distances. " +
                                      kLeaveUnit);
  }
}

std::vector<std::string> head_geometry_warnings(const PretrainOptions& options, const ContrastSetup& setup) {
  std::vector<std::string> warnings;
  if (options.head.length == RowLength::kUnit) return warnings;
  if (setup.has_bank() && setup.bank_kind == BankKind::kQueue && options.bank_fill == BankFill::kRandom) {
    warnings.push_back(flag_of(options) +
                       " with --bank-fill random: the random rows of the start have length 1, which keys need not "
                       "have; --bank-fill empty begins without negatives.");
  }
  // Of distances tau is the variance of a Gaussian, whatever their size.
  const bool are_products = options.head.length == RowLength::kAsMade;
  if (are_products && setup.objective.uses_temperature && !options.learn_tau && options.tau != 1.0) {
    warnings.push_back(flag_of(options) + " with --tau " + short_text(options.tau) +
                       ": scores of any size are divided by it as well; --tau 1 leaves them as they are.");
  }
  return warnings;
}

}  // namespace negatron
