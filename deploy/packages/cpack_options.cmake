# Read by cpack before each kind of package.
if(CPACK_GENERATOR STREQUAL "TGZ")
  set(CPACK_PACKAGE_FILE_NAME sweep-${CPACK_PACKAGE_VERSION}-linux-x86_64)
  set(CPACK_COMPONENTS_ALL client coordinator worker tarball)
  set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
  set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
  set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON)
  return()
endif()

set(CPACK_COMPONENTS_ALL client coordinator worker client_debian coordinator_debian worker_debian)
set(CPACK_DEB_COMPONENT_INSTALL ON)
# Files under /etc and /lib have absolute destinations.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(component client coordinator worker)
  string(TOUPPER ${component} name)
  set(CPACK_COMPONENT_${name}_GROUP ${component})
  set(CPACK_COMPONENT_${name}_DEBIAN_GROUP ${component})
  set(CPACK_DEBIAN_${name}_PACKAGE_NAME sweep-${component})
endforeach()
# Debian has an audio editor of the name `sweep`, with a program of that name.
set(CPACK_DEBIAN_CLIENT_PACKAGE_CONFLICTS sweep)
set(CPACK_DEBIAN_CLIENT_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SUGGESTS "sweep-worker, sweep-coordinator")
set(CPACK_DEBIAN_CLIENT_DESCRIPTION "hyperparameter sweeps of small networks: client
Submits sweeps to a coordinator, follows them and shows their best runs. With
sweep-worker on the same machine, 'sweep run' trains a sweep without a service.")
set(CPACK_DEBIAN_COORDINATOR_PACKAGE_SUGGESTS "sweep-client, sqlite3")
set(CPACK_DEBIAN_COORDINATOR_DESCRIPTION "hyperparameter sweeps of small networks: coordinator
Turns sweep files into trials, hands them to workers, keeps what they report in
one SQLite file, and serves a dashboard.")
set(CPACK_DEBIAN_WORKER_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_WORKER_DESCRIPTION "hyperparameter sweeps of small networks: worker
Takes trials from a coordinator and trains them, one per core. Has the CPU's
libtorch within, in /usr/lib/sweep.")
foreach(component coordinator worker)
  string(TOUPPER ${component} name)
  set(scripts ${CPACK_SWEEP_PACKAGING}/debian/sweep-${component})
  set(CPACK_DEBIAN_${name}_PACKAGE_CONTROL_EXTRA ${scripts}/postinst ${scripts}/prerm
    ${scripts}/postrm ${scripts}/conffiles)
endforeach()
