# What `cmake --install` puts into a prefix: libraries, the headers of launch/LIBRARY.md, a CMake package, and the program
# with what starts it. The same package is written for the build tree, so that find_package(negatron) takes -Dnegatron_DIR
# of either.
if(NOT NEGATRON_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

# The parts of the package, each behind those that it links.
set(negatron_parts comm samplers runtime)
if(NEGATRON_TESTS)
  list(APPEND negatron_parts communicator_contract)
endif()

list(JOIN negatron_parts ", " NEGATRON_PARTS_TEXT)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/negatron)
negatron_export(negatron_options options comm)
foreach(part IN LISTS negatron_parts)
  install(EXPORT negatron-${part} NAMESPACE negatron:: DESTINATION ${package_folder} FILE negatron-${part}.cmake)
  export(EXPORT negatron-${part} NAMESPACE negatron:: FILE ${negatron_BINARY_DIR}/negatron-${part}.cmake)
endforeach()

set(NEGATRON_BUILT_TORCH_VERSION ${Torch_VERSION})
configure_package_config_file(launch/package/negatron-config.cmake.in ${negatron_BINARY_DIR}/negatron-config.cmake
  INSTALL_DESTINATION ${package_folder})
# Before 1.0 a new minor number may change what others use.
write_basic_package_version_file(${negatron_BINARY_DIR}/negatron-config-version.cmake COMPATIBILITY SameMinorVersion)
set(package_files launch/package/where_torch_is.cmake launch/package/found_libraries.cmake)
file(COPY ${package_files} DESTINATION ${negatron_BINARY_DIR})
install(FILES ${negatron_BINARY_DIR}/negatron-config.cmake ${negatron_BINARY_DIR}/negatron-config-version.cmake
  ${package_files} DESTINATION ${package_folder})

install(CODE "
  set(SOURCE \"${negatron_SOURCE_DIR}\")
  set(PAGE \"${negatron_SOURCE_DIR}/launch/LIBRARY.md\")
  set(DESTINATION \"${NEGATRON_HEADER_FOLDER}\")
  set(WITH_CONTRACT \"${NEGATRON_TESTS}\")
  include(\"${negatron_SOURCE_DIR}/launch/package/install_headers.cmake\")")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

if(NEGATRON_PROGRAM)
  # Libraries outside of this checkout are found where they were; LibTorch by what starts the program.
  set_target_properties(negatron PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS negatron RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/negatron)
  configure_file(launch/package/negatron.in ${negatron_BINARY_DIR}/installed/negatron @ONLY)
  install(PROGRAMS ${negatron_BINARY_DIR}/installed/negatron DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(PROGRAMS launch/ranks DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME negatron-ranks)
  install(DIRECTORY launch/presets DESTINATION ${CMAKE_INSTALL_DATADIR}/negatron)
endif()
