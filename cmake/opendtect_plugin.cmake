# OpendTect's native plugin (apps/faults/opendtect_plugin, GPL-3.0-or-later) is built where OpendTect is: a project of its
# own, so that neither's flags reach the other.
set(OpendTect_DIR "" CACHE PATH "OpendTect with its development package: builds the plugin for it")
if(OpendTect_DIR)
  include(ExternalProject)
  ExternalProject_Add(kern_opendtect_plugin
    SOURCE_DIR ${PROJECT_SOURCE_DIR}/apps/faults/opendtect_plugin
    BINARY_DIR ${PROJECT_BINARY_DIR}/opendtect_plugin
    CMAKE_ARGS -DOpendTect_DIR=${OpendTect_DIR} -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
    INSTALL_COMMAND ""
    BUILD_ALWAYS ON)
  message(STATUS "kern: the plugin for OpendTect at ${OpendTect_DIR} is built too")
endif()
