// The pass over a bank beside what a user would run instead, and beside its floor, the two matrix products alone.
//   pass_bench [fp32|bf16|fp16] [queries, as 1,64,256] [rows, as 16384,65536] [d] [tau] [threads] [repeats] [isa]
// All compute log sum exp(q.n / tau) of each query and its gradient. First their errors, against fp64 and relative to
// the largest number; then each runs once in turn, so that what else the machine does disturbs all of them. Prints
// milliseconds, the least processor time over all threads, which is disturbed less, and the ratios of least times to
// the floor.

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <iomanip>
#include <iostream>
#include <limits>
#include <sstream>

#include <ATen/Parallel.h>
#include <torch/autograd.h>

#include "samplers/bank/canonical_leaves.h"
#include "samplers/bank/random_rows.h"
#include "samplers/pass/fast_pass.h"

namespace {

using namespace negatron;

struct Answer {
  at::Tensor value;     // [B]
  at::Tensor gradient;  // [B, d]
};

struct Contender {
  std::string name;
  std::function<Answer()> run;
  std::vector<double> times;
  double processor = std::numeric_limits<double>::infinity();
};

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> values;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) values.push_back(std::stoll(part));
  return values;
}

at::ScalarType type_of(const std::string& name) {
  return name == "bf16" ? at::kBFloat16 : name == "fp16" ? at::kHalf : at::kFloat;
}

Answer exact(const at::Tensor& queries, const at::Tensor& rows, double tau) {
  const at::Tensor bank = rows.to(at::kDouble);
  const at::Tensor logits = queries.to(at::kDouble).mm(bank.t()).div_(tau);
  return {logits.logsumexp(1), logits.softmax(1).mm(bank).div_(tau)};
}

Answer eager(const at::Tensor& queries, const at::Tensor& rows, double tau) {
  const at::AutoGradMode with_gradient(true);
  const at::Tensor q = queries.detach().clone().requires_grad_(true);
  const at::Tensor value = q.to(rows.scalar_type()).mm(rows.t()).div(tau).to(at::kFloat).logsumexp(1);
  return {value.detach(), torch::autograd::grad({value.sum()}, {q})[0]};
}

/// Keys = values = rows; one batch, one head.
Answer flash(const at::Tensor& queries, const at::Tensor& rows, double tau) {
  const auto as_heads = [&](const at::Tensor& x) { return x.to(rows.scalar_type()).unsqueeze(0).unsqueeze(0); };
  const at::Tensor bank = as_heads(rows);
  const auto [mean, value] =
      at::_scaled_dot_product_flash_attention_for_cpu(as_heads(queries), bank, bank, 0.0, false, {}, 1.0 / tau);
  return {value.flatten(), mean.squeeze(0).squeeze(0).to(at::kFloat).div(tau)};
}

void measure(at::ScalarType type, std::int64_t batch, std::int64_t count, std::int64_t width, double tau, int repeats,
             CpuIsa isa) {
  const at::Tensor queries = random_unit_rows(1, 0, batch, width).to(at::kFloat);
  Rows rows;
  rows.vectors = random_unit_rows(2, 0, count, width).to(type);
  rows.leaves = canonical_leaves(count, 1, {0, count});
  PassRequest request;
  request.candidates.queries = queries;
  request.terms.resize(1);
  request.terms[0].scale = 1.0 / tau;
  const FastPass fast(isa);

  const at::Tensor narrow = queries.to(type);
  const at::Tensor weights = at::rand({batch, count}).to(type);
  at::Tensor scores = at::empty({batch, count}, weights.options());
  at::Tensor sums = at::empty({batch, width}, weights.options());
  std::vector<Contender> contenders = {{"two products (floor)",
                                        [&] {
                                          at::mm_out(scores, narrow, rows.vectors.t());
                                          at::mm_out(sums, weights, rows.vectors);
                                          return Answer{};
                                        },
                                        {}},
                                       {std::string("FastPass ") + name_of(fast.isa()),
                                        [&] {
                                          const PassResult result = fast.run(rows, request);
                                          return Answer{result.terms[0].value, result.terms[0].gradient};
                                        },
                                        {}},
                                       {"BlockedPass",
                                        [&] {
                                          const PassResult result = BlockedPass().run(rows, request);
                                          return Answer{result.terms[0].value, result.terms[0].gradient};
                                        },
                                        {}},
                                       {"ATen flash attention", [&] { return flash(queries, rows.vectors, tau); }, {}},
                                       {"eager, autograd", [&] { return eager(queries, rows.vectors, tau); }, {}}};

  constexpr std::int64_t kCompared = 16;
  const std::int64_t compared = std::min(batch, kCompared);
  const Answer truth = exact(queries.narrow(0, 0, compared), rows.vectors, tau);
  const auto error = [&](const at::Tensor& actual, const at::Tensor& expected) {
    const at::Tensor difference = actual.narrow(0, 0, compared).to(at::kDouble) - expected;
    return (difference.abs().max() / expected.abs().max()).item<double>();
  };
  std::cout << "\n"
            << type << ", B " << batch << ", K " << count << ", d " << width << ", tau " << tau << ", "
            << at::get_num_threads() << " threads\n"
            << std::left << std::setw(26) << "" << std::right << std::setw(11) << "value err" << std::setw(11)
            << "grad err" << std::setw(10) << "median" << std::setw(10) << "least" << std::setw(10) << "/ floor"
            << std::setw(11) << "processor" << std::setw(10) << "/ floor"
            << "\n";
  std::vector<Answer> answers;
  for (Contender& contender : contenders) answers.push_back(contender.run());
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (Contender& contender : contenders) {
      const auto begin = std::chrono::steady_clock::now();
      const std::clock_t clock_begin = std::clock();
      contender.run();
      const double clocks = static_cast<double>(std::clock() - clock_begin);
      contender.processor = std::min(contender.processor, 1000.0 * clocks / CLOCKS_PER_SEC);
      const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
      contender.times.push_back(elapsed.count());
    }
  }
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    std::vector<double>& times = contenders[i].times;
    std::sort(times.begin(), times.end());
    std::cout << std::left << std::setw(26) << contenders[i].name << std::right << std::setprecision(2);
    if (answers[i].value.defined()) {
      std::cout << std::scientific << std::setw(11) << error(answers[i].value, truth.value) << std::setw(11)
                << error(answers[i].gradient, truth.gradient);
    } else {
      std::cout << std::setw(22) << "";
    }
    std::cout << std::fixed << std::setw(10) << times[times.size() / 2] << std::setw(10) << times.front()
              << std::setw(10) << times.front() / contenders.front().times.front() << std::setw(11)
              << contenders[i].processor << std::setw(10) << contenders[i].processor / contenders.front().processor
              << std::defaultfloat << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [argc, argv](int index, const char* otherwise) {
    return std::string(index < argc ? argv[index] : otherwise);
  };
  const at::NoGradGuard no_grad;
  at::set_num_threads(std::stoi(argument(6, "2")));
  for (const std::int64_t count : numbers(argument(3, "65536"))) {
    for (const std::int64_t batch : numbers(argument(2, "256"))) {
      measure(type_of(argument(1, "bf16")), batch, count, std::stoll(argument(4, "128")), std::stod(argument(5, "0.2")),
              std::stoi(argument(7, "20")), parse_cpu_isa(argument(8, "auto")));
    }
  }
  return 0;
}
