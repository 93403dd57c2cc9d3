#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>

namespace negatron {

/// Standard output or standard error, behind std::cout or std::cerr. What cannot be written (a full disk, a reader that
/// left) is remembered with its reason, and later writes are tried all the same. Local; any thread.
class StandardStream : public std::streambuf {
 public:
  explicit StandardStream(int descriptor);

  /// From here on nobody is waited for longer than a moment: what a reader that has stopped reading (a pager, a
  /// terminal that was held) leaves no room for is lost, until there is room again. For runs, which must go on.
  void wait_for_nobody() { waits_ = false; }
  bool waits_for_readers() const noexcept { return waits_; }

  /// errno of the first loss; 0 when all was written.
  int problem() const noexcept { return problem_; }
  /// EPIPE as "nobody reads it any more", others as the system names them.
  std::string problem_text() const;
  std::int64_t lost_lines() const noexcept { return lost_lines_; }

 protected:
  int_type overflow(int_type letter) override;
  std::streamsize xsputn(const char* text, std::streamsize count) override;
  int sync() override;

 private:
  void write_out();
  /// Writes from the front of `text` what it can, and takes it off. Returns errno of what stopped it.
  int write_some(std::string_view& text);
  bool is_ready();
  void lose(int error, std::string_view text);

  const int descriptor_;
  /// To be written at each line and not at each flush alone: a person watches, or it is standard error.
  const bool is_by_line_;
  std::mutex mutex_;
  std::string text_;
  /// The rest of a line was lost: what comes next stands in a line of its own.
  bool is_in_lost_line_ = false;
  std::atomic<bool> waits_{true};
  std::atomic<int> problem_{0};
  std::atomic<std::int64_t> lost_lines_{0};
};

StandardStream& standard_output();
StandardStream& standard_error();

/// Puts them behind std::cout and std::cerr, for good: the first thing that main does.
void take_standard_streams();

/// What a process that would end with `exit_code` ends with, once all it has to say is written: where that was its job
/// (no run, StandardStream::waits_for_readers) and standard output could not be written, 0 becomes kExitFailure and a
/// sentence says why, or kExitReaderLeft without a word where nobody reads it any more.
int end_of_output(int exit_code);

}  // namespace negatron
