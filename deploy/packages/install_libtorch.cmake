# Copies the libraries of PROGRAMS that are not the system's, which are those of libtorch, into
# lib/sweep with their licences, and makes the installed trainer look for them nowhere else. OpenMP's
# runtime lies beside libtorch as well, but Debian's does.
string(REGEX REPLACE "([][+.*()^$?|\\])" "\\\\\\1" torch_pattern "${TORCH}")
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${PROGRAMS}
  RESOLVED_DEPENDENCIES_VAR found UNRESOLVED_DEPENDENCIES_VAR missing
  PRE_EXCLUDE_REGEXES "^libgomp" POST_INCLUDE_REGEXES "^${torch_pattern}/" POST_EXCLUDE_REGEXES ".")
if(missing)
  message(FATAL_ERROR "sweep-trainer needs ${missing}, which is not there")
endif()
set(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
file(INSTALL ${found} DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/sweep" FOLLOW_SYMLINK_CHAIN)
foreach(library IN LISTS found)
  get_filename_component(name "${library}" NAME)
  execute_process(COMMAND strip --strip-unneeded "${prefix}/lib/sweep/${name}"
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(RPATH_SET FILE "${prefix}/bin/sweep-trainer" NEW_RPATH "$ORIGIN/../lib/sweep")

get_filename_component(parent "${TORCH}" DIRECTORY)
foreach(licences "${parent}/torch-licences" "${TORCH}/licenses")
  if(EXISTS "${licences}/LICENSE")
    file(INSTALL "${licences}/" DESTINATION
      "${CMAKE_INSTALL_PREFIX}/share/doc/sweep-worker/licences/libtorch")
    return()
  endif()
endforeach()
message(FATAL_ERROR "there is no licence of the libtorch in ${TORCH}, neither in "
  "${parent}/torch-licences nor in ${TORCH}/licenses; deploy/install-deps.sh unpacks it")
