# What packages hold beyond the programs: pages of the manual, completions, services, licences and
# private libraries. deploy/package.sh makes the packages.
#
# Components: `client`, `coordinator` and `worker` are packages of their own for Debian, and
# together the tarball. What stands in `*_debian` is only in the former, in `tarball` only in the
# latter. Rules with EXCLUDE_FROM_ALL run for packages, and not in `cmake --install`.
set(SWEEP_PACKAGING ${CMAKE_CURRENT_LIST_DIR})

# sweep_page(PROGRAM COMPONENT): its page of the manual and, unless it is the trainer, its
# completions: both are what the program says of itself.
function(sweep_page program component)
  set(completed ON)
  if(program STREQUAL sweep-trainer)
    set(completed OFF)
  endif()
  install(CODE "set(PROGRAM \"$<TARGET_FILE:${program}>\")
    set(COMPLETED ${completed})
    set(CLIENT \"$<TARGET_FILE:sweep>\")" COMPONENT ${component})
  install(SCRIPT ${SWEEP_PACKAGING}/install_pages.cmake COMPONENT ${component})
endfunction()

# sweep_licences(COMPONENT FOLDER PACKAGES... [PAGE modules...]): the licences of Debian's archives
# and headers, and of the modules of the dashboard's page, that a program has within.
function(sweep_licences component folder)
  cmake_parse_arguments(arg "" "" "PACKAGES;PAGE" ${ARGN})
  set(licences ${CMAKE_INSTALL_DATADIR}/doc/${folder}/licences)
  foreach(package IN LISTS arg_PACKAGES)
    install(FILES /usr/share/doc/${package}/copyright DESTINATION ${licences} RENAME ${package}
      COMPONENT ${component} EXCLUDE_FROM_ALL)
  endforeach()
  foreach(module IN LISTS arg_PAGE)
    install(DIRECTORY ${PROJECT_BINARY_DIR}/web/source/node_modules/${module}
      DESTINATION ${licences} COMPONENT ${component} EXCLUDE_FROM_ALL
      FILES_MATCHING REGEX "/(LICENSE|NOTICE|CopyrightNotice)[^/]*$"
      PATTERN src EXCLUDE PATTERN dist EXCLUDE PATTERN build EXCLUDE PATTERN lib EXCLUDE
      PATTERN extension EXCLUDE PATTERN test EXCLUDE)
  endforeach()
endfunction()

# sweep_debian_files(COMPONENT PACKAGE [SERVICE]): what Debian's policy asks of a package, and the
# service with its settings.
function(sweep_debian_files component package)
  set(SWEEP_PACKAGE ${package})
  configure_file(${SWEEP_PACKAGING}/debian/copyright.in ${package}.copyright @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${package}.copyright
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} RENAME copyright
    COMPONENT ${component}_debian EXCLUDE_FROM_ALL)
  install(FILES ${SWEEP_PACKAGING}/debian/${package}.overrides
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME ${package}
    COMPONENT ${component}_debian EXCLUDE_FROM_ALL)
  install(CODE "set(PACKAGE ${package})
    set(VERSION ${PROJECT_VERSION})
    set(SOURCES \"${PROJECT_SOURCE_DIR}\")" COMPONENT ${component}_debian EXCLUDE_FROM_ALL)
  install(SCRIPT ${SWEEP_PACKAGING}/install_changelog.cmake
    COMPONENT ${component}_debian EXCLUDE_FROM_ALL)
  if(ARGV2 STREQUAL SERVICE)
    install(FILES ${SWEEP_PACKAGING}/systemd/${package}.service
      DESTINATION /lib/systemd/system COMPONENT ${component}_debian EXCLUDE_FROM_ALL)
    install(FILES ${SWEEP_PACKAGING}/settings/${component}.yaml
      DESTINATION /etc/sweep COMPONENT ${component}_debian EXCLUDE_FROM_ALL)
  endif()
endfunction()

sweep_page(sweep client)
sweep_page(sweep-coordinator coordinator)
sweep_page(sweep-worker worker)
sweep_page(sweep-trainer worker)

set(wire libgrpc-dev libprotobuf-dev libabsl-dev libcli11-dev libspdlog-dev libfmt-dev)
set(service nlohmann-json3-dev libeigen3-dev)
set(page preact echarts zrender tslib d3-contour d3-array internmap)
sweep_licences(client sweep-client PACKAGES ${wire} ${service} PAGE ${page})
sweep_licences(coordinator sweep-coordinator PACKAGES ${wire} ${service} PAGE ${page})
sweep_licences(worker sweep-worker PACKAGES ${wire} nlohmann-json3-dev)

# libtorch, which Debian has in another version, or not at all for CUDA.
get_filename_component(torch ${Torch_DIR}/../../.. ABSOLUTE)
install(CODE "set(PROGRAMS \"$<TARGET_FILE:sweep-trainer>\")
  set(TORCH \"${torch}\")" COMPONENT worker EXCLUDE_FROM_ALL)
install(SCRIPT ${SWEEP_PACKAGING}/install_libtorch.cmake COMPONENT worker EXCLUDE_FROM_ALL)

# Everything but glibc.
install(CODE "set(PROGRAMS \"$<TARGET_FILE:sweep>;$<TARGET_FILE:sweep-coordinator>;$<TARGET_FILE:sweep-worker>;$<TARGET_FILE:sweep-trainer>\")
  set(TORCH \"${torch}\")" COMPONENT tarball EXCLUDE_FROM_ALL)
install(SCRIPT ${SWEEP_PACKAGING}/install_libraries.cmake COMPONENT tarball EXCLUDE_FROM_ALL)

sweep_debian_files(client sweep-client)
sweep_debian_files(coordinator sweep-coordinator SERVICE)
sweep_debian_files(worker sweep-worker SERVICE)

set(CPACK_PACKAGE_NAME sweep)
set(CPACK_PACKAGE_VENDOR "The Sweep authors")
set(CPACK_PACKAGE_CONTACT "The Sweep authors <sweep@example.org>")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${SWEEP_PACKAGING}/cpack_options.cmake)
set(CPACK_SWEEP_PACKAGING ${SWEEP_PACKAGING})
include(CPack)
