# Third-party code is header-only or linked statically, so that build/kern runs on a machine without any -dev package.
find_package(Threads REQUIRED)
find_package(Eigen3 3.3 REQUIRED NO_MODULE)
find_package(nlohmann_json 3.7 REQUIRED)
find_package(fmt REQUIRED)
# Header-only, so that the program needs no libfmt where it runs; what is built for sanitizers runs here only, and is
# spared fmt's own code in every file.
set(KERN_FMT fmt::fmt-header-only)
if(KERN_SANITIZE AND TARGET fmt::fmt)
  set(KERN_FMT fmt::fmt)
endif()
find_package(CLI11 REQUIRED)

# kern_static_library(NAME lib header): an imported target over lib<name>.a, with the header's folder. Distributions' archives are
# for programs and cannot stand in a shared object: where Python's module is built, it is lib<name>.so.
function(kern_static_library target archive header)
  if(KERN_PYTHON_MODULE)
    string(REGEX REPLACE "[.]a$" ".so" archive ${archive})
  endif()
  find_library(${target}_ARCHIVE ${archive} REQUIRED)
  find_path(${target}_INCLUDE ${header} REQUIRED)
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${target}_ARCHIVE}
                        INTERFACE_INCLUDE_DIRECTORIES ${${target}_INCLUDE})
endfunction()
kern_static_library(kern_yaml libyaml-cpp.a yaml-cpp/yaml.h)
kern_static_library(kern_zlib libz.a zlib.h)
kern_static_library(kern_png libpng16.a png.h)
set_target_properties(kern_png PROPERTIES INTERFACE_LINK_LIBRARIES kern_zlib)
# libtiff.a leaves its codecs to who links it; which ones differs between distributions.
kern_static_library(kern_tiff libtiff.a tiffio.h)
# JBIG-KIT is not among them: it is under the GPL, which the program would then be too (data/tiff.cpp).
set(KERN_TIFF_CODECS webp sharpyuv zstd lzma Lerc jpeg deflate)
foreach(codec IN LISTS KERN_TIFF_CODECS)
  find_library(kern_${codec}_ARCHIVE lib${codec}.a)
  mark_as_advanced(kern_${codec}_ARCHIVE)
  if(kern_${codec}_ARCHIVE AND NOT KERN_PYTHON_MODULE)
    set_property(TARGET kern_tiff APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${kern_${codec}_ARCHIVE})
  endif()
endforeach()
set_property(TARGET kern_tiff APPEND PROPERTY INTERFACE_LINK_LIBRARIES kern_zlib)
kern_static_library(kern_gif libgif.a gif_lib.h)
find_path(KERN_STB_INCLUDE stb/stb_image.h REQUIRED)      # header-only: compiled in data/stb.cpp
find_path(KERN_HIGHWAY_INCLUDE hwy/highway.h REQUIRED)  # header-only: rows choose their target, see kernels/common/simd.h

# Whether a program can be linked without any shared library (kern-opendtect, and kern by KERN_STATIC, see
# apps/CMakeLists.txt). A GPU's driver is one, and is opened by a program that has been loaded as one.
if(NOT KERN_SANITIZE AND (NOT KERN_HAS_CUDA OR KERN_CUDA STREQUAL "EMULATED"))
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_LINK_OPTIONS -static)
  check_cxx_source_compiles("#include <thread>\nint main() { std::thread([] {}).join(); }" KERN_LINKS_STATICALLY)
  unset(CMAKE_REQUIRED_LINK_OPTIONS)
endif()
if(KERN_STATIC AND (NOT KERN_LINKS_STATICALLY OR KERN_HAS_CUDA))
  message(FATAL_ERROR "KERN_STATIC needs libraries that can be linked statically, no sanitizer, and KERN_CUDA=OFF: a GPU's driver is a shared library")
endif()

# MPI is a shared library, and its own memory is nothing that a sanitizer should look at.
set(KERN_HAS_MPI OFF)
if(KERN_MPI STREQUAL "ON" OR (KERN_MPI STREQUAL "AUTO" AND NOT KERN_STATIC AND NOT KERN_SANITIZE AND NOT KERN_PYTHON_MODULE))
  enable_language(C)  # FindMPI asks its C compiler
  find_package(MPI COMPONENTS C)
  if(MPI_C_FOUND)
    set(KERN_HAS_MPI ON)
  elseif(KERN_MPI STREQUAL "ON")
    message(FATAL_ERROR "KERN_MPI=ON, but no MPI is found (on Debian: libopenmpi-dev or libmpich-dev; another by -DMPI_C_COMPILER=...)")
  endif()
endif()
