# Writes the changelog that Debian's policy asks of PACKAGE, with one entry, of VERSION: the history is the
# repository's. Its date is that of the commit, so that the same sources give the same package.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(seconds $ENV{SOURCE_DATE_EPOCH})
else()
  execute_process(COMMAND git -C ${SOURCES} log -1 --format=%ct OUTPUT_VARIABLE seconds
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT seconds)
  set(seconds 0)
endif()
execute_process(COMMAND date --utc --rfc-email --date=@${seconds} OUTPUT_VARIABLE date
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(folder "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share/doc/${PACKAGE}")
file(MAKE_DIRECTORY "${folder}")
file(WRITE "${folder}/changelog" "${PACKAGE} (${VERSION}) bookworm; urgency=medium

  * Version ${VERSION}.

 -- The Sweep authors <sweep@example.org>  ${date}
")
execute_process(COMMAND gzip -9nf "${folder}/changelog" COMMAND_ERROR_IS_FATAL ANY)
