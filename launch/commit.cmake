# Writes HEADER, which says which commit SOURCE is at, as far as git knows; leaves it alone when it says so already.
#   cmake -D SOURCE=... -D HEADER=... -P commit.cmake
set(commit)
find_program(GIT git)
# A repository that SOURCE only lies in is another one.
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} log -1 --format=%h WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define NEGATRON_COMMIT \"${commit}\"\n")
