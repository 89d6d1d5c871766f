# The page of the dashboard: built by npm in a copy of dashboards/web, so that nothing is written
# into the source tree, and embedded gzipped. Sets SWEEP_WEB_SOURCE to the C++ file with its files.
set(SWEEP_WEB_SOURCE no_web_files.cc)
set(folder ${PROJECT_SOURCE_DIR}/dashboards/web)
if(NOT SWEEP_WEB)
  message(STATUS "Web page: left out (SWEEP_WEB is OFF)")
  return()
endif()
if(NOT EXISTS ${folder}/package.json OR NOT EXISTS ${folder}/package-lock.json)
  message(STATUS "Web page: left out, there is no package.json and package-lock.json in dashboards/web")
  return()
endif()
find_program(SWEEP_NODE NAMES node nodejs)
find_program(SWEEP_NPM npm)
set(version 0)
if(SWEEP_NODE)
  execute_process(COMMAND ${SWEEP_NODE} --version OUTPUT_VARIABLE version
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(REGEX REPLACE "^v" "" version "${version}")
endif()
if(NOT SWEEP_NPM OR version VERSION_LESS 18)
  message(STATUS "Web page: left out, it needs Node.js 18 or newer and npm (found Node.js ${version}, npm ${SWEEP_NPM})")
  return()
endif()
message(STATUS "Web page: built with Node.js ${version}")

file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/src/* ${folder}/public/* ${folder}/fixtures/*)
file(GLOB top CONFIGURE_DEPENDS ${folder}/*.json ${folder}/*.ts ${folder}/*.js ${folder}/*.html
  ${folder}/.npmrc)
set(web ${PROJECT_BINARY_DIR}/web)
set(SWEEP_WEB_SOURCE ${web}/web_files.generated.cc)
add_executable(embed_files embed_files.cc gzip.cc)
target_link_libraries(embed_files PRIVATE sweep_flags sweep_base absl::strings ZLIB::ZLIB)
add_custom_command(OUTPUT ${web}/page.stamp
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${folder} -DBUILD=${web} -DNPM=${SWEEP_NPM}
    -P ${CMAKE_CURRENT_SOURCE_DIR}/build_web.cmake
  DEPENDS ${sources} ${top} ${CMAKE_CURRENT_SOURCE_DIR}/build_web.cmake
  COMMENT "Building the web page with npm" VERBATIM)
add_custom_command(OUTPUT ${SWEEP_WEB_SOURCE} ${web}/web_files.bin
  COMMAND embed_files ${web}/dist ${SWEEP_WEB_SOURCE} ${web}/web_files.bin
  DEPENDS ${web}/page.stamp embed_files
  COMMENT "Embedding the web page" VERBATIM)
set_source_files_properties(${SWEEP_WEB_SOURCE} PROPERTIES OBJECT_DEPENDS ${web}/web_files.bin
  SKIP_UNITY_BUILD_INCLUSION ON)
