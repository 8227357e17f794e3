option(KERN_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(KERN_FUZZ "Build the fuzz targets (clang with libFuzzer)" OFF)
option(KERN_WERROR "Warnings are errors" OFF)
option(KERN_COVERAGE "Count which lines of the CUDA kernels run on the emulator (GCC; scripts/coverage)" OFF)
set(KERN_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
find_program(KERN_CCACHE ccache)
if(KERN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${KERN_CCACHE})  # for precompiled headers
endif()

# Flags of every target of ours (never of a user's: they are PRIVATE through this target).
add_library(kern_flags INTERFACE)
target_compile_options(kern_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers
                       -fno-math-errno -fno-trapping-math -ffp-contract=off>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(kern_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-psabi -Wno-maybe-uninitialized -Wno-restrict>)  # GCC 12's false alarms at -O3
endif()
if(KERN_WERROR)
  target_compile_options(kern_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror> "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Werror all-warnings>")
endif()
if(KERN_SANITIZE)
  add_compile_options(-fsanitize=${KERN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${KERN_SANITIZE})
endif()
