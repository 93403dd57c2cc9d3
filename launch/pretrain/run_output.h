#pragma once

#include <filesystem>
#include <optional>
#include <ostream>
#include <streambuf>
#include <string>
#include <vector>

#include "runtime/metrics/appended_file.h"
#include "runtime/metrics/progress_line.h"

namespace negatron {

/// What a run prints: to standard output, and all of it into RUN/log as well, from the first word on: what is said
/// before there is a run directory is kept until open(). The run does not end for what either of them cannot take, nor
/// wait for a reader: that is warned of once, where it can still be read, and missing() tells of it. Of a progress line
/// that is redrawn on a terminal the log gets a line now and then. Rank 0 uses it, in one thread. Local.
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
  /// The same, to standard error also when quiet.
  void insist(const std::string& sentence);

  /// Where progress goes, on a standard output that is like that.
  std::vector<ProgressView> progress(const ProgressDisplay& display);

  /// Adds `heading`, and what was said so far, to the file of the log.
  void open(const std::filesystem::path& file, const std::string& heading);
  /// A sentence for standard output and for the log where they miss something.
  std::vector<std::string> missing() const;

 private:
  /// Keeps text until there is a file, and until it is flushed.
  class Log : public std::streambuf {
   public:
    ~Log() override { sync(); }
    void open(const std::filesystem::path& file, const std::string& heading);
    std::string missing() const { return file_ ? file_->missing() : std::string(); }

   protected:
    int_type overflow(int_type letter) override;
    std::streamsize xsputn(const char* text, std::streamsize count) override;
    int sync() override;

   private:
    std::string text_;
    std::optional<AppendedFile> file_;
  };

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

  static std::ostream& screen();
  /// Of what standard output lost; empty when that is nothing, or nobody can have wanted to read it.
  std::string missing_on_screen() const;

  /// Null when quiet.
  std::ostream* screen_ = &screen();
  bool has_warned_ = false;
  Log file_;
  std::ostream log_{&file_};
  Both both_{*this};
  std::ostream all_{&both_};
};

}  // namespace negatron
