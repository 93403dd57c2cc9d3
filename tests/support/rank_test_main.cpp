// main of test programs under mpirun.

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include "comm/mpi/mpi_communicator.h"
#include "tests/support/rank_listener.h"
#include "tests/support/rank_test.h"
#include "tests/support/time_limit.h"
#include "tests/support/verdict.h"

namespace negatron::testing {
namespace {

// Below kTestTimeLimit: a collective that hangs is reported by the communicator, which knows more about it.
constexpr std::chrono::seconds kCollectiveTimeLimit{60};

const Environment* the_environment = nullptr;
Communicator* the_world = nullptr;

int run_tests(Environment& environment) {
  CommunicatorOptions options;
  options.check = true;
  options.time_limit = kCollectiveTimeLimit;
  const auto world = make_mpi_communicator(environment, options);
  // The verdict of a test may have to wait for a rank that still runs it.
  const auto verdicts = make_mpi_communicator(environment, {.check = false, .time_limit = kTestTimeLimit});
  the_environment = &environment;
  the_world = world.get();

  ::testing::UnitTest& tests = *::testing::UnitTest::GetInstance();
  ::testing::TestEventListeners& listeners = tests.listeners();
  if (world->rank() != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new TimeLimit(rank_prefix(world->rank(), world->size()), kTestTimeLimit));
  listeners.Append(new RankListener(*verdicts));

  [[maybe_unused]] const int unused = RUN_ALL_TESTS();
  const at::Tensor code = at::tensor({exit_code(tests)}, at::kLong);
  verdicts->all_reduce(code, ReduceOp::kMax);
  return code.item<int>();
}

}  // namespace

const Environment& environment() {
  return *the_environment;
}

Communicator& world() {
  return *the_world;
}

bool on_all_ranks(Communicator& communicator, bool ok) {
  const at::Tensor flag = at::tensor({ok ? 1 : 0}, at::kLong);
  communicator.all_reduce(flag, ReduceOp::kMin);
  return flag.item<std::int64_t>() == 1;
}

}  // namespace negatron::testing

int main(int argc, char** argv) {
  using namespace negatron;
  int code = 1;
  try {
    Environment environment(&argc, &argv);
    ::testing::InitGoogleTest(&argc, argv);
    // An exception that escapes a test leaves the other ranks in a collective: the job must end, not go on.
    ::testing::GTEST_FLAG(catch_exceptions) = false;
    at::set_num_threads(1);
    try {
      code = negatron::testing::run_tests(environment);
      environment.finish();
    } catch (const std::exception& error) {
      negatron::testing::print_now(negatron::testing::rank_prefix(environment.rank(), environment.size()),
                                   std::string("exception left the test: ") + error.what());
      environment.abort(1);
    }
  } catch (const std::exception& error) {
    negatron::testing::print_now("", std::string("no MPI: ") + error.what());
  }
  return code;
}
