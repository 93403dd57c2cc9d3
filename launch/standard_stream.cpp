#include "launch/standard_stream.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <iostream>

#include <poll.h>
#include <unistd.h>

#include "launch/exit_code.h"

namespace negatron {
namespace {

constexpr std::size_t kMostKept = 1 << 16;
/// How long a run waits for a reader that has stopped: once, and not for each line.
constexpr int kPatienceMilliseconds = 1000;

}  // namespace

StandardStream::StandardStream(int descriptor)
    : descriptor_(descriptor), is_by_line_(descriptor == STDERR_FILENO || ::isatty(descriptor) == 1) {}

std::string StandardStream::problem_text() const {
  const int error = problem_;
  if (error == EPIPE) return "nobody reads it any more";
  if (error == EAGAIN) return "its reader has stopped reading";
  return std::strerror(error);
}

StandardStream::int_type StandardStream::overflow(int_type letter) {
  if (traits_type::eq_int_type(letter, traits_type::eof())) return traits_type::not_eof(letter);
  const char one = traits_type::to_char_type(letter);
  xsputn(&one, 1);
  return letter;
}

// Says yes to all: a stream that once failed would swallow all that follows.
std::streamsize StandardStream::xsputn(const char* text, std::streamsize count) {
  const std::lock_guard lock(mutex_);
  const std::string_view added(text, static_cast<std::size_t>(count));
  text_ += added;
  if (text_.size() > kMostKept || (is_by_line_ && added.find('\n') != std::string_view::npos)) write_out();
  return count;
}

int StandardStream::sync() {
  const std::lock_guard lock(mutex_);
  write_out();
  return 0;
}

void StandardStream::write_out() {
  if (text_.empty()) return;
  if (is_in_lost_line_) text_.insert(0, "\n");
  std::string_view left = text_;
  const int error = write_some(left);
  if (error != 0) {
    lose(error, left);
  } else {
    is_in_lost_line_ = false;
  }
  text_.clear();
}

int StandardStream::write_some(std::string_view& text) {
  while (!text.empty()) {
    if (!waits_ && !is_ready()) return EAGAIN;
    // A pipe that is ready takes so much at once, and would let more wait.
    const std::size_t most = waits_ ? text.size() : std::min<std::size_t>(text.size(), PIPE_BUF);
    const ssize_t written = ::write(descriptor_, text.data(), most);
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN && waits_) {
      // Whoever shares the descriptor made it one that does not wait.
      pollfd one{descriptor_, POLLOUT, 0};
      ::poll(&one, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

bool StandardStream::is_ready() {
  pollfd one{descriptor_, POLLOUT, 0};
  // What was in order so far may only be slow.
  return ::poll(&one, 1, problem_ == EAGAIN ? 0 : kPatienceMilliseconds) > 0;
}

void StandardStream::lose(int error, std::string_view text) {
  int none = 0;
  problem_.compare_exchange_strong(none, error);
  lost_lines_ += std::count(text.begin(), text.end(), '\n');
  const bool is_begun = text.size() < text_.size() && text_[text_.size() - text.size() - 1] != '\n';
  is_in_lost_line_ = is_in_lost_line_ || is_begun;
}

// Never destroyed: what the last destructors say is written as well.
StandardStream& standard_output() {
  static StandardStream& stream = *new StandardStream(STDOUT_FILENO);
  return stream;
}

StandardStream& standard_error() {
  static StandardStream& stream = *new StandardStream(STDERR_FILENO);
  return stream;
}

void take_standard_streams() {
  std::cout.rdbuf(&standard_output());
  std::cerr.rdbuf(&standard_error());
}

int end_of_output(int exit_code) {
  std::cout << std::flush;
  const StandardStream& output = standard_output();
  if (output.problem() == 0 || !output.waits_for_readers()) return exit_code;
  if (output.problem() == EPIPE) return exit_code == kExitOk ? kExitReaderLeft : exit_code;
  std::cerr << "negatron: standard output cannot be written: " + output.problem_text() +
                   "; what there is to read of it is not all.\n";
  return exit_code == kExitOk ? kExitFailure : exit_code;
}

}  // namespace negatron
