#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace negatron {

/// A file at whose end a run adds what it tells: lines, or records. The run does not end for it: a full disk, a quota,
/// a limit on the size of files, a server that is gone, a name that was removed or means another file now lose records,
/// which are counted, and nothing is thrown. With each record it is tried again, and the file is made again, with the
/// directories above it, where it has vanished. Of a record all bytes are in the file or none. A record is one write,
/// so a run that is killed leaves whole ones. A name that is a link is followed. Local; one thread.
class AppendedFile {
 public:
  /// A half record at the end of a file that is opened: a full disk or a lost machine left it.
  enum class Tail {
    /// What follows the last newline goes.
    kCut,
    /// Is ended with a newline.
    kEnded,
    /// Records are no lines.
    kKept
  };
  struct Form {
    Tail tail = Tail::kCut;
    /// What an empty file begins with.
    std::string head{};
    /// "lines" or "records", for people.
    const char* records = "lines";
  };
  /// Hears a sentence the first time that something is lost, which file and why, and when the file had been removed.
  using Warn = std::function<void(const std::string& sentence)>;

  AppendedFile(std::filesystem::path path, Form form, Warn warn);
  ~AppendedFile();
  AppendedFile(const AppendedFile&) = delete;
  AppendedFile& operator=(const AppendedFile&) = delete;

  /// `records` is how many these bytes are. False when they are lost.
  bool append(std::string_view bytes, std::int64_t records = 1);

  std::int64_t lost() const noexcept { return lost_; }
  /// A sentence about all that the file misses, for the end of a run; empty when that is nothing.
  std::string missing() const;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  // Each gives 0, or errno.
  int open_again();
  /// What was just opened: takes care of its end, and of its head.
  int prepare();
  int write_all(std::string_view bytes);
  /// Bytes up to and with the last newline; -1 where they cannot be read.
  std::int64_t whole_lines(std::int64_t end) const;
  bool is_at_its_name() const;
  void close_file();

  std::filesystem::path path_;
  Form form_;
  Warn warn_;
  int file_ = -1;
  /// Where a half record begins that could not be taken back; -1 for none.
  std::int64_t half_ = -1;
  std::int64_t lost_ = 0;
  /// Why the first was lost.
  std::string first_problem_;
  bool has_written_ = false;
  /// It had been removed, and began anew.
  bool is_new_ = false;
};

}  // namespace negatron
