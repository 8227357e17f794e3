#include "engine/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kernels/common/error.h"

namespace kern {
namespace {
std::string reason() {
  switch (errno) {
    case ENOSPC:
      return "the disk is full; free some space or choose another folder";
    case EACCES:
    case EROFS:
      return "no permission to write there; choose another folder";
    case ENOENT:
      return "the folder does not exist";
    default:
      return std::strerror(errno);
  }
}
}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(path_.string() + ".tmp" + std::to_string(::getpid())) {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  check(descriptor_ >= 0, "cannot write ", path_.string(), ": ", reason());
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::give_up(const char* what) {
  const std::string why = reason();
  ::close(descriptor_);
  descriptor_ = -1;
  ::unlink(temporary_.c_str());
  throw Error(text("cannot ", what, " ", path_.string(), ": ", why));
}

void AtomicFile::write(const void* data, size_t bytes) {
  auto p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::write(descriptor_, p, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) give_up("write");
    p += n;
    bytes -= size_t(n);
  }
}

void AtomicFile::write_at(int64_t offset, const void* data, size_t bytes) {
  auto p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t n = ::pwrite(descriptor_, p, bytes, off_t(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) give_up("write");
    p += n;
    offset += n;
    bytes -= size_t(n);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) give_up("flush");
  ::close(descriptor_);
  descriptor_ = -1;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const std::string why = reason();
    ::unlink(temporary_.c_str());
    throw Error(text("cannot write ", path_.string(), ": ", why));
  }
  // The rename itself reaches the disk with the folder.
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  if (const int d = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); d >= 0) {
    ::fsync(d);
    ::close(d);
  }
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

std::string read_file(const std::filesystem::path& path) {
  std::error_code error;
  check(!std::filesystem::is_directory(path, error), path.string(), " is a folder, a file was expected");
  std::ifstream in(path, std::ios::binary);
  check(bool(in), "cannot read ", path.string(), ": ", std::strerror(errno));
  std::string content;
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) content.append(buffer, size_t(in.gcount()));
  check(!in.bad(), "cannot read ", path.string(), ": ", std::strerror(errno));
  return content;
}

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  check(!error && std::filesystem::is_directory(path), "cannot create the folder ", path.string(), ": ",
        error ? error.message() : "a file of that name is in the way");
}

}  // namespace kern
