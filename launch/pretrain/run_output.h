#pragma once

#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <streambuf>
#include <string>
#include <vector>

#include "runtime/metrics/progress_line.h"

namespace negatron {

/// What a run prints: to standard output, and all of it into RUN/log as well, from the first word on: what is said
/// before there is a run directory is kept until open(). Of a progress line that is redrawn on a terminal the log gets
/// a line now and then. Rank 0 uses it, in one thread. Local.
class RunOutput {
 public:
  RunOutput() = default;
  RunOutput(const RunOutput&) = delete;
  RunOutput& operator=(const RunOutput&) = delete;

  /// From here on nothing goes to standard output, nor warnings to standard error; the log is the same.
  void keep_quiet() { screen_ = nullptr; }
  bool is_quiet() const { return screen_ == nullptr; }

  /// To standard output and to the log.
  std::ostream& all() { return all_; }
  std::ostream& log() { return log_; }
  /// A sentence to standard error and to the log.
  void warn(const std::string& sentence);

  /// Where progress goes, on a standard output that is like that.
  std::vector<ProgressView> progress(const ProgressDisplay& display);

  /// Adds `heading`, and what was said so far, to the file of the log. Throws UsageError.
  void open(const std::filesystem::path& file, const std::string& heading);

 private:
  /// Writes to the screen, if there is one, and to the log.
  class Both : public std::streambuf {
   public:
    explicit Both(RunOutput& output) : output_(output) {}

   protected:
    int_type overflow(int_type letter) override;
    std::streamsize xsputn(const char* text, std::streamsize count) override;
    int sync() override;

   private:
    RunOutput& output_;
  };

  static std::ostream& standard_output();

  /// Null when quiet.
  std::ostream* screen_ = &standard_output();
  std::stringbuf early_;
  std::filebuf file_;
  std::ostream log_{&early_};
  Both both_{*this};
  std::ostream all_{&both_};
};

}  // namespace negatron
