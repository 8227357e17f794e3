#include "data/trace_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "kernels/common/error.h"

namespace kern::data {

TraceStore::TraceStore(std::filesystem::path path, int64_t samples) : path_(std::move(path)), samples_(samples) {
  internal_check(samples >= 1, "traces of ", samples, " samples");
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  check(descriptor_ >= 0, "cannot write ", path_.string(), ": ", std::strerror(errno));
}

TraceStore::~TraceStore() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

TraceStore::TraceStore(TraceStore&& other) noexcept
    : path_(std::move(other.path_)), samples_(other.samples_), descriptor_(std::exchange(other.descriptor_, -1)) {}

void TraceStore::write(int64_t trace, std::span<const float> values, int64_t first) {
  internal_check(trace >= 0 && first >= 0 && first + int64_t(values.size()) <= samples_, "samples ", first, " + ",
                 values.size(), " of ", samples_);
  int64_t at = (trace * samples_ + first) * int64_t(sizeof(float));
  struct stat status {};
  const bool beyond = ::fstat(descriptor_, &status) == 0 && status.st_size <= at;
  if (beyond && std::all_of(values.begin(), values.end(), [](float v) { return v == 0; })) return;
  const char* p = reinterpret_cast<const char*>(values.data());
  for (size_t left = values.size_bytes(); left > 0;) {
    const ssize_t n = ::pwrite(descriptor_, p, left, off_t(at));
    if (n < 0 && errno == EINTR) continue;
    check(n > 0, "cannot write ", path_.string(), ": ",
          errno == ENOSPC ? "the disk is full; free some space or choose another folder" : std::strerror(errno));
    p += n, at += n, left -= size_t(n);
  }
}

void TraceStore::sync() {
  check(::fdatasync(descriptor_) == 0, "cannot write ", path_.string(), ": ",
        errno == ENOSPC ? "the disk is full; free some space or choose another folder" : std::strerror(errno));
}

void TraceStore::read(int64_t trace, std::span<float> values, int64_t first) const {
  internal_check(trace >= 0 && first >= 0 && first + int64_t(values.size()) <= samples_, "samples ", first, " + ",
                 values.size(), " of ", samples_);
  int64_t at = (trace * samples_ + first) * int64_t(sizeof(float));
  char* p = reinterpret_cast<char*>(values.data());
  size_t left = values.size_bytes();
  while (left > 0) {
    const ssize_t n = ::pread(descriptor_, p, left, off_t(at));
    if (n < 0 && errno == EINTR) continue;
    check(n >= 0, "cannot read ", path_.string(), ": ", std::strerror(errno));
    if (n == 0) break;  // beyond the end
    p += n, at += n, left -= size_t(n);
  }
  std::memset(p, 0, left);
}

}  // namespace kern::data
