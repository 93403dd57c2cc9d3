# Libraries that CMake has no module for, or none that does. Read by the build and by the installed package, which must
# find them anew where it is used.
#
# negatron_find_library(NAME PREFIX HEADER): the imported target negatron::NAME, and PREFIX_INCLUDE_DIR and PREFIX_LIBRARY.
#   Without HEADER only the library is looked for. What is missing is named in NEGATRON_MISSING, and fatal where REQUIRED.

# HDF5 is not found by find_package(HDF5): it wants the C language, and prefers the parallel build, which drags MPI's
# headers along. Each rank writes its own file.
set(negatron_hdf5_names hdf5 hdf5_serial)
set(negatron_hdf5_suffix hdf5/serial)
set(negatron_nccl_names nccl libnccl.so.2)

function(negatron_find_library name prefix)
  cmake_parse_arguments(PARSE_ARGV 2 arg "REQUIRED" "HEADER" "")
  set(names ${name})
  if(negatron_${name}_names)
    set(names ${negatron_${name}_names})
  endif()
  set(hints)
  if(name STREQUAL "nccl" AND Torch_DIR)
    # The NCCL that torch itself loads: two of them in one process crash.
    get_filename_component(hints ${Torch_DIR}/../../../../nvidia/nccl ABSOLUTE)
  endif()
  find_library(${prefix}_LIBRARY NAMES ${names} HINTS ${hints} PATH_SUFFIXES lib ${negatron_${name}_suffix})
  set(found ${${prefix}_LIBRARY})
  if(arg_HEADER)
    find_path(${prefix}_INCLUDE_DIR ${arg_HEADER} HINTS ${hints} PATH_SUFFIXES include ${negatron_${name}_suffix})
    if(NOT ${prefix}_INCLUDE_DIR)
      set(found)
    endif()
  endif()
  if(found)
    if(NOT TARGET negatron::${name})
      add_library(negatron::${name} UNKNOWN IMPORTED GLOBAL)
      set_target_properties(negatron::${name} PROPERTIES IMPORTED_LOCATION ${${prefix}_LIBRARY})
    endif()
    return()
  endif()
  set(sentence "lib${name} was not found")
  if(arg_HEADER)
    string(APPEND sentence ", or not its header ${arg_HEADER}")
  endif()
  string(APPEND sentence "; launch/setup names the packages, and -D${prefix}_LIBRARY=FILE says where it is")
  if(arg_REQUIRED)
    message(FATAL_ERROR "${sentence}.")
  endif()
  set(NEGATRON_MISSING ${NEGATRON_MISSING} ${sentence} PARENT_SCOPE)
endfunction()
