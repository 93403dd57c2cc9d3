#include "launch/pretrain/run_output.h"

#include <cerrno>
#include <cstring>
#include <iostream>

#include "launch/exit_code.h"
#include "runtime/text/utf8_text.h"

namespace negatron {

// What the log cannot take, because a disk is full, the screen gets all the same: a run does not end for its log.
std::streamsize RunOutput::Both::xsputn(const char* text, std::streamsize count) {
  output_.log_.rdbuf()->sputn(text, count);
  if (output_.screen_ != nullptr) output_.screen_->write(text, count);
  return count;
}

RunOutput::Both::int_type RunOutput::Both::overflow(int_type letter) {
  if (traits_type::eq_int_type(letter, traits_type::eof())) return traits_type::not_eof(letter);
  const char one = traits_type::to_char_type(letter);
  xsputn(&one, 1);
  return letter;
}

int RunOutput::Both::sync() {
  output_.log_.rdbuf()->pubsync();
  if (output_.screen_ != nullptr) output_.screen_->flush();
  return 0;
}

std::ostream& RunOutput::standard_output() {
  return std::cout;
}

void RunOutput::warn(const std::string& sentence) {
  const std::string line = "negatron: warning: " + terminal_text(sentence) + "\n";
  if (!is_quiet()) std::cerr << line << std::flush;
  log_ << line << std::flush;
}

std::vector<ProgressView> RunOutput::progress(const ProgressDisplay& display) {
  if (is_quiet() || !display.terminal) return {{ProgressDisplay{}, &all_}};
  return {{display, screen_}, {ProgressDisplay{}, &log_}};
}

void RunOutput::open(const std::filesystem::path& file, const std::string& heading) {
  if (file_.open(file, std::ios::out | std::ios::app | std::ios::binary) == nullptr) {
    throw UsageError("--run-dir: '" + file.string() + "' cannot be written: " + std::strerror(errno) + ".");
  }
  log_.rdbuf(&file_);
  log_ << heading << early_.str() << std::flush;
}

}  // namespace negatron
