// Files appear whole or not at all: written without a name, flushed to the disk, named. A file of that name is replaced
// then; a symbolic link stays, and the file it points to is replaced; what is no regular file (a device, a pipe) is
// written to as it is.
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
  // named: under a temporary name from the beginning, as where the file system knows no files without names (NFS). No
  // process can know that name beforehand, and nothing that stands under it is opened.
  // shared: by all ranks (engine/communicator.h), each of which writes places of its own with write_at(); rank 0 makes
  // the file, and commit() names it when all have flushed. Within together() (engine/agreement.h); alone it is unnamed.
  enum class Temporary { unnamed, named, shared };
  explicit AtomicFile(std::filesystem::path path, Temporary temporary = Temporary::unnamed);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  // At a place of the caller's choosing, from the file's beginning; what write() does is not moved by it. Only where
  // the target is a regular file.
  void write_at(int64_t offset, const void* data, size_t bytes);
  // Makes the file so long, if it is shorter: what nobody writes reads as zeros.
  void extend(int64_t bytes);
  void commit();

 private:
  [[noreturn]] void give_up(const char* what);
  void close();
  void open_named();
  void open_shared();
  void name_it();
  std::filesystem::path path_;       // as given
  std::filesystem::path target_;     // where the links end
  std::filesystem::path temporary_;  // empty while the file has no name
  int descriptor_ = -1;
  bool through_ = false;  // written to as it is
  bool shared_ = false;
};

void write_file(const std::filesystem::path& path, std::string_view content);
// The whole file; an Error naming it when it cannot be read. Out of a pipe comes what is written into it; a device is
// refused, for it may have no end.
std::string read_file(const std::filesystem::path& path);
// An Error where the path names a folder, a device or a pipe; before a file is opened that is read piece by piece.
void check_regular(const std::filesystem::path& path);
// Creates the folder and its parents, or throws an Error that says why not.
void make_folder(const std::filesystem::path& path);

}  // namespace kern
