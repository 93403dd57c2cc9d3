# Runs within `cmake --install`: copies the headers that launch/LIBRARY.md lists, and those that these include, whatever
# they are when it runs, so that no edit of a header needs a new configuration.
#
# In: SOURCE, the root of the sources; PAGE, the page; DESTINATION, relative to the prefix; WITH_CONTRACT.
#
cmake_policy(VERSION 3.25)

# Each line of a table of the page that begins with a header, "| `comm/work.h` | ...", names a public one.
file(STRINGS ${PAGE} lines REGEX "^\\| `[a-z0-9_/]+\\.h`")
set(headers)
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^\\| `([a-z0-9_/]+\\.h)`.*" "\\1" header "${line}")
  if(header MATCHES "^tests/" AND NOT WITH_CONTRACT)
    continue()
  endif()
  if(NOT EXISTS ${SOURCE}/${header})
    message(FATAL_ERROR "${PAGE} lists ${header}, which is not there.")
  endif()
  list(APPEND headers ${header})
endforeach()

# Those that were reached and not yet read are behind those that were.
list(LENGTH headers count)
set(next 0)
while(next LESS count)
  list(GET headers ${next} header)
  math(EXPR next "${next} + 1")
  file(STRINGS ${SOURCE}/${header} includes REGEX "^[ \t]*#[ \t]*include[ \t]*\"")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE ".*\"([^\"]+)\".*" "\\1" included "${include}")
    if(NOT included IN_LIST headers)
      list(APPEND headers ${included})
    endif()
  endforeach()
  list(LENGTH headers count)
endwhile()

foreach(header IN LISTS headers)
  get_filename_component(folder ${header} DIRECTORY)
  file(INSTALL ${SOURCE}/${header} DESTINATION ${CMAKE_INSTALL_PREFIX}/${DESTINATION}/${folder})
endforeach()
