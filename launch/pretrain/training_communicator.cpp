#include "launch/pretrain/training_communicator.h"

#include "comm/mpi/mpi_communicator.h"
#include "comm/nccl/nccl_communicator.h"

namespace negatron {

TrainingCommunicator::TrainingCommunicator(const Environment& environment, at::Device device,
                                           const CommunicatorOptions& options)
    : mpi_(make_mpi_communicator(environment, options)) {
  if (device.is_cuda()) nccl_ = make_nccl_communicator(*mpi_, device.index(), options);
}

}  // namespace negatron
