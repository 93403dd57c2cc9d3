#include "comm/process_group/store_roll_channel.h"

#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <utility>
#include <vector>

namespace negatron {
namespace {

// The letters to rank r are numbered: who sends one takes the next number of a counter, which the store adds to in one
// step, and leaves the text under that number. Example: ranks 0 and 2 write to rank 1 at once. They take the numbers 1
// and 2, whoever comes first, and rank 1 reads letters/1/1, then letters/1/2. A number that was taken and whose text is
// still on its way is read later: "check" looks and does not wait.
class StoreRollChannel : public RollChannel {
 public:
  StoreRollChannel(c10::intrusive_ptr<c10d::Store> store, std::string prefix, int rank)
      : store_(std::move(store)), prefix_(std::move(prefix)), rank_(rank) {}

  void send(int rank, const std::string& text) override {
    try {
      const std::int64_t number = store_->add(counter_of(rank), 1);
      const std::string letter = std::to_string(rank_) + " " + text;
      store_->set(name_of(rank, number), std::vector<std::uint8_t>(letter.begin(), letter.end()));
    } catch (const std::exception&) {
      // The store is gone with the rank that kept it: so is the letter.
    }
  }

  std::optional<Letter> receive() override {
    try {
      const std::string next = name_of(rank_, read_ + 1);
      if (!store_->check({next})) return std::nullopt;
      const std::vector<std::uint8_t> bytes = store_->get(next);
      store_->deleteKey(next);
      ++read_;
      const std::string letter(bytes.begin(), bytes.end());
      const std::size_t space = letter.find(' ');
      return Letter{std::stoi(letter.substr(0, space)), letter.substr(space + 1)};
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

 private:
  std::string counter_of(int rank) const { return prefix_ + std::to_string(rank) + "/count"; }
  std::string name_of(int rank, std::int64_t number) const {
    return prefix_ + std::to_string(rank) + "/" + std::to_string(number);
  }

  c10::intrusive_ptr<c10d::Store> store_;
  const std::string prefix_;
  const int rank_;
  /// Letters that were read.
  std::int64_t read_ = 0;
};

}  // namespace

std::unique_ptr<RollChannel> make_store_roll_channel(const std::string& group_name, const std::string& job, int rank) {
  const auto group = c10d::resolve_process_group(group_name);
  return std::make_unique<StoreRollChannel>(group->getStore(),
                                            "negatron/" + group->getGroupName() + "/" + job + "/letters/", rank);
}

}  // namespace negatron
