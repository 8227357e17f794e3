#include "data/segy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <regex>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::data {

// A file, or bytes in memory.
class SegyFile::Source {
 public:
  explicit Source(std::string_view bytes) : memory_(bytes), size_(int64_t(bytes.size())) {}
  explicit Source(const std::filesystem::path& path) {
    check_regular(path);
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    check(descriptor_ >= 0, "cannot read ", path.string(), ": ", std::strerror(errno));
    struct stat state {};
    const bool known = ::fstat(descriptor_, &state) == 0;
    if (!known || !S_ISREG(state.st_mode)) {
      ::close(descriptor_);
      throw Error(text(path.string(), S_ISDIR(state.st_mode) ? " is a folder, a SEG-Y file was expected"
                                                             : " is no regular file: copy it to the disk first"));
    }
    size_ = int64_t(state.st_size);
  }
  ~Source() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  int64_t size() const { return size_; }
  // Whether all of `to` could be read.
  bool read(int64_t from, std::span<std::byte> to) const {
    if (descriptor_ < 0) {
      if (from < 0 || from > size_ || int64_t(to.size()) > size_ - from) return false;
      if (!to.empty()) std::memcpy(to.data(), memory_.data() + from, to.size());
      return true;
    }
    while (!to.empty()) {
      const ssize_t n = ::pread(descriptor_, to.data(), to.size(), off_t(from));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      from += n;
      to = to.subspan(size_t(n));
    }
    return true;
  }

 private:
  std::string_view memory_;
  int descriptor_ = -1;
  int64_t size_ = 0;
};

SegyFile::SegyFile(const std::filesystem::path& path, const SegyOptions& options)
    : source_(std::make_unique<Source>(path)), name_(path.string()) {
  open(options);
}
SegyFile::SegyFile(std::string_view bytes, const std::string& shown_name, const SegyOptions& options)
    : source_(std::make_unique<Source>(bytes)), name_(shown_name) {
  open(options);
}
SegyFile::~SegyFile() = default;
SegyFile::SegyFile(SegyFile&&) noexcept = default;
SegyFile& SegyFile::operator=(SegyFile&&) noexcept = default;

void SegyFile::open(const SegyOptions& options) {
  trace_field_at("il", options.il), trace_field_at("xl", options.xl);
  trace_field_at("x", options.x), trace_field_at("y", options.y);
  options_ = options;
  layout_ = detail::find_layout(*this, warnings_);
  layout_.feet = binary(binary_field::measurement) == 2;
  layout_.depth = options.domain == SegyDomain::depth || (options.domain == SegyDomain::automatic && speaks_of_depth());
}

// Whether the text header says that samples are depths. Water, sources and streamers have depths in every file, and
// what was migrated in depth is often stretched to time again.
bool SegyFile::speaks_of_depth() {
  static const std::regex time("\\bTIME\\b|\\bTWT\\b|\\bMS\\b|MILLISEC|MICROSEC"),
      depth(
          "DEPTH[ -]*DOMAIN|DOMAIN *[:=]? *DEPTH|\\bIN DEPTH\\b|DEPTH "
          "(VOLUME|CUBE|SECTION|SLICE|INTERVAL|STEP|SAMPL)|\\bTVDSS\\b|"
          "SAMPL\\w* (INTERVAL|RATE|STEP) *[:=(]* *[0-9.]* *(M|METRES?|METERS?|FT|FEET)\\b"),
      migration("\\bPSDM\\b|DEPTH[ -]*MIGRAT");
  bool migrated = false;
  for (std::string line : text_header().lines) {
    for (char& c : line) c = char(std::toupper(static_cast<unsigned char>(c)));
    const bool of_time = std::regex_search(line, time);
    if (!of_time && std::regex_search(line, depth)) return true;
    migrated = (migrated || std::regex_search(line, migration)) && !of_time;
  }
  if (migrated)
    warnings_.push_back(name_ +
                        ": the text header tells of migration in depth, but not whether samples are times: they are "
                        "taken for milliseconds; if they are depths, set domain=depth");
  return false;
}

int64_t SegyFile::bytes() const { return source_->size(); }

void SegyFile::read_bytes(int64_t from, std::span<std::byte> to) const {
  errno = 0;
  check(source_->read(from, to), "cannot read ", to.size(), " bytes at ", from, " of ", name_, ": ",
        errno != 0 ? std::strerror(errno) : "the file ends before; is another program changing it?");
}

SegyText SegyFile::text_header() const {
  std::vector<std::byte> bytes((size_t(kSegyText)));
  read_bytes(0, bytes);
  return read_text_header(bytes);
}

std::vector<std::byte> SegyFile::binary_header() const {
  std::vector<std::byte> bytes((size_t(kSegyBinary)));
  read_bytes(kSegyText, bytes);
  return bytes;
}

int64_t SegyFile::binary(const SegyField& field) const { return get_field(binary_header(), field, layout_.order); }

SegyTraceHeader SegyFile::trace_header(int64_t trace) const {
  internal_check(trace >= 0 && trace < traces(), "trace ", trace, " of ", traces());
  SegyTraceHeader bytes;
  read_bytes(layout_.trace_start(trace), bytes);
  return bytes;
}

int64_t SegyFile::header(int64_t trace, const SegyField& field) const {
  return get_field(trace_header(trace), field, layout_.order);
}

SegyFile::Position SegyFile::position(const SegyTraceHeader& header) const {
  const auto get = [&](const SegyField& field) { return get_field(header, field, layout_.order); };
  int64_t x = get({"x", options_.x, 4}), y = get({"y", options_.y, 4});
  if (x == 0 && y == 0) x = get(trace_field::source_x), y = get(trace_field::source_y);
  const int64_t scalar = get(trace_field::coordinate_scalar);
  return {scaled(x, scalar), scaled(y, scalar)};
}

void SegyFile::read_trace(int64_t trace, std::span<float> samples) const {
  const int64_t one[] = {trace};
  read_traces(one, samples);
}

void SegyFile::read_traces(std::span<const int64_t> wanted, std::span<float> out) const {
  const auto n = size_t(samples());
  internal_check(out.size() == wanted.size() * n, "room for ", out.size(), " samples, ", wanted.size(), " traces of ",
                 n, " are wanted");
  const int64_t step = layout_.trace_bytes(), ahead = layout_.trace_headers * kSegyTraceHeader;
  const auto most = size_t(std::max<int64_t>(1, detail::kSegyBlock / step));
  std::vector<std::byte> block;
  for (size_t i = 0; i < wanted.size();) {
    internal_check(wanted[i] >= -1 && wanted[i] < traces(), "trace ", wanted[i], " of ", traces());
    if (wanted[i] < 0) {
      std::fill_n(out.begin() + ptrdiff_t(i * n), n, 0.0f);
      ++i;
      continue;
    }
    size_t count = 1;  // traces that follow each other in the file
    while (i + count < wanted.size() && count < most && wanted[i + count] == wanted[i] + int64_t(count) &&
           wanted[i + count] < traces())
      ++count;
    block.resize(size_t(int64_t(count) * step - ahead));  // from the first one's samples to the last one's
    read_bytes(layout_.trace_start(wanted[i]) + ahead, block);
    for (size_t k = 0; k < count; ++k)
      decode_samples(layout_.format, layout_.order, block.data() + k * size_t(step), out.subspan((i + k) * n, n));
    i += count;
  }
}

}  // namespace kern::data
