// The pass over a bank in bf16 on a GPU beside what a user would run instead, and beside its ceiling, the two matrix
// products alone.
//   pass_gpu_bench [queries, as 256,4096] [rows, as 65536,1048576] [d] [tau] [repeats] [best rows]
// All compute log sum exp(q.n / tau) of each query and its gradient, ours the largest score too; some its best rows
// besides, or these alone. Prints errors against fp64, relative to the largest number, median and least milliseconds by
// the device's clock, TFLOP/s at 4 d operations a score, and the share of the ceiling that this is. Ends 77 without a
// GPU.

#include <algorithm>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <torch/autograd.h>

#include "samplers/bank/canonical_leaves.h"
#include "samplers/pass/attention_pass.h"
#include "samplers/pass/cuda/cuda_pass.h"

namespace {

using namespace negatron;

constexpr int kSkipped = 77;
constexpr int kWarmUp = 3;
/// Rows whose scores the ceiling's products write out at a time.
constexpr std::int64_t kProductRows = 65536;

struct Answer {
  at::Tensor value;     // [B]
  at::Tensor gradient;  // [B, d]
};

struct Contender {
  std::string name;
  std::function<Answer()> run;
};

struct Scene {
  at::Tensor queries;  // [B, d] fp32
  Rows rows;
  double tau = 0.0;
  std::int64_t best = 0;

  /// As most steps ask.
  PassRequest step_request() const {
    PassRequest own = request(true);
    own.may_skip_max = true;
    return own;
  }

  PassRequest request(bool want_max, std::int64_t want_best = 0) const {
    PassRequest request;
    request.candidates.queries = queries;
    request.terms.resize(1);
    request.terms[0].scale = 1.0 / tau;
    request.want_max = want_max;
    request.best = want_best;
    return request;
  }
};

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> values;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) values.push_back(std::stoll(part));
  return values;
}

Answer answer_of(const PassResult& result) {
  return {result.terms[0].value, result.terms[0].gradient};
}

Answer exact(const Scene& scene, std::int64_t compared) {
  PassRequest request = scene.request(false);
  request.candidates.queries = scene.queries.narrow(0, 0, compared).to(at::kDouble);
  return answer_of(BlockedPass().run(scene.rows, request));
}

/// Scores are written out as often as eager code does.
Answer eager(const Scene& scene) {
  const at::AutoGradMode with_gradient(true);
  const at::Tensor q = scene.queries.detach().clone().requires_grad_(true);
  const at::Tensor logits = q.to(at::kBFloat16).mm(scene.rows.vectors.t()).div(scene.tau);
  const at::Tensor value = logits.to(at::kFloat).logsumexp(1);
  return {value.detach(), torch::autograd::grad({value.sum()}, {q})[0]};
}

Answer cudnn(const Scene& scene) {
  const auto as_heads = [](const at::Tensor& x) { return x.to(at::kBFloat16).unsqueeze(0).unsqueeze(0); };
  const at::Tensor bank = as_heads(scene.rows.vectors);
  const auto all =
      at::_scaled_dot_product_cudnn_attention(as_heads(scene.queries), bank, bank, {},
                                              /*compute_log_sumexp=*/true, 0.0, false, false, 1.0 / scene.tau);
  return {std::get<1>(all).flatten(), std::get<0>(all).squeeze(0).squeeze(0).to(at::kFloat).div(scene.tau)};
}

/// A pass that was tried on the scene, as a run tries it at its start.
std::shared_ptr<const CudaPass> tried_pass(const Scene& scene) {
  auto pass = std::make_shared<CudaPass>();
  const GpuPassTimes times = pass->trial_times(scene.rows, scene.step_request());
  pass->prefer(times[1] < times[0] ? GpuPass::kKernel : GpuPass::kAttention, 1);
  return pass;
}

std::vector<Contender> contenders_of(const Scene& scene) {
  const std::int64_t batch = scene.queries.size(0);
  const at::Tensor& bank = scene.rows.vectors;
  const std::int64_t part = std::min(kProductRows, bank.size(0));
  const at::Tensor narrow = scene.queries.to(at::kBFloat16);
  const at::Tensor scores = at::rand({batch, part}, bank.options());
  const at::Tensor sums = at::empty_like(narrow);
  return {
      {"two products (ceiling)",
       [=] {
         at::Tensor s = scores;
         at::Tensor o = sums;
         for (std::int64_t first = 0; first + part <= bank.size(0); first += part) {
           const at::Tensor own = bank.narrow(0, first, part);
           at::mm_out(s, narrow, own.t());
           at::mm_out(o, s, own);
         }
         return Answer{};
       }},
      {"kernel", [&scene] { return answer_of(CudaPass().run(scene.rows, scene.request(true))); }},
      {"as most steps ask",
       [&scene, pass = tried_pass(scene)] { return answer_of(pass->run(scene.rows, scene.step_request())); }},
      {"ATen flash attention", [&scene] { return answer_of(AttentionPass().run(scene.rows, scene.request(false))); }},
      {"ATen cuDNN attention", [&scene] { return cudnn(scene); }},
      {"eager, autograd", [&scene] { return eager(scene); }},
      {"kernel, best rows too",
       [&scene] { return answer_of(CudaPass().run(scene.rows, scene.request(true, scene.best))); }},
      {"scores and topk alone", [=, m = scene.best] {
         narrow.mm(bank.t()).topk(m, 1);
         return Answer{};
       }}};
}

