#include "launch/pretrain/run_output.h"

#include <algorithm>
#include <cerrno>
#include <iostream>

#include "launch/standard_stream.h"
#include "runtime/text/utf8_text.h"

namespace negatron {
namespace {

/// Standard error alone: for what the log has no room for.
void warn_on_screen(const std::string& sentence) {
  std::cerr << "negatron: warning: " + terminal_text(sentence) + "\n" << std::flush;
}

}  // namespace

void RunOutput::Log::open(const std::filesystem::path& file, const std::string& heading) {
  file_.emplace(file, AppendedFile::Form{AppendedFile::Tail::kEnded, {}, "lines"}, warn_on_screen);
  text_.insert(0, heading);
  sync();
}

RunOutput::Log::int_type RunOutput::Log::overflow(int_type letter) {
  if (!traits_type::eq_int_type(letter, traits_type::eof())) text_.push_back(traits_type::to_char_type(letter));
  return traits_type::not_eof(letter);
}

std::streamsize RunOutput::Log::xsputn(const char* text, std::streamsize count) {
  text_.append(text, static_cast<std::size_t>(count));
  return count;
}

int RunOutput::Log::sync() {
  if (!file_ || text_.empty()) return 0;
  file_->append(text_, std::count(text_.begin(), text_.end(), '\n'));
  text_.clear();
  return 0;
}

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
  if (output_.screen_ == nullptr) return 0;
  output_.screen_->flush();
  if (output_.has_warned_ || output_.missing_on_screen().empty()) return 0;
  output_.has_warned_ = true;
  output_.insist("standard output cannot be written: " + standard_output().problem_text() +
                 ". The run goes on, and its log has all.");
  return 0;
}

std::ostream& RunOutput::screen() {
  return std::cout;
}

std::string RunOutput::missing_on_screen() const {
  const StandardStream& output = standard_output();
  // EBADF: it was closed by whoever started the run.
  if (output.problem() == 0 || output.problem() == EBADF) return {};
  return "standard output misses " + std::to_string(output.lost_lines()) + " lines (" + output.problem_text() + ").";
}

std::vector<std::string> RunOutput::missing() const {
  std::vector<std::string> sentences = {missing_on_screen(), file_.missing()};
  std::erase(sentences, std::string());
  return sentences;
}

void RunOutput::warn(const std::string& sentence) {
  if (!is_quiet()) return insist(sentence);
  log_ << "negatron: warning: " << terminal_text(sentence) << "\n" << std::flush;
}

void RunOutput::insist(const std::string& sentence) {
  warn_on_screen(sentence);
  log_ << "negatron: warning: " << terminal_text(sentence) << "\n" << std::flush;
}

std::vector<ProgressView> RunOutput::progress(const ProgressDisplay& display) {
  if (is_quiet() || !display.terminal) return {{ProgressDisplay{}, &all_}};
  return {{display, screen_}, {ProgressDisplay{}, &log_}};
}

void RunOutput::open(const std::filesystem::path& file, const std::string& heading) {
  file_.open(file, heading);
}

}  // namespace negatron
