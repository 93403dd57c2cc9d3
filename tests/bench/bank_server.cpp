// The bank's stage of a training step on one rank, for tests/bench/compare to time beside other programs.
//   bank_server QUERIES ROWS B K D fp32|bf16 TAU THREADS
// QUERIES and ROWS are files of fp32 numbers, [B, D] and [K, D]. Answers each line of its input by a line:
//   loss N        log sum exp of q.n / tau and its gradient, and the N hardest rows (0 for none): milliseconds
//   write FOLDER  files of the last answer: value [B] and gradient [B, D] fp32, hardest [B, N] int64 slots: "written"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include <ATen/Parallel.h>

#include "comm/share.h"
#include "comm/threads/thread_communicator.h"
#include "launch/process_setup.h"
#include "samplers/exchange/bank_exchange.h"

namespace {

using namespace negatron;

at::Tensor read(const std::string& path, std::int64_t rows, std::int64_t width) {
  const at::Tensor numbers = at::empty({rows, width}, at::kFloat);
  std::ifstream file(path, std::ios::binary);
  file.read(static_cast<char*>(numbers.mutable_data_ptr()), static_cast<std::streamsize>(numbers.nbytes()));
  if (!file || file.peek() != std::ifstream::traits_type::eof()) {
    throw std::runtime_error("'" + path + "' does not hold " + std::to_string(numbers.nbytes()) + " bytes");
  }
  return numbers;
}

void write(const std::filesystem::path& path, const at::Tensor& numbers) {
  const at::Tensor all = numbers.contiguous();
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(all.const_data_ptr()), static_cast<std::streamsize>(all.nbytes()));
  if (!file.flush()) throw std::runtime_error("'" + path.string() + "' cannot be written");
}

void serve(Communicator& comm, char** argv) {
  const std::int64_t batch = std::atoll(argv[3]);
  const std::int64_t count = std::atoll(argv[4]);
  const std::int64_t width = std::atoll(argv[5]);
  at::set_num_threads(std::atoi(argv[8]));
  Bank bank(
      {count, width, std::string(argv[6]) == "bf16" ? at::kBFloat16 : at::kFloat, at::kCPU, BankFill::kEmpty, 0, count},
      comm.rank(), comm.size());
  bank.enqueue(read(argv[2], count, width), at::full({count}, -1, at::kLong), at::Tensor(), 0, count);
  QueryBatch queries;
  queries.queries = read(argv[1], batch, width);
  queries.shares = {share_sizes(batch, comm.size()), 0};
  ScoreTerm term;
  term.scale = 1.0 / std::atof(argv[7]);
  BankExchange exchange;
  NegativeResult result;
  for (std::string line, command, argument; std::getline(std::cin, line);) {
    std::istringstream(line) >> command >> argument;
    if (command == "loss") {
      NegativeRequest request;
      request.report_hardest = std::stoll(argument);
      const auto begin = std::chrono::steady_clock::now();
      result = exchange.run(comm, bank, queries, request, {term});
      const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
      std::cout << elapsed.count() << std::endl;
    } else if (command == "write") {
      const std::filesystem::path folder = argument;
      write(folder / "value", result.scores.terms[0].value);
      write(folder / "gradient", result.scores.terms[0].gradient);
      if (result.hardest.defined()) write(folder / "hardest", slots_of_keys(result.hardest));
      std::cout << "written" << std::endl;
    } else {
      throw std::runtime_error("what is '" + line + "'?");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kArguments = 9;
  if (argc != kArguments) {
    std::cerr << "usage: bank_server QUERIES ROWS B K D fp32|bf16 TAU THREADS\n";
    return 2;
  }
  keep_freed_memory();  // as pretrain does
  try {
    run_ranks(1, {}, [argv](Communicator& comm) { serve(comm, argv); });
  } catch (const std::exception& error) {
    std::cerr << "bank_server: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
