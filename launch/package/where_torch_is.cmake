# Says where LibTorch and CUDA are, before find_package(Torch): torch's own CMake files want to know of CUDA even when
# nothing is built for it. Read by the build and by the installed package alike.
#
# In:  NEGATRON_TORCH, the folder of LibTorch: site-packages/torch of a Python, or an unpacked libtorch; may be empty.
#      Torch_DIR, or a CMAKE_PREFIX_PATH, of somebody who has chosen already.
# Out: Torch_DIR, NEGATRON_NVCC, and what makes torch find the toolkit that this compiler belongs to.
set(NEGATRON_SITE_PACKAGES)
if(Torch_DIR)
  get_filename_component(NEGATRON_SITE_PACKAGES ${Torch_DIR}/../../../.. ABSOLUTE)
elseif(NEGATRON_TORCH)
  if(NOT EXISTS ${NEGATRON_TORCH}/share/cmake/Torch/TorchConfig.cmake)
    message(FATAL_ERROR "NEGATRON_TORCH: there is no share/cmake/Torch/TorchConfig.cmake in '${NEGATRON_TORCH}'. It is the folder "
                        "that python3 -c 'import torch; print(torch.__path__[0])' prints, or an unpacked libtorch.")
  endif()
  get_filename_component(NEGATRON_SITE_PACKAGES ${NEGATRON_TORCH}/.. ABSOLUTE)
  set(Torch_DIR ${NEGATRON_TORCH}/share/cmake/Torch CACHE PATH "Where TorchConfig.cmake is")
endif()

# A compiler beside torch is there only because launch/setup found no system toolkit of torch's version.
find_program(NEGATRON_NVCC nvcc HINTS ${NEGATRON_SITE_PACKAGES}/nvidia/cu13/bin /usr/local/cuda/bin)
if(NEGATRON_NVCC)
  get_filename_component(NEGATRON_CUDA_ROOT ${NEGATRON_NVCC}/../.. ABSOLUTE)
  set(CMAKE_CUDA_COMPILER ${NEGATRON_NVCC})
  set(CUDAToolkit_ROOT ${NEGATRON_CUDA_ROOT})
  set(CUDA_TOOLKIT_ROOT_DIR ${NEGATRON_CUDA_ROOT})
  set(ENV{CUDA_HOME} ${NEGATRON_CUDA_ROOT})
endif()
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80 90)
endif()
if(NOT TORCH_CUDA_ARCH_LIST)
  set(TORCH_CUDA_ARCH_LIST "8.0;9.0+PTX")
endif()
