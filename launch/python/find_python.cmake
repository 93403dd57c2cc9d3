# Looks for what the Python module is built against, the interpreter that torch lies beside, and sets
# NEGATRON_WITH_PYTHON. Included at the top, so that tests see the targets too.
set(NEGATRON_PYTHON AUTO CACHE STRING "Build the Python module: ON, OFF, or AUTO (when Python's headers are found)")
set_property(CACHE NEGATRON_PYTHON PROPERTY STRINGS AUTO ON OFF)
if(NEGATRON_PYTHON STREQUAL "OFF")
  return()
endif()

if(NOT Python3_EXECUTABLE AND EXISTS ${negatron_SOURCE_DIR}/.venv/bin/python)
  set(Python3_EXECUTABLE ${negatron_SOURCE_DIR}/.venv/bin/python)
endif()
find_package(Python3 COMPONENTS Interpreter Development.Module)
find_library(NEGATRON_TORCH_PYTHON torch_python HINTS ${TORCH_INSTALL_PREFIX}/lib)
if(Python3_Development.Module_FOUND AND NEGATRON_TORCH_PYTHON)
  set(NEGATRON_WITH_PYTHON ON)
elseif(NEGATRON_PYTHON STREQUAL "ON")
  message(FATAL_ERROR "NEGATRON_PYTHON=ON but Python's headers (python3-dev) or libtorch_python were not found.")
else()
  message(STATUS "No Python module: Python's headers (python3-dev) or libtorch_python were not found.")
endif()

# negatron_add_python_module(NAME MODULE_NAME SOURCES... [LINKS...]): an extension module.
function(negatron_add_python_module name module)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES;LINKS")
  Python3_add_library(${name} MODULE WITH_SOABI ${arg_SOURCES})
  negatron_unite_sources(${name} ${arg_SOURCES})
  negatron_use_precompiled_header(${name})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} ${NEGATRON_TORCH_PYTHON})
  target_include_directories(${name} SYSTEM PRIVATE ${Python3_INCLUDE_DIRS})
  target_compile_definitions(${name} PRIVATE TORCH_EXTENSION_NAME=${module})
  # What it exports is one function: another module with the same static parts in one process must not meet them.
  target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL)
  set_target_properties(${name} PROPERTIES OUTPUT_NAME ${module})
endfunction()