/// Milliseconds, ascending.
std::vector<double> times_of(const Contender& contender, int repeats) {
  std::vector<double> times;
  for (int repeat = 0; repeat < kWarmUp + repeats; ++repeat) {
    at::cuda::CUDAEvent begin(cudaEventDefault);
    at::cuda::CUDAEvent end(cudaEventDefault);
    begin.record();
    contender.run();
    end.record();
    end.synchronize();
    if (repeat >= kWarmUp) times.push_back(static_cast<double>(begin.elapsed_time(end)));
  }
  std::sort(times.begin(), times.end());
  return times;
}

double error(const at::Tensor& actual, const at::Tensor& expected) {
  const at::Tensor own = actual.narrow(0, 0, expected.size(0)).to(at::kDouble);
  return ((own - expected).abs().max() / expected.abs().max()).item<double>();
}

void measure(std::int64_t batch, std::int64_t count, std::int64_t width, double tau, int repeats, std::int64_t best) {
  const at::TensorOptions options = at::TensorOptions(at::kFloat).device(at::kCUDA);
  const auto unit = [&](std::int64_t n) {
    const at::Tensor rows = at::randn({n, width}, options);
    return rows / rows.norm(2, {1}, true);
  };
  Scene scene{unit(batch), {}, tau, std::min(best, count)};
  scene.rows.vectors = unit(count).to(at::kBFloat16);
  scene.rows.slots = at::arange(count, options.dtype(at::kLong));
  scene.rows.leaves = canonical_leaves(count, 1, {0, count});
  const Answer truth = exact(scene, std::min<std::int64_t>(batch, 16));
  const double operations = 4.0 * static_cast<double>(batch) * static_cast<double>(count) * static_cast<double>(width);

  std::cout << "\nB " << batch << ", K " << count << ", d " << width << ", tau " << tau << ", best " << scene.best
            << "\n"
            << std::left << std::setw(26) << "" << std::right << std::setw(11) << "value err" << std::setw(11)
            << "grad err" << std::setw(12) << "median ms" << std::setw(12) << "least ms" << std::setw(10) << "TFLOP/s"
            << std::setw(10) << "ceiling"
            << "\n";
  double ceiling = 0.0;
  for (const Contender& contender : contenders_of(scene)) {
    std::cout << std::left << std::setw(26) << contender.name << std::right << std::setprecision(2);
    try {
      const Answer answer = contender.run();
      if (answer.value.defined()) {
        std::cout << std::scientific << std::setw(11) << error(answer.value, truth.value) << std::setw(11)
                  << error(answer.gradient, truth.gradient);
      } else {
        std::cout << std::setw(22) << "";
      }
      const std::vector<double> times = times_of(contender, repeats);
      const double rate = operations / times[times.size() / 2] * 1e-9;
      if (ceiling == 0.0) ceiling = rate;
      std::cout << std::fixed << std::setprecision(3) << std::setw(12) << times[times.size() / 2] << std::setw(12)
                << times.front() << std::setprecision(1) << std::setw(10) << rate << std::setw(9)
                << 100.0 * rate / ceiling << "%\n";
    } catch (const std::exception& failure) {
      // Out of memory, or refused by the operator; the others go on.
      std::cout << " " << std::string(failure.what()).substr(0, 90) << "\n";
    }
    std::cout << std::defaultfloat;
    c10::cuda::CUDACachingAllocator::emptyCache();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [argc, argv](int index, const char* otherwise) {
    return std::string(index < argc ? argv[index] : otherwise);
  };
  if (c10::cuda::device_count() < 1) {
    std::cerr << "pass_gpu_bench needs a GPU, found none\n";
    return kSkipped;
  }
  const at::NoGradGuard no_grad;
  std::cout << at::cuda::getCurrentDeviceProperties()->name << "\n";
  for (const std::int64_t count : numbers(argument(2, "65536,262144,1048576,4194304"))) {
    for (const std::int64_t batch : numbers(argument(1, "256,1024,4096,16384"))) {
      measure(batch, count, std::stoll(argument(3, "128")), std::stod(argument(4, "0.2")), std::stoi(argument(5, "20")),
              std::stoll(argument(6, "1024")));
    }
  }
  return 0;
}
