#include "comm/threads/thread_group.h"

#include "comm/error.h"

namespace negatron {

void ThreadJob::break_off(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  // Later failures are mostly other ranks that learned of this one.
  if (broken_.empty()) broken_ = reason;
  changed_.notify_all();
}

void ThreadJob::leave(int rank) {
  const std::lock_guard lock(mutex_);
  left_[static_cast<std::size_t>(rank)] = true;
  // Who waits for this rank looks again, and finds that it will never come.
  changed_.notify_all();
}

void ThreadJob::post(int to, RollChannel::Letter letter) {
  const std::lock_guard lock(mutex_);
  letters_[static_cast<std::size_t>(to)].push_back(std::move(letter));
}

std::optional<RollChannel::Letter> ThreadJob::next_letter(int rank) {
  const std::lock_guard lock(mutex_);
  auto& letters = letters_[static_cast<std::size_t>(rank)];
  if (letters.empty()) return std::nullopt;
  RollChannel::Letter letter = std::move(letters.front());
  letters.pop_front();
  return letter;
}

std::shared_ptr<ThreadGroup> ThreadJob::group(const std::string& name, const std::vector<int>& members) {
  // Which member comes first is left to chance, and does not matter: the group is a mailbox without content. The job
  // holds it weakly, so that it goes with its last communicator.
  const std::lock_guard lock(mutex_);
  std::shared_ptr<ThreadGroup> group = groups_[name].lock();
  if (group == nullptr) {
    group = std::make_shared<ThreadGroup>(*this, name, members);
    groups_[name] = group;
  }
  return group;
}

class ThreadGroup::Transfer : public HostTransfer {
 public:
  Transfer(std::shared_ptr<ThreadGroup> group, std::int64_t round, Read read)
      : group_(std::move(group)), round_(round), read_(std::move(read)) {}

  bool test() override {
    if (read_ == nullptr) return true;
    std::unique_lock lock(group_->job_.mutex_);
    const std::shared_ptr<Round> round = group_->complete(round_);
    if (round == nullptr) return false;
    take(lock, *round);
    return true;
  }

  bool wait(std::chrono::milliseconds slice) override {
    if (read_ == nullptr) return true;
    std::unique_lock lock(group_->job_.mutex_);
    std::shared_ptr<Round> round;
    if (!group_->job_.changed_.wait_for(lock, slice, [&] { return (round = group_->complete(round_)) != nullptr; })) {
      return false;
    }
    take(lock, *round);
    return true;
  }

 private:
  void take(std::unique_lock<std::mutex>& lock, Round& round) {
    // Whoever takes last removes the round from the mailbox; `round` itself is held by the caller.
    if (++round.taken == group_->members_.size()) group_->rounds_.erase(round_);
    lock.unlock();
    // Reading copies tensors, which ranks do at the same time: hence outside the lock. Deposits do not change any more
    // once a round is complete. `read_` is emptied first, so that a second wait finds the transfer done.
    const Read read = std::exchange(read_, nullptr);
    read(round.deposits);
  }

  std::shared_ptr<ThreadGroup> group_;
  std::int64_t round_;
  Read read_;
};

HostTransferPtr ThreadGroup::exchange(int rank, std::int64_t round, Deposit deposit, Read read) {
  const std::lock_guard lock(job_.mutex_);
  // Ranks number their rounds themselves, each by its own count of calls, so a fast rank may be some rounds ahead; each
  // round has its place until the last member has read it.
  std::shared_ptr<Round>& entry = rounds_[round];
  if (entry == nullptr) {
    entry = std::make_shared<Round>();
    entry->deposits.resize(members_.size());
    entry->present.resize(members_.size());
  }
  entry->deposits[static_cast<std::size_t>(rank)] = std::move(deposit);
  entry->present[static_cast<std::size_t>(rank)] = true;
  entry->posted += 1;
  job_.changed_.notify_all();
  return std::make_unique<Transfer>(shared_from_this(), round, std::move(read));
}

std::shared_ptr<ThreadGroup::Round> ThreadGroup::complete(std::int64_t round) {
  // Completeness is asked first: what all ranks brought is handed out even if one of them failed right afterwards, so
  // that the result of a call does not depend on who is scheduled when.
  const std::shared_ptr<Round> entry = rounds_.at(round);
  if (entry->posted == members_.size()) return entry;
  if (!job_.broken_.empty()) throw BrokenGroupError(job_.broken_);
  for (std::size_t rank = 0; rank < members_.size(); ++rank) {
    if (entry->present[rank] || !job_.left_[static_cast<std::size_t>(members_[rank])]) continue;
    throw BrokenGroupError("rank " + std::to_string(rank) + " has returned without making this call");
  }
  return nullptr;
}

}  // namespace negatron
