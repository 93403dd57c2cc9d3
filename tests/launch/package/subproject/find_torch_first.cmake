# Read by each project() call: the outer project finds Torch before it has this one in it.
if(PROJECT_IS_TOP_LEVEL)
  find_program(NVCC nvcc HINTS ${NEGATRON_TORCH}/../nvidia/cu13/bin /usr/local/cuda/bin)
  get_filename_component(CUDA_TOOLKIT_ROOT_DIR ${NVCC}/../.. ABSOLUTE)
  set(CUDAToolkit_ROOT ${CUDA_TOOLKIT_ROOT_DIR})
  set(CMAKE_CUDA_COMPILER ${NVCC})
  set(TORCH_CUDA_ARCH_LIST "9.0")
  find_package(Torch REQUIRED)
endif()
