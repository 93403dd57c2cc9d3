# Ways to add a test program; all refuse arguments they do not know.
#
# negatron_add_test(NAME SOURCES a.cpp... [LINKS lib...] [TIMEOUT seconds] [LABELS label...] [PARTS n])
#   One process. Ranks, if any, are threads (comm/threads/thread_communicator.h). With PARTS the tests of a long program
#   are dealt to NAME.part1, NAME.part2, ..., each with the whole time limit.
# negatron_add_rank_test(NAME SOURCES a.cpp... RANKS 1 2 4 [LINKS lib...] [TIMEOUT seconds] [LABELS label...])
#   The program under mpirun, once for each rank count, as NAME.ranks1, NAME.ranks2, ...
#
# These programs exit with 77 when every test in them was skipped, which CTest shows as skipped.

set(negatron_support_folder ${CMAKE_CURRENT_LIST_DIR})
set(negatron_skip_code 77)
# Behind the time limit of each single test (tests/support/time_limit.h), which ends first and says what hung.
set(negatron_default_timeout 300)
# More ranks than cores, in a container, as root: what OpenMPI wants to hear. Waiting ranks give up their core.
set(negatron_mpirun_flags --oversubscribe --bind-to none --mca mpi_yield_when_idle 1)
set(negatron_rank_environment OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1)

# negatron_keep_apart(SOURCES...): not compiled together with the other sources of their program.
function(negatron_keep_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

function(negatron_add_test_program name main sources links)
  add_executable(${name} ${sources})
  negatron_unite_sources(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${main} ${links} GTest::gtest)
  negatron_use_precompiled_header(${name})
endfunction()

function(negatron_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;PARTS" "SOURCES;LINKS;LABELS")
  negatron_check_test_arguments(negatron_add_test ${name} "${arg_UNPARSED_ARGUMENTS}" "${arg_SOURCES}")
  negatron_add_test_program(${name} negatron_test_main "${arg_SOURCES}" "${arg_LINKS}")
  if(NOT arg_PARTS)
    add_test(NAME ${name} COMMAND ${name})
    negatron_set_test_properties(${name} 1 "${arg_TIMEOUT}" "${arg_LABELS}")
    return()
  endif()
  foreach(part RANGE 1 ${arg_PARTS})
    add_test(NAME ${name}.part${part} COMMAND ${name})
    negatron_set_test_properties(${name}.part${part} 1 "${arg_TIMEOUT}" "${arg_LABELS}")
    math(EXPR index "${part} - 1")
    set_property(TEST ${name}.part${part} APPEND PROPERTY
                 ENVIRONMENT GTEST_TOTAL_SHARDS=${arg_PARTS} GTEST_SHARD_INDEX=${index})
  endforeach()
endfunction()

function(negatron_add_rank_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINKS;RANKS;LABELS")
  negatron_check_test_arguments(negatron_add_rank_test ${name} "${arg_UNPARSED_ARGUMENTS}" "${arg_SOURCES}")
  if(NOT arg_RANKS)
    message(FATAL_ERROR "negatron_add_rank_test(${name}): RANKS is missing")
  endif()
  negatron_add_test_program(${name} negatron_rank_test_main "${arg_SOURCES}" "${arg_LINKS}")
  foreach(ranks IN LISTS arg_RANKS)
    add_test(NAME ${name}.ranks${ranks}
             COMMAND ${MPIEXEC_EXECUTABLE} ${negatron_mpirun_flags} -n ${ranks} $<TARGET_FILE:${name}>)
    negatron_set_test_properties(${name}.ranks${ranks} ${ranks} "${arg_TIMEOUT}" "ranks;${arg_LABELS}")
  endforeach()
endfunction()

function(negatron_check_test_arguments caller name unknown sources)
  if(unknown)
    message(FATAL_ERROR "${caller}(${name}): unknown arguments ${unknown}")
  endif()
  if(NOT sources)
    message(FATAL_ERROR "${caller}(${name}): SOURCES is missing")
  endif()
endfunction()

function(negatron_set_test_properties test processors timeout labels)
  if(NOT timeout)
    set(timeout ${negatron_default_timeout})
  endif()
  # PROCESSORS keeps `ctest -j` from running much more ranks at a time than there are cores. CTest leaves no core free for
  # a test that wants two until nothing else is left to start, so who only waits wants one.
  set_tests_properties(${test} PROPERTIES
    PROCESSORS ${processors}
    TIMEOUT ${timeout}
    LABELS "${labels}"
    SKIP_RETURN_CODE ${negatron_skip_code}
    ENVIRONMENT "${negatron_rank_environment}")
endfunction()

# negatron_add_failing_rank_test(NAME PROGRAM target RANKS n CODE code OUTPUT pattern [FILTER gtest-filter])
#   A test that must fail, under mpirun: passes when the job exits with CODE ("failure": any but 0) and prints a line
#   that matches the extended regular expression OUTPUT, all within a minute: a failing job must end by itself.
function(negatron_add_failing_rank_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PROGRAM;RANKS;CODE;OUTPUT;FILTER" "")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "negatron_add_failing_rank_test(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(filter)
  if(arg_FILTER)
    set(filter --gtest_filter=${arg_FILTER})
  endif()
  add_test(NAME ${name}
           COMMAND sh ${negatron_support_folder}/expect_output.sh ${arg_CODE} ${arg_OUTPUT}
                   ${MPIEXEC_EXECUTABLE} ${negatron_mpirun_flags} -n ${arg_RANKS}
                   $<TARGET_FILE:${arg_PROGRAM}> ${filter})
  negatron_set_test_properties(${name} 1 60 "ranks;faults")
endfunction()

# A program for negatron_add_failing_rank_test, which is no test by itself.
function(negatron_add_rank_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  negatron_check_test_arguments(negatron_add_rank_program ${name} "${arg_UNPARSED_ARGUMENTS}" "${arg_SOURCES}")
  negatron_add_test_program(${name} negatron_rank_test_main "${arg_SOURCES}" "${arg_LINKS}")
endfunction()
