#include "tests/runtime/snapshots/files/lossy_file_layer.h"

#include <cerrno>
#include <fstream>

namespace negatron::testing {

namespace fs = std::filesystem;

class LossyFileLayer::File : public OutputFile {
 public:
  File(LossyFileLayer& layer, fs::path path, std::unique_ptr<OutputFile> real, std::shared_ptr<Node> node)
      : layer_(layer), path_(std::move(path)), real_(std::move(real)), node_(std::move(node)) {}

  void append(std::span<const std::byte> bytes) override {
    const std::lock_guard lock(layer_.mutex_);
    try {
      layer_.enter("write", path_);
    } catch (const FileError&) {
      keep(bytes.first(bytes.size() / 2));
      throw;
    }
    keep(bytes);
  }

  void sync() override {
    const std::lock_guard lock(layer_.mutex_);
    layer_.enter("fsync", path_);
    if (layer_.enter_sync(path_)) node_->durable_content = node_->content;
  }

  void close() override {
    const std::lock_guard lock(layer_.mutex_);
    layer_.enter("close", path_);
    real_->close();
  }

 private:
  void keep(std::span<const std::byte> bytes) {
    real_->append(bytes);
    node_->content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  LossyFileLayer& layer_;
  fs::path path_;
  std::unique_ptr<OutputFile> real_;
  std::shared_ptr<Node> node_;
};

LossyFileLayer::LossyFileLayer(fs::path root) : root_(std::move(root)) {
  tree_->is_directory = true;
}

void LossyFileLayer::power_cut(const fs::path& target, Loss loss, unsigned seed) const {
  const std::lock_guard lock(mutex_);
  std::mt19937 random(seed);
  write_durable(*tree_, target, loss, random);
}

void LossyFileLayer::write_durable(const Node& node, const fs::path& target, Loss loss, std::mt19937& random) {
  if (!node.is_directory) {
    std::string content = node.durable_content;
    if (loss == Loss::kSomeUnsynced && node.content.size() > content.size()) {
      const std::size_t from = content.size();
      content += node.content.substr(from, random() % (node.content.size() - from + 1));
      // Blocks reach the disk in any order: one in the middle may be missing.
      if (content.size() > from) content.at(from + random() % (content.size() - from)) = '\0';
    }
    std::ofstream(target, std::ios::binary) << content;
    return;
  }
  fs::create_directories(target);
  const bool renamed = loss == Loss::kSomeUnsynced && random() % 2 == 0;
  for (const auto& [name, child] : renamed ? node.names : node.durable_names) {
    write_durable(*child, target / name, loss, random);
  }
}

void LossyFileLayer::fail_call(int n, int error_number, int times) {
  const std::lock_guard lock(mutex_);
  calls_ = 0;
  failing_from_ = n;
  failing_until_ = n + times;
  error_number_ = error_number;
}

void LossyFileLayer::enter(const char* operation, const fs::path& path) const {
  ++calls_;
  if (calls_ >= failing_from_ && calls_ < failing_until_) throw FileError(operation, path, error_number_);
}

bool LossyFileLayer::enter_sync(const fs::path& path) {
  ++syncs_;
  if (failed_sync_ > 0 && --failed_sync_ == 0) throw FileError("fsync", path, EIO);
  return ignored_sync_ == 0 || --ignored_sync_ != 0;
}

std::shared_ptr<LossyFileLayer::Node> LossyFileLayer::node(const fs::path& path) const {
  std::shared_ptr<Node> at = tree_;
  for (const fs::path& part : path.lexically_relative(root_)) {
    if (part == ".") continue;
    const auto child = at->names.find(part.string());
    if (child == at->names.end()) throw FileError("find", path, ENOENT);
    at = child->second;
  }
  return at;
}

std::unique_ptr<OutputFile> LossyFileLayer::create(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  enter("create", path);
  std::unique_ptr<OutputFile> real = real_.create(path);
  auto made = std::make_shared<Node>();
  node(path.parent_path())->names[path.filename().string()] = made;
  return std::make_unique<File>(*this, path, std::move(real), made);
}

std::unique_ptr<InputFile> LossyFileLayer::open(const fs::path& path) const {
  const std::lock_guard lock(mutex_);
  enter("open", path);
  return real_.open(path);
}

void LossyFileLayer::make_directory(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  enter("make the directory", path);
  real_.make_directory(path);
  auto made = std::make_shared<Node>();
  made->is_directory = true;
  node(path.parent_path())->names[path.filename().string()] = made;
}

void LossyFileLayer::sync_directory(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  enter("fsync", path);
  if (!enter_sync(path)) return;
  const std::shared_ptr<Node> directory = node(path);
  directory->durable_names = directory->names;
}

void LossyFileLayer::rename(const fs::path& from, const fs::path& to) {
  const std::lock_guard lock(mutex_);
  enter("rename", from);
  real_.rename(from, to);
  const std::shared_ptr<Node> moved = node(from);
  node(from.parent_path())->names.erase(from.filename().string());
  node(to.parent_path())->names[to.filename().string()] = moved;
}

void LossyFileLayer::remove_file(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  enter("remove", path);
  real_.remove_file(path);
  node(path.parent_path())->names.erase(path.filename().string());
}

void LossyFileLayer::remove_directory(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  enter("remove the directory", path);
  real_.remove_directory(path);
  node(path.parent_path())->names.erase(path.filename().string());
}

std::vector<std::string> LossyFileLayer::list(const fs::path& path) const {
  const std::lock_guard lock(mutex_);
  enter("list", path);
  return real_.list(path);
}

bool LossyFileLayer::exists(const fs::path& path) const {
  const std::lock_guard lock(mutex_);
  enter("look for", path);
  return real_.exists(path);
}

}  // namespace negatron::testing
