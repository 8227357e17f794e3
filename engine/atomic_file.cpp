#include "engine/atomic_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "engine/agreement.h"
#include "engine/communicator.h"
#include "kernels/common/error.h"

namespace kern {
namespace {
namespace fs = std::filesystem;

constexpr int kTries = 100;  // of names that are taken

std::string reason() {
  switch (errno) {
    case ENOSPC:
      return "the disk is full; free some space or choose another folder";
    case EACCES:
    case EROFS:
      return "no permission to write there; choose another folder";
    case ENOENT:
      return "the folder does not exist";
    case EFBIG:
      return "the file would be larger than is allowed (ulimit -f, or the file system's limit)";
    case ENAMETOOLONG:
      return "the name is too long for this file system";
    case ESPIPE:
      return "it is no regular file, and this kind of file is not written from beginning to end; name a file";
    default:
      return std::strerror(errno);
  }
}

// What stands in a name's place behind all symbolic links, whether it is there or not.
fs::path end_of_links(fs::path path) {
  for (int links = 0;; ++links) {
    std::error_code none;
    const fs::path to = fs::read_symlink(path, none);
    if (none) return path;
    check(links < 40, "cannot write ", path.string(), ": its symbolic links go round in a circle");
    path = path.parent_path() / to;
  }
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

// "checkpoint.safetensors.tmp1847…": what remove_temporaries (training/run_folder.cpp) knows. A long name is cut,
// between two letters of UTF-8, so that the ending has room.
fs::path temporary_name(const fs::path& target) {
  std::random_device random;
  const uint64_t number = uint64_t(random()) << 32 | random();
  std::string name = target.filename().string();
  if (name.size() > 200) {
    size_t end = 200;
    while (end > 0 && (uint8_t(name[end]) & 0xC0) == 0x80) --end;
    name.resize(end);
  }
  return folder_of(target) / (name + ".tmp" + std::to_string(number));
}

std::string link_to(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }
}  // namespace

AtomicFile::AtomicFile(fs::path path, Temporary temporary) : path_(std::move(path)) {
  struct stat now {};
  const bool there = ::stat(path_.c_str(), &now) == 0;
  check(!there || !S_ISDIR(now.st_mode), "cannot write ", path_.string(), ": a folder of that name is in the way");
  if (there && !S_ISREG(now.st_mode)) {
    through_ = true;
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    check(descriptor_ >= 0, "cannot write ", path_.string(), ": ", reason());
    return;
  }
  target_ = end_of_links(path_);
  shared_ = temporary == Temporary::shared && !communicator().alone();
  if (shared_) {
    open_shared();
    return;
  }
  if (temporary != Temporary::named) {
    descriptor_ = ::open(folder_of(target_).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0644);
    if (descriptor_ >= 0 && ::access(link_to(descriptor_).c_str(), F_OK) == 0) return;
    close();  // no /proc, by which alone it could be named
  }
  open_named();
}

AtomicFile::~AtomicFile() { close(); }

void AtomicFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

void AtomicFile::give_up(const char* what) {
  const std::string why = reason();
  close();
  throw Error(text("cannot ", what, " ", path_.string(), ": ", why));
}

void AtomicFile::open_named() {
  for (int tries = 0; tries < kTries; ++tries) {
    const fs::path name = temporary_name(target_);
    descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (descriptor_ >= 0) {
      temporary_ = name;
      return;
    }
    if (errno != EEXIST) break;
  }
  give_up("write");
}

// Rank 0 makes it, in the place of what killed ranks left of one; the others open it.
void AtomicFile::open_shared() {
  if (communicator().root()) {
    const std::string left = target_.filename().string() + ".tmp";
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder_of(target_), ignored)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(left) && name.find_first_not_of("0123456789", left.size()) == name.npos)
        fs::remove(entry.path(), ignored);
    }
    open_named();
    agree(temporary_.string());
    return;
  }
  const fs::path made = agree()[0];
  descriptor_ = ::open(made.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  check(descriptor_ >= 0, "cannot write ", made.string(), ", which rank 0 has made: ", reason());
}

// A link cannot replace a file: where one stands, the new one gets a temporary name first.
void AtomicFile::name_it() {
  const std::string self = link_to(descriptor_);
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, target_.c_str(), AT_SYMLINK_FOLLOW) == 0) return;
  for (int tries = 0; errno == EEXIST && tries < kTries; ++tries) {
    const fs::path name = temporary_name(target_);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0) continue;
    temporary_ = name;
    return;
  }
  give_up("write");
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

void AtomicFile::extend(int64_t bytes) {
  struct stat now {};
  if (!through_ && ::fstat(descriptor_, &now) == 0 && now.st_size < bytes &&
      ::ftruncate(descriptor_, off_t(bytes)) != 0)
    give_up("write");
}

void AtomicFile::commit() {
  if (through_) {
    // A pipe or a terminal has nothing to flush; a disk has.
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) give_up("flush");
    close();
    return;
  }
  if (::fsync(descriptor_) != 0) give_up("flush");
  if (shared_) {
    agree();
    if (temporary_.empty()) return close();  // of another rank's
  }
  if (temporary_.empty()) name_it();
  if (!temporary_.empty() && ::rename(temporary_.c_str(), target_.c_str()) != 0) give_up("write");
  temporary_.clear();
  close();
  // The name itself reaches the disk with the folder.
  if (const int d = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); d >= 0) {
    ::fsync(d);
    ::close(d);
  }
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

void check_regular(const fs::path& path) {
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0) return;  // whoever opens it says why it cannot be
  check(!S_ISDIR(now.st_mode), path.string(), " is a folder, a file was expected");
  check(S_ISREG(now.st_mode), path.string(), " is a ", S_ISFIFO(now.st_mode) ? "pipe" : "device",
        ", a file was expected: copy what it holds into one");
}

std::string read_file(const fs::path& path) {
  constexpr size_t kMaxOfPipe = size_t{1} << 30;
  constexpr int kSilence = 10;  // seconds
  struct stat now {};
  const bool pipe = ::stat(path.c_str(), &now) == 0 && S_ISFIFO(now.st_mode);  // also <(command)
  if (!pipe) check_regular(path);
  // Opening a pipe that nobody writes would wait for ever.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | (pipe ? O_NONBLOCK : 0));
  check(file >= 0, "cannot read ", path.string(), ": ", std::strerror(errno));
  std::string content;
  char buffer[1 << 16];
  std::string why;
  if (!pipe) content.reserve(size_t(now.st_size));
  pollfd ready{file, POLLIN, 0};
  while (why.empty()) {
    if (pipe && ::poll(&ready, 1, kSilence * 1000) == 0) {
      why = text("it is a pipe, and nothing came out of it for ", kSilence, " seconds");
      break;
    }
    const ssize_t n = ::read(file, buffer, sizeof buffer);
    if (n == 0) break;
    if (n > 0) content.append(buffer, size_t(n));
    else if (errno != EINTR && errno != EAGAIN) why = std::strerror(errno);
    if (pipe && content.size() > kMaxOfPipe) why = "it is a pipe, and more than 1 GiB came out of it";
  }
  ::close(file);
  check(why.empty(), "cannot read ", path.string(), ": ", why);
  return content;
}

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  check(!error && std::filesystem::is_directory(path), "cannot create the folder ", path.string(), ": ",
        error ? error.message() : "a file of that name is in the way");
}

}  // namespace kern
