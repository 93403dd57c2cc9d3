#include "runtime/metrics/progress_line.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <utility>

namespace negatron {

namespace {

// Weight of the newest step in the smoothed loss and rate.
constexpr double kSmoothing = 0.05;
// A terminal need not be redrawn more often than an eye follows.
constexpr std::chrono::milliseconds kRedraw{100};
// Of the time of a step. A loader that keeps up is waited for a few per cent, to hand a batch over.
constexpr double kStalledShare = 0.1;
constexpr const char* kClearLine = "\r\x1b[K";

template <typename... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, pattern, arguments...);
  return buffer;
}

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) return "?";
  const auto whole = static_cast<long>(std::llround(seconds));
  if (whole < 60) return format("%ld s", whole);
  if (whole < 3600) return format("%ld min %02ld s", whole / 60, whole % 60);
  return format("%ld h %02ld min", whole / 3600, whole % 3600 / 60);
}

ProgressLine::ProgressLine(const ProgressOptions& options, std::ostream& out, Clock clock)
    : options_(options), out_(out), clock_(std::move(clock)), start_(clock_()) {}

ProgressLine::~ProgressLine() {
  end_line();
}

void ProgressLine::update(const Progress& progress) {
  const auto now = clock_();
  if (!latest_) {
    // The first step shows where the run (or its resumption) began.
    first_step_ = progress.steps_done - 1;
    smoothed_loss_ = progress.loss;
    smoothed_rate_ = progress.images_per_second;
  } else {
    // Without the first step, which always waits for the first batch.
    smoothed_time_ += kSmoothing * (progress.milliseconds - smoothed_time_);
    smoothed_wait_ += kSmoothing * (progress.waited_milliseconds - smoothed_wait_);
  }
  // A loss that is not finite belongs to a skipped step and must not stick in the average.
  if (std::isfinite(progress.loss)) {
    smoothed_loss_ =
        std::isfinite(smoothed_loss_) ? smoothed_loss_ + kSmoothing * (progress.loss - smoothed_loss_) : progress.loss;
  }
  smoothed_rate_ += kSmoothing * (progress.images_per_second - smoothed_rate_);
  latest_ = progress;
  latest_drawn_ = false;
  const auto pause = options_.display.terminal ? kRedraw : options_.display.interval;
  if (!last_draw_ || now - *last_draw_ >= pause) draw(now);
}

void ProgressLine::print(std::string_view line) {
  if (line_open_) out_ << kClearLine;
  line_open_ = false;
  out_ << line << '\n' << std::flush;
}

void ProgressLine::finish() {
  if (latest_ && !latest_drawn_) draw(clock_());
  end_line();
}

std::string ProgressLine::text(std::chrono::steady_clock::time_point now) const {
  const std::int64_t done = latest_->steps_done - first_step_;
  // The mean since this start, with evaluations and snapshots in it: what is left will have them too.
  const double per_step = seconds_between(start_, now) / static_cast<double>(std::max<std::int64_t>(1, done));
  const double left = per_step * static_cast<double>(options_.total_steps - latest_->steps_done);
  std::string line =
      format("epoch %lld/%lld  step %lld/%lld  loss %.4f  %.0f images/s", static_cast<long long>(latest_->epoch + 1),
             static_cast<long long>(options_.epochs), static_cast<long long>(latest_->steps_done),
             static_cast<long long>(options_.total_steps), smoothed_loss_, smoothed_rate_);
  if (smoothed_wait_ > kStalledShare * smoothed_time_) {
    line += format("  waits for images %.0f %%", 100.0 * smoothed_wait_ / smoothed_time_);
  }
  if (knn_) line += format("  kNN %.1f%%", 100.0 * *knn_);
  if (latest_->skipped_steps > 0) line += format("  skipped %lld", static_cast<long long>(latest_->skipped_steps));
  return line + "  " + format_duration(left) + " left";
}

void ProgressLine::draw(std::chrono::steady_clock::time_point now) {
  std::string line = text(now);
  if (options_.display.terminal) {
    // The last column stays free: a cursor behind it wraps on some terminals.
    const auto columns = static_cast<std::size_t>(std::max(1, options_.display.width - 1));
    if (line.size() > columns) line.resize(columns);
    out_ << kClearLine << line << std::flush;
    line_open_ = true;
  } else {
    out_ << line << '\n' << std::flush;
  }
  last_draw_ = now;
  latest_drawn_ = true;
}

void ProgressLine::end_line() {
  if (line_open_) out_ << '\n' << std::flush;
  line_open_ = false;
}

}  // namespace negatron
