// Runs a fuzz target over the files of a folder, with any compiler: what fuzzing once found must never come back.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "engine/atomic_file.h"
#include "tests/fuzz/entry.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);
    const std::string bytes = kern::read_file(file);
    // A block of exactly that size, so that the address sanitizer sees a step over its end.
    std::vector<uint8_t> block(bytes.size());
    if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
    LLVMFuzzerTestOneInput(block.data(), block.size());
  }
  if (files.empty()) std::fprintf(stderr, "%s holds no file\n", argv[1]);
  return files.empty() ? 1 : 0;
}
