#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "runtime/snapshots/files/posix_file_layer.h"

namespace negatron::testing {

/// What is left after a power cut.
enum class Loss {
  /// Nothing that was not synced: no bytes, and no names, whether files were closed or not.
  kAllUnsynced,
  /// Any part of it: each directory's names as before or as after, and of a file's unsynced bytes any prefix, parts of
  /// it
  /// zero.
  kSomeUnsynced
};

/// A real directory beside a model of what of it is durable. Like a disk it may lose what was not synced, and like a
/// bad one it may fail. Thread-safe.
class LossyFileLayer : public FileLayer {
 public:
  /// Everything happens under `root`, which exists.
  explicit LossyFileLayer(std::filesystem::path root);

  /// Writes what a power cut now would leave into the empty directory `target`.
  void power_cut(const std::filesystem::path& target, Loss loss, unsigned seed) const;

  /// The n-th fsync from now on (of a file or a directory, from 1) does nothing and says that it did.
  void ignore_sync(int n) { ignored_sync_ = n; }
  /// The n-th call from now on (from 1) fails with this error; a write fails half done. `times` calls in a row.
  void fail_call(int n, int error_number, int times = 1);
  /// The n-th fsync from now on fails, once.
  void fail_sync(int n) { failed_sync_ = n; }
  int syncs() const { return syncs_; }
  int calls() const { return calls_; }

  std::unique_ptr<OutputFile> create(const std::filesystem::path& path) override;
  std::unique_ptr<InputFile> open(const std::filesystem::path& path) const override;
  void make_directory(const std::filesystem::path& path) override;
  void sync_directory(const std::filesystem::path& path) override;
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void remove_file(const std::filesystem::path& path) override;
  void remove_directory(const std::filesystem::path& path) override;
  std::vector<std::string> list(const std::filesystem::path& path) const override;
  bool exists(const std::filesystem::path& path) const override;

 private:
  class File;
  struct Node {
    bool is_directory = false;
    std::string content;
    std::string durable_content;
    std::map<std::string, std::shared_ptr<Node>> names;
    std::map<std::string, std::shared_ptr<Node>> durable_names;
  };

  /// Counts a call; throws when it is to fail.
  void enter(const char* operation, const std::filesystem::path& path) const;
  /// Counts an fsync; returns whether it is to be done.
  bool enter_sync(const std::filesystem::path& path);
  std::shared_ptr<Node> node(const std::filesystem::path& path) const;
  static void write_durable(const Node& node, const std::filesystem::path& target, Loss loss, std::mt19937& random);

  PosixFileLayer real_;
  std::filesystem::path root_;
  mutable std::mutex mutex_;
  std::shared_ptr<Node> tree_ = std::make_shared<Node>();
  mutable int calls_ = 0;
  mutable int failing_from_ = 0;
  mutable int failing_until_ = 0;
  int error_number_ = 0;
  int syncs_ = 0;
  int ignored_sync_ = 0;
  int failed_sync_ = 0;
};

}  // namespace negatron::testing
