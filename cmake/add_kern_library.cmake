# add_kern_library(layers DEPENDS engine LIBRARIES ${KERN_FMT} [EXCLUDE REGEX]): the folder as one static library that sees only what
# stands below it. Sources are found by name: adding a file touches no list. EXCLUDE: folders that are libraries of their own.
function(add_kern_library name)
  cmake_parse_arguments(LIB "" "EXCLUDE" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(LIB_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${LIB_EXCLUDE}")
  endif()
  if(sources)
    add_library(kern_${name} STATIC ${sources})
    target_link_libraries(kern_${name} PRIVATE $<BUILD_INTERFACE:kern_flags>)
    reuse_precompiled(kern_${name} kern_precompiled)
    set(scope PUBLIC)
  else()
    add_library(kern_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(kern_${name} ${scope} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(kern_${name} ${scope} cxx_std_20)
  foreach(below IN LISTS LIB_DEPENDS)
    target_link_libraries(kern_${name} ${scope} kern_${below})
  endforeach()
  if(sources AND LIB_LIBRARIES)
    foreach(external IN LISTS LIB_LIBRARIES)
      if(external MATCHES "^kern_")  # an archive: whoever links the installed library needs it, see kernConfig.cmake.in
        target_link_libraries(kern_${name} PRIVATE ${external})
      else()  # header-only: nothing of it is left once the library is built
        target_link_libraries(kern_${name} PRIVATE $<BUILD_INTERFACE:${external}>)
      endif()
    endforeach()
  endif()
  set_target_properties(kern_${name} PROPERTIES EXPORT_NAME ${name})
  add_library(kern::${name} ALIAS kern_${name})
  set_property(GLOBAL APPEND PROPERTY KERN_ALL_LIBRARIES kern_${name})
endfunction()

# optimise_under_sanitizers(las.cpp): files that the tests of the sanitizers' build, which is not optimised, would spend their time
# in; Eigen's templates are slowest at -O0. Few, for optimising takes two to three times longer to compile.
function(optimise_under_sanitizers)
  if(KERN_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Debug>:-O1>" SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()

# compile_quickly(kern_apps): for code that only calls others in the time that matters. A fifth to two fifths less time
# to compile than -O3.
function(compile_quickly target)
  target_compile_options(${target} PRIVATE $<$<AND:$<CONFIG:Release>,$<COMPILE_LANGUAGE:CXX>>:-O1>)
endfunction()
