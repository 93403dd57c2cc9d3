#pragma once

#include <filesystem>
#include <fstream>
#include <numeric>

#include "comm/error.h"
#include "comm/host_communicator.h"

/// Ranks that share a folder and nothing else: what one rank sends is a file there, "ROUND.FROM.TO", that the other one
/// waits for. A communicator in one class: everything else is HostCommunicator's. Slow, and true to the contract; the
/// folder belongs to the group, is empty at first, and is removed by whoever made it.
///
/// Example: in round 3 of two ranks, an all_gather, rank 0 writes "3.0.all" and reads "3.1.all".
class FolderCommunicator : public negatron::HostCommunicator {
 public:
  FolderCommunicator(std::filesystem::path folder, int rank, int size, const negatron::CommunicatorOptions& options)
      : FolderCommunicator(std::move(folder), rank, size, options, roll_call_without_letters(rank, size)) {}

  const char* transport() const noexcept override { return "folder"; }

 private:
  using Path = std::filesystem::path;

  FolderCommunicator(Path folder, int rank, int size, const negatron::CommunicatorOptions& options,
                     std::shared_ptr<negatron::RollCall> roll_call)
      : HostCommunicator(rank, size, options, std::move(roll_call)), folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  struct Silence : negatron::RollChannel {
    void send(int, const std::string&) override {}
    std::optional<Letter> receive() override { return std::nullopt; }
  };
  static std::shared_ptr<negatron::RollCall> roll_call_without_letters(int rank, int size) {
    return std::make_shared<negatron::RollCall>(rank, std::vector<std::string>(static_cast<std::size_t>(size)),
                                                std::make_unique<Silence>());
  }

  /// A file that another rank writes, and where its bytes go.
  struct Expected {
    Path file;
    at::Tensor into;
  };

  /// Done when all files are there and read.
  struct Arrival : negatron::HostTransfer {
    std::vector<Expected> left;

    bool test() override {
      std::erase_if(left, [](const Expected& expected) {
        if (!std::filesystem::exists(expected.file)) return false;
        const auto bytes = static_cast<std::uintmax_t>(expected.into.nbytes());
        if (std::filesystem::file_size(expected.file) != bytes) throw negatron::CommError("a rank sent another size");
        std::ifstream(expected.file, std::ios::binary)
            .read(static_cast<char*>(expected.into.data_ptr()), static_cast<std::streamsize>(bytes));
        return true;
      });
      return left.empty();
    }
  };

  std::string file_name(int from, const std::string& to) const {
    return std::to_string(round_) + "." + std::to_string(from) + "." + to;
  }

  /// A file gets its name when it is whole, so that nobody reads half of one.
  void post(const std::string& to, const at::Tensor& tensor) const {
    const Path name = folder_ / file_name(rank(), to), partial = name.string() + ".partial";
    std::ofstream(partial, std::ios::binary)
        .write(static_cast<const char*>(tensor.const_data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
    std::filesystem::rename(partial, name);
  }

  negatron::HostTransferPtr arrival(std::vector<Expected> expected) {
    ++round_;
    auto transfer = std::make_unique<Arrival>();
    transfer->left = std::move(expected);
    return transfer;
  }

  /// Rows of each rank in turn, as parts of `tensor`.
  static std::vector<at::Tensor> parts(const at::Tensor& tensor, at::IntArrayRef rows) {
    std::vector<at::Tensor> found;
    for (std::int64_t begin = 0; const std::int64_t count : rows) {
      found.push_back(tensor.narrow(0, begin, count));
      begin += count;
    }
    return found;
  }

  negatron::HostTransferPtr move_broadcast(const at::Tensor& tensor, int root) override {
    if (rank() != root) return arrival({{folder_ / file_name(root, "all"), tensor}});
    post("all", tensor);
    return arrival({});
  }

  negatron::HostTransferPtr move_all_gather(const at::Tensor& send, at::IntArrayRef rows,
                                            const at::Tensor& receive) override {
    post("all", send);
    std::vector<Expected> expected;
    for (const at::Tensor& part : parts(receive, rows)) {
      expected.push_back({folder_ / file_name(static_cast<int>(expected.size()), "all"), part});
    }
    return arrival(std::move(expected));
  }

  negatron::HostTransferPtr move_all_to_all(const at::Tensor& send, at::IntArrayRef send_rows,
                                            const at::Tensor& receive, at::IntArrayRef receive_rows) override {
    for (int to = 0; const at::Tensor& part : parts(send, send_rows)) post(std::to_string(to++), part);
    std::vector<Expected> expected;
    for (const at::Tensor& part : parts(receive, receive_rows)) {
      const int from = static_cast<int>(expected.size());
      expected.push_back({folder_ / file_name(from, std::to_string(rank())), part});
    }
    return arrival(std::move(expected));
  }

  std::unique_ptr<negatron::Communicator> do_split(int color, const std::vector<int>& members) override {
    const auto own = std::find(members.begin(), members.end(), rank()) - members.begin();
    // A later split with the same color is another group.
    const Path folder = folder_ / ("split-" + std::to_string(splits_++) + "-" + std::to_string(color));
    return std::unique_ptr<Communicator>(new FolderCommunicator(
        folder, static_cast<int>(own), static_cast<int>(members.size()), options(), roll_call()));
  }

  Path folder_;
  std::int64_t round_ = 0;
  int splits_ = 0;
};
