#include "launch/pretrain/signal_watch.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace negatron::testing {
namespace {

constexpr std::chrono::seconds kHeardWithin{20};

void expect_heard(const std::atomic<bool>& request) {
  const auto end = std::chrono::steady_clock::now() + kHeardWithin;
  while (!request.load() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_TRUE(request.load());
}

/// As MPI's helper hears Ctrl-C between its fork and its exec: it has the handlers and the pipe of the run.
void hear_in_a_child(int number) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::raise(number);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
}

class SignalWatchTest : public ::testing::Test {
 protected:
  // A watch that ended leaves SIGINT ignored, which the next one would leave so.
  SignalWatchTest() { ::signal(SIGINT, SIG_DFL); }
};

TEST_F(SignalWatchTest, EachSignalAsksForItsOwn) {
  SignalWatch watch;
  ::raise(SIGUSR1);
  expect_heard(watch.requests().snapshot);
  EXPECT_FALSE(watch.requests().leave.load());
  ::raise(SIGINT);
  expect_heard(watch.requests().leave);
  EXPECT_FALSE(watch.requests().stop.load());
}

TEST_F(SignalWatchTest, WhatAForkedHelperHearsIsNotTheRuns) {
  SignalWatch watch;
  // One Ctrl-C and no second one, which would end this process: the bytes are read in the order of the signals.
  ::raise(SIGINT);
  hear_in_a_child(SIGINT);
  expect_heard(watch.requests().leave);
  hear_in_a_child(SIGTERM);
  ::raise(SIGUSR2);
  expect_heard(watch.requests().snapshot);
  EXPECT_FALSE(watch.requests().stop.load());
}

constexpr TermPolicy kPatient{.saves = true, .grace = std::chrono::hours(10)};

TEST_F(SignalWatchTest, SigtermSavesWhereThereIsTimeForIt) {
  SignalWatch watch;
  watch.honour(kPatient);
  ::raise(SIGTERM);
  expect_heard(watch.requests().leave);
  EXPECT_TRUE(watch.requests().terminated.load());
  EXPECT_FALSE(watch.requests().stop.load());
  // The same order heard twice, as Slurm gives it.
  ::raise(SIGTERM);
  ::raise(SIGUSR1);
  expect_heard(watch.requests().snapshot);
}

[[noreturn]] void stay() {
  for (;;) ::pause();
}

using SignalWatchDeathTest = SignalWatchTest;

TEST_F(SignalWatchDeathTest, BeforeTheRunThereIsNothingToSave) {
  const auto leave = [] {
    SignalWatch watch;
    ::raise(SIGTERM);
    while (!watch.requests().stop.load()) std::this_thread::yield();
    if (watch.requests().leave.load()) ::_exit(0);
    stay();
  };
  EXPECT_EXIT(leave(), ::testing::ExitedWithCode(143), "SIGTERM: not waiting any longer");
}

TEST_F(SignalWatchDeathTest, WhoIsNotGoneWhenTheGraceIsOverIsEnded) {
  const auto leave = [] {
    SignalWatch watch;
    watch.honour({.saves = true, .grace = std::chrono::milliseconds(50)});
    ::raise(SIGTERM);
    stay();
  };
  EXPECT_EXIT(leave(), ::testing::ExitedWithCode(143), "SIGTERM: not waiting any longer");
}

/// Again and again, as the first ones may be one order.
void keep_terminating(int times) {
  for (int i = 0; i < times; ++i) {
    ::raise(SIGTERM);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
}

TEST_F(SignalWatchDeathTest, ASecondSigtermEndsAtOnceUnlessTheRunIsOver) {
  const auto leave = [](bool is_over) {
    SignalWatch watch;
    watch.honour(kPatient);
    if (is_over) watch.run_is_over();
    keep_terminating(is_over ? 6 : 200);
    ::_exit(7);
  };
  EXPECT_EXIT(leave(false), ::testing::ExitedWithCode(143), "a second SIGTERM: left at once");
  EXPECT_EXIT(leave(true), ::testing::ExitedWithCode(7), "^$");
}

}  // namespace
}  // namespace negatron::testing
