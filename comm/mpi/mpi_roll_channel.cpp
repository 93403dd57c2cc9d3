#include "comm/mpi/mpi_roll_channel.h"

#include <mpi.h>

#include <list>

#include "comm/mpi/mpi_check.h"

namespace negatron {
namespace {

constexpr int kLetterTag = 1;
/// So short that MPI delivers it without the help of the rank that it is for.
constexpr std::size_t kMostLetterBytes = 1024;

class MpiRollChannel : public RollChannel {
 public:
  MpiRollChannel() {
    mpi_check(MPI_Comm_dup(MPI_COMM_WORLD, &handle_), "MPI_Comm_dup");
    mpi_check(MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  }

  ~MpiRollChannel() override {
    forget_delivered();
    // What a rank that is gone never took cannot be taken back, and MPI may still read it: such letters, and the
    // communicator with them, are left behind in a job that ends.
    if (!sent_.empty()) {
      static_cast<void>(new std::list<Sent>(std::move(sent_)));
      return;
    }
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized == 0) MPI_Comm_free(&handle_);
  }

  void send(int rank, const std::string& text) override {
    forget_delivered();
    Sent& letter = sent_.emplace_back(Sent{text.substr(0, kMostLetterBytes), MPI_REQUEST_NULL});
    // Where MPI knows that the rank is gone, there is nobody to tell.
    if (MPI_Isend(letter.text.data(), static_cast<int>(letter.text.size()), MPI_CHAR, rank, kLetterTag, handle_,
                  &letter.request) != MPI_SUCCESS) {
      sent_.pop_back();
    }
  }

  std::optional<Letter> receive() override {
    int there = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, kLetterTag, handle_, &there, &status) != MPI_SUCCESS || there == 0) return {};
    int bytes = 0;
    if (MPI_Get_count(&status, MPI_CHAR, &bytes) != MPI_SUCCESS || bytes < 0) return {};
    Letter letter{status.MPI_SOURCE, std::string(static_cast<std::size_t>(bytes), '\0')};
    const int code =
        MPI_Recv(letter.text.data(), bytes, MPI_CHAR, status.MPI_SOURCE, kLetterTag, handle_, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) return {};
    return letter;
  }

 private:
  struct Sent {
    std::string text;
    MPI_Request request;
  };

  void forget_delivered() {
    for (auto letter = sent_.begin(); letter != sent_.end();) {
      int done = 0;
      const bool failed = MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS;
      letter = failed || done != 0 ? sent_.erase(letter) : std::next(letter);
    }
  }

  MPI_Comm handle_ = MPI_COMM_NULL;
  // A list: MPI reads the texts where they lie.
  std::list<Sent> sent_;
};

}  // namespace

std::vector<std::string> gather_hosts() {
  int size = 1;
  mpi_check(MPI_Comm_size(MPI_COMM_WORLD, &size), "MPI_Comm_size");
  constexpr int kNameBytes = MPI_MAX_PROCESSOR_NAME;
  char own[kNameBytes] = {};
  int length = 0;
  mpi_check(MPI_Get_processor_name(own, &length), "MPI_Get_processor_name");
  std::vector<char> all(static_cast<std::size_t>(size) * kNameBytes);
  mpi_check(MPI_Allgather(own, kNameBytes, MPI_CHAR, all.data(), kNameBytes, MPI_CHAR, MPI_COMM_WORLD),
            "MPI_Allgather");
  std::vector<std::string> hosts;
  for (int rank = 0; rank < size; ++rank) {
    const char* name = all.data() + static_cast<std::ptrdiff_t>(rank) * kNameBytes;
    hosts.emplace_back(name, strnlen(name, kNameBytes));
  }
  return hosts;
}

std::unique_ptr<RollChannel> make_mpi_roll_channel() {
  return std::make_unique<MpiRollChannel>();
}

}  // namespace negatron
