#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace negatron {

/// Where progress is shown.
struct ProgressDisplay {
  /// Redraw one line (a terminal) or print a new one per `interval` (a log file).
  bool terminal = false;
  std::chrono::milliseconds interval = std::chrono::seconds(10);
  /// Columns; a longer line is cut on a terminal, where a wrapped line could not be redrawn.
  int width = 80;
};

/// One of the places where the same progress is shown. `out` outlives the run.
struct ProgressView {
  ProgressDisplay display;
  std::ostream* out = nullptr;
};

struct ProgressOptions {
  std::int64_t epochs = 1;
  /// Steps of the whole run; fewer than epochs * steps_per_epoch when it is cut short.
  std::int64_t total_steps = 1;
  ProgressDisplay display;
};

/// Where the run stands after a step.
struct Progress {
  /// Counted from 0.
  std::int64_t epoch = 0;
  /// Steps done since the start of the run, those before a resume included.
  std::int64_t steps_done = 0;
  double loss = 0.0;
  double images_per_second = 0.0;
  std::int64_t skipped_steps = 0;
  /// Of the step, and of it what it waited for its images.
  double milliseconds = 0.0;
  double waited_milliseconds = 0.0;
};

/// What a person watches: epoch, step, smoothed loss, rate, kNN accuracy once known, time left; and, where steps wait
/// for images a good part of their time, how much. Local; rank 0 makes one.
class ProgressLine {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  ProgressLine(const ProgressOptions& options, std::ostream& out, Clock clock = std::chrono::steady_clock::now);
  /// Leaves a terminal's cursor on a fresh line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(const Progress& progress);
  /// Time left is reckoned from here on; without this call, from construction.
  void start() { start_ = clock_(); }
  /// Accuracy 0 to 1, shown from now on.
  void set_knn(double accuracy) { knn_ = accuracy; }
  /// Prints a line of its own; the progress line goes on below it.
  void print(std::string_view line);
  /// Shows the last state whatever the interval, and ends the line.
  void finish();

 private:
  std::string text(std::chrono::steady_clock::time_point now) const;
  void draw(std::chrono::steady_clock::time_point now);
  void end_line();

  ProgressOptions options_;
  std::ostream& out_;
  Clock clock_;
  std::chrono::steady_clock::time_point start_;
  std::optional<std::chrono::steady_clock::time_point> last_draw_;
  std::int64_t first_step_ = -1;
  std::optional<Progress> latest_;
  bool latest_drawn_ = false;
  bool line_open_ = false;
  double smoothed_loss_ = 0.0;
  double smoothed_rate_ = 0.0;
  double smoothed_time_ = 0.0;
  double smoothed_wait_ = 0.0;
  std::optional<double> knn_;
};

/// "8 s", "4 min 05 s", "2 h 03 min". Negative and not finite values are "?".
std::string format_duration(double seconds);

}  // namespace negatron
