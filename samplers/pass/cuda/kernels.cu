#include "samplers/pass/cuda/kernels.h"

#include <algorithm>

#include "samplers/pass/cuda/device_thread.cuh"
#include "samplers/pass/cuda/merge_slices.h"
#include "samplers/pass/cuda/scan_block.h"
#include "samplers/pass/cuda/score_list.h"

namespace negatron {
namespace {

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads) scan_kernel(const __grid_constant__ BankScan scan) {
  extern __shared__ __align__(128) std::uint16_t shared[];
  scan_block<Shape>(DeviceThread(), scan, shared);
}

__global__ void merge_kernel(const __grid_constant__ SliceMerge merge) {
  // A thread block is a query, its threads are columns of the sums.
  for (int column = static_cast<int>(threadIdx.x); column < merge.width; column += static_cast<int>(blockDim.x)) {
    merge_slices(merge, blockIdx.x, column);
  }
}

__global__ void scoring_kernel(const __grid_constant__ ListScoring lists) {
  // x is the query, y the part of its list: threads take every step-th place, so that lists of any length are served by
  // as many blocks as were started.
  const auto step = static_cast<int>(gridDim.y * blockDim.x);
  for (int place = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x); place < lists.capacity; place += step) {
    score_list(lists, blockIdx.x, place);
  }
}

std::string result_of(cudaError_t code) {
  return code == cudaSuccess ? std::string() : cudaGetErrorString(code);
}

/// Of the current device; 0 when there is none.
int device_attribute(cudaDeviceAttr attribute) {
  int device = 0;
  int value = 0;
  const bool known =
      cudaGetDevice(&device) == cudaSuccess && cudaDeviceGetAttribute(&value, attribute, device) == cudaSuccess;
  return known ? value : 0;
}

/// More shared memory than 48 KiB must be asked for.
template <class Shape>
cudaError_t allow_shared_memory(int bytes) {
  return cudaFuncSetAttribute(scan_kernel<Shape>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
}

}  // namespace

std::string launch_scan(const BankScan& scan, void* stream) {
  cudaError_t code = cudaErrorInvalidValue;
  with_scan_shape(scan.width, scan.terms, [&](auto shape) {
    using Shape = decltype(shape);
    const int bytes = Shape::shared_bytes(scan.parts);
    code = allow_shared_memory<Shape>(bytes);
    if (code != cudaSuccess) return;
    const auto blocks = static_cast<unsigned>((scan.query_count + Shape::kQueries - 1) / Shape::kQueries);
    // Blocks of one slice are neighbours, so that its rows come from memory once.
    const dim3 grid(blocks, static_cast<unsigned>(scan.slices));
    scan_kernel<Shape><<<grid, Shape::kThreads, bytes, static_cast<cudaStream_t>(stream)>>>(scan);
    // What the launch itself refused; what goes wrong while the kernel runs shows at a later call of the stream.
    code = cudaGetLastError();
  });
  return result_of(code);
}

std::string launch_merge(const SliceMerge& merge, void* stream) {
  constexpr unsigned kThreads = 128;
  merge_kernel<<<static_cast<unsigned>(merge.query_count), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(merge);
  return result_of(cudaGetLastError());
}

std::string launch_scoring(const ListScoring& lists, void* stream) {
  constexpr int kThreads = 128;
  /// Few enough that blocks are not over before they have begun, and enough for few queries with long lists.
  constexpr int kPlacesAThread = 4;
  constexpr int kMostBlocksAQuery = 1024;
  const int blocks = 1 + (lists.capacity - 1) / (kThreads * kPlacesAThread);
  const dim3 grid(static_cast<unsigned>(lists.query_count), static_cast<unsigned>(std::min(blocks, kMostBlocksAQuery)));
  scoring_kernel<<<grid, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(lists);
  return result_of(cudaGetLastError());
}

int scan_shared_bytes() {
  return device_attribute(cudaDevAttrComputeCapabilityMajor) < 8
             ? 0
             : device_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
}

int concurrent_scan_blocks(const BankScan& scan) {
  int blocks = 1;
  with_scan_shape(scan.width, scan.terms, [&](auto shape) {
    using Shape = decltype(shape);
    const int bytes = Shape::shared_bytes(scan.parts);
    if (allow_shared_memory<Shape>(bytes) != cudaSuccess) return;
    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, scan_kernel<Shape>, Shape::kThreads, bytes);
  });
  return std::max(1, device_attribute(cudaDevAttrMultiProcessorCount) * blocks);
}

}  // namespace negatron
