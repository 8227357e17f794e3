// Files appear whole or not at all: written under a temporary name, flushed to the disk, renamed.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace kern {

//   AtomicFile file(path);  file.write(bytes);  file.commit();
// Without commit() nothing is left behind. Errors (no such folder, read-only, disk full) throw an Error that names the
// file.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  // At a place of the caller's choosing, from the file's beginning; what write() does is not moved by it.
  void write_at(int64_t offset, const void* data, size_t bytes);
  void commit();

 private:
  void give_up(const char* what);
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

void write_file(const std::filesystem::path& path, std::string_view content);
// The whole file; an Error naming it when it cannot be read.
std::string read_file(const std::filesystem::path& path);
// Creates the folder and its parents, or throws an Error that says why not.
void make_folder(const std::filesystem::path& path);

}  // namespace kern
