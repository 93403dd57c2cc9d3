#include "runtime/metrics/progress_line.h"

#include <limits>
#include <sstream>

#include <gtest/gtest.h>

namespace negatron::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Watched {
  std::chrono::steady_clock::time_point now{};
  std::ostringstream out;
  ProgressOptions options{.epochs = 4, .total_steps = 400, .display = {}};

  ProgressLine line() {
    return ProgressLine(options, out, [this] { return now; });
  }
};

TEST(ProgressLine, ReckonsTimeLeftFromStart) {
  Watched watched;
  ProgressLine line = watched.line();
  watched.now += seconds(100);  // an evaluation before training
  line.start();
  watched.now += seconds(1);
  line.update({.epoch = 0, .steps_done = 1, .loss = 2.5, .images_per_second = 512});
  EXPECT_NE(watched.out.str().find("6 min 39 s left"), std::string::npos) << watched.out.str();
}

TEST(ProgressLine, PrintsOneLinePerIntervalInALogFile) {
  Watched watched;
  ProgressLine line = watched.line();
  for (std::int64_t step = 1; step <= 100; ++step) {
    watched.now += milliseconds(500);
    line.update({.epoch = (step - 1) / 100, .steps_done = step, .loss = 2.5, .images_per_second = 512});
  }
  // 50 seconds: at the first step, then every ten seconds.
  const std::string text = watched.out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  const std::string first = text.substr(0, text.find('\n'));
  EXPECT_EQ(first, "epoch 1/4  step 1/400  loss 2.5000  512 images/s  3 min 20 s left");
  line.set_knn(0.8123);
  line.finish();
  const std::string all = watched.out.str();
  EXPECT_EQ(all.substr(text.size()),
            "epoch 1/4  step 100/400  loss 2.5000  512 images/s  kNN 81.2%  2 min 30 s left\n");
  line.finish();
  EXPECT_EQ(watched.out.str(), all);
}

TEST(ProgressLine, RedrawsOneLineOnATerminal) {
  Watched watched;
  watched.options.display.terminal = true;
  watched.options.display.width = 40;
  {
    ProgressLine line = watched.line();
    for (std::int64_t step = 1; step <= 5; ++step) {
      watched.now += milliseconds(200);
      line.update({.steps_done = step, .loss = 1.0, .images_per_second = 10});
    }
    watched.now += milliseconds(1);
    line.update({.steps_done = 6, .loss = 1.0, .images_per_second = 10});  // too soon to redraw
    EXPECT_EQ(watched.out.str().find('\n'), std::string::npos);
    EXPECT_EQ(watched.out.str().find("step 6"), std::string::npos);
    line.print("raw pixels 81.8%");
    EXPECT_NE(watched.out.str().find("\r\x1b[Kraw pixels 81.8%\n"), std::string::npos);
  }
  const std::string text = watched.out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 6);
  std::istringstream pieces(text);
  for (std::string piece; std::getline(pieces, piece, '\r');) EXPECT_LE(piece.size(), 3U + 39U);
}

TEST(ProgressLine, SaysHowLongStepsWaitForImages) {
  const auto shown = [](double waited) {
    Watched watched;
    ProgressLine line = watched.line();
    for (std::int64_t step = 1; step <= 3; ++step) {
      watched.now += seconds(10);
      // The first batch is always waited for.
      line.update({.steps_done = step, .milliseconds = 200.0, .waited_milliseconds = step == 1 ? 200.0 : waited});
      if (step == 1) {
        EXPECT_EQ(watched.out.str().find("waits"), std::string::npos);
      }
    }
    return watched.out.str();
  };
  EXPECT_EQ(shown(0.0).find("waits"), std::string::npos);
  EXPECT_EQ(shown(19.0).find("waits"), std::string::npos);
  EXPECT_NE(shown(86.0).find("images/s  waits for images 43 %  "), std::string::npos) << shown(86.0);
}

TEST(ProgressLine, LeavesTheCursorOnAFreshLine) {
  Watched watched;
  watched.options.display.terminal = true;
  {
    ProgressLine line = watched.line();
    line.update({.steps_done = 1});
  }
  EXPECT_EQ(watched.out.str().back(), '\n');
}

TEST(ProgressLine, ReckonsTimeLeftFromTheStepsOfThisRunOnly) {
  Watched watched;
  watched.options.display.interval = milliseconds(0);
  ProgressLine line = watched.line();
  watched.now += seconds(2);
  line.update({.epoch = 3, .steps_done = 301});  // resumed after step 300
  watched.now += seconds(2);
  line.update({.epoch = 3, .steps_done = 302});
  EXPECT_NE(watched.out.str().find("step 302/400  loss 0.0000  0 images/s  3 min 16 s left"), std::string::npos)
      << watched.out.str();
}

TEST(ProgressLine, SmoothsTheLossAndShowsSkippedSteps) {
  Watched watched;
  watched.options.display.interval = milliseconds(0);
  ProgressLine line = watched.line();
  line.update({.steps_done = 1, .loss = 1.0});
  line.update({.steps_done = 2, .loss = 3.0});
  EXPECT_NE(watched.out.str().find("loss 1.1000"), std::string::npos) << watched.out.str();
  line.update({.steps_done = 3, .loss = std::numeric_limits<double>::quiet_NaN(), .skipped_steps = 1});
  const std::string last = watched.out.str().substr(watched.out.str().rfind("epoch"));
  EXPECT_NE(last.find("loss 1.1000"), std::string::npos) << last;
  EXPECT_NE(last.find("skipped 1"), std::string::npos) << last;
}

TEST(ProgressLine, FormatsDurations) {
  EXPECT_EQ(format_duration(0), "0 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(245), "4 min 05 s");
  EXPECT_EQ(format_duration(7380), "2 h 03 min");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
}

}  // namespace
}  // namespace negatron::testing
