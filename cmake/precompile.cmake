# With KERN_PRECOMPILE the standard headers (and GoogleTest's for tests) are parsed once instead of once in every file: a
# short test file compiles in half the time. Each file includes what it uses all the same, but only the preset cuda does
# without: a build by hand is as the tests' builds are.
option(KERN_PRECOMPILE "Precompile standard headers: short files, most tests among them, compile in half the time" ON)
set(KERN_STANDARD_HEADERS <algorithm> <array> <chrono> <cmath> <cstdint> <filesystem> <fstream> <functional> <limits> <map> <memory>
    <numeric> <optional> <set> <span> <sstream> <string> <string_view> <utility> <vector>)
if(KERN_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")  # lets a compiler cache see the headers behind a precompiled one
elseif(KERN_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess)  # lets a compiler cache see the headers behind a precompiled one
  add_compile_options(-Wno-stringop-overflow -Wno-array-bounds)  # GCC 12 forgets that <string> is a system header
endif()
if(KERN_PRECOMPILE AND KERN_FMT STREQUAL "fmt::fmt-header-only")
  add_compile_definitions(FMT_HEADER_ONLY=1)  # for every file alike, or the precompiled headers do not fit
  list(APPEND KERN_STANDARD_HEADERS ${PROJECT_SOURCE_DIR}/cmake/fmt_once.h)
endif()

# precompiled_headers(NAME [PROGRAM] HEADERS … [LIBRARIES …]): what others reuse; to be called before their folders are added. Archives
# and programs are compiled unlike (-fPIC, -fPIE), so each kind needs one of its own.
function(precompiled_headers name)
  cmake_parse_arguments(ARG "PROGRAM" "" "HEADERS;LIBRARIES" ${ARGN})
  if(NOT KERN_PRECOMPILE)
    return()
  endif()
  set(source ${PROJECT_BINARY_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "int main() {}\n")
  if(ARG_PROGRAM)
    add_executable(${name} ${source})
  else()
    add_library(${name} OBJECT ${source})
  endif()
  target_link_libraries(${name} PRIVATE kern_flags ${ARG_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

function(reuse_precompiled target from)
  if(KERN_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${from})
  endif()
endfunction()
