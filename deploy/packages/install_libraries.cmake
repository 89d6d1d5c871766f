# Copies all libraries that PROGRAMS need into lib/sweep, but glibc's and those in TORCH, which the
# worker has already; with the licence of each of Debian's packages that they come from. Of OpenMP's
# runtime it takes Debian's, not the one beside libtorch.
string(REGEX REPLACE "([][+.*()^$?|\\])" "\\\\\\1" torch_pattern "${TORCH}")
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${PROGRAMS}
  RESOLVED_DEPENDENCIES_VAR found UNRESOLVED_DEPENDENCIES_VAR missing
  PRE_EXCLUDE_REGEXES "^(ld-linux|libc|libm|libdl|librt|libpthread|libresolv|libutil|libanl|libmvec)[-.]"
    "^libgomp"
  POST_EXCLUDE_REGEXES "^${torch_pattern}/")
if(missing)
  message(FATAL_ERROR "the programs need ${missing}, which is not there")
endif()
file(GLOB openmp /usr/lib/*/libgomp.so.1)
list(APPEND found ${openmp})
file(INSTALL ${found} DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/sweep" FOLLOW_SYMLINK_CHAIN)

# sweep_package_of(FILE RESULT): the package that a library comes from. dpkg may know it by a path
# through /lib, which is a link to /usr/lib.
function(sweep_package_of file result)
  string(REGEX REPLACE "^/usr" "" short "${file}")
  foreach(path "${file}" "${short}" "/usr${short}")
    execute_process(COMMAND dpkg-query --search "${path}" OUTPUT_VARIABLE owner ERROR_QUIET
      RESULT_VARIABLE code)
    if(code EQUAL 0)
      string(REGEX REPLACE "[:,].*" "" owner "${owner}")
      set(${result} ${owner} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

set(licences "${CMAKE_INSTALL_PREFIX}/share/doc/sweep-client/licences")
foreach(library IN LISTS found)
  file(REAL_PATH "${library}" file)
  sweep_package_of("${file}" package)
  if(NOT package)
    message(FATAL_ERROR "no package of Debian has ${library}, so its licence is not known")
  endif()
  file(INSTALL "/usr/share/doc/${package}/copyright" DESTINATION "${licences}" RENAME ${package}
    FOLLOW_SYMLINK_CHAIN)
endforeach()
