#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

namespace negatron {

/// A file that its holder keeps open and locked (flock). The kernel knows who holds it and forgets that the moment the
/// holder ends, however it ends: a zombie, a killed process and a pid that is used again hold nothing. Where the file
/// system has no locks, nobody knows. Local; movable.
class LockFile {
 public:
  enum class Held { kByThis, kByAnother, kUnknown };

  /// What a new file says; it is locked by then.
  using Text = std::function<std::string(const LockFile& made)>;

  /// Opens the file, or makes it if there is none: then it appears whole and locked. Never waits for a lock. Throws
  /// FileError, and SnapshotError for what is no regular file.
  static LockFile open_or_make(const std::filesystem::path& path, const Text& text);

  LockFile() = default;
  LockFile(LockFile&& other) noexcept { *this = std::move(other); }
  LockFile& operator=(LockFile&& other) noexcept;
  /// Gives the lock back.
  ~LockFile();

  bool is_open() const { return number_ >= 0; }
  Held held() const { return held_; }
  bool was_made() const { return was_made_; }
  /// The device that the file lies on, as this process sees it.
  std::int64_t device() const;

  /// False when its name now means another file, or none.
  bool is_at_its_path() const;
  /// What the file of that name says now: opened anew, because a network file system may show an open file as it was.
  /// Empty when there is none.
  std::string text_at_path() const;
  /// Writes over what it says, in one call, and syncs it. Throws FileError.
  void write(const std::string& text);
  /// Removes the name. Throws FileError.
  void remove();

 private:
  LockFile(std::filesystem::path path, int number) : path_(std::move(path)), number_(number) {}
  void lock();
  static LockFile make(const std::filesystem::path& path, const Text& text);

  std::filesystem::path path_;
  int number_ = -1;
  Held held_ = Held::kUnknown;
  bool was_made_ = false;
};

}  // namespace negatron
