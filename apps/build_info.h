// How this build was made; apps/CMakeLists.txt writes the values.
#pragma once

namespace kern::apps::build_info {

extern const char* const kVersion;
extern const char* const kBuildType;
extern const char* const kCompiler;
extern const char* const kFlags;
extern const char* const kSanitizers;
extern const char* const kLibraries;

}  // namespace kern::apps::build_info
