// SEG-Y revisions 0, 1 and 2 as they occur in the wild (SEG, 1975, 2002, 2017): any of the 14 sample formats in both
// byte orders, extended text headers, additional trace headers, files larger than memory.
//
// A file's claims about itself are checked against its size and its first trace; what is wrong is repaired where only
// one repair fits, and said in warnings(). Nothing is mapped: a mapped file that another program cuts short ends the
// process with a signal, and counts whole against a limit of address space.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/segy_format.h"
#include "data/segy_header.h"

namespace kern::data {

enum class SegyDomain { automatic, time, depth };

// Where in the trace headers the numbers of a trace stand: first byte, 4 bytes each. What samples follow each other in;
// no header has a place for that: automatic goes by what the text header says.
struct SegyOptions {
  int il = 189, xl = 193, x = 181, y = 185;
  SegyDomain domain = SegyDomain::automatic;
};

// How the bytes lie, after repairs.
struct SegyLayout {
  ByteOrder order = ByteOrder::big;
  SegyFormat format = SegyFormat::ibm_float32;
  int revision = 0;            // 0, 1 or 2
  int64_t extended_texts = 0;  // text headers of 3200 bytes after the binary header
  int64_t trace_headers = 1;   // of 240 bytes, per trace
  int64_t samples = 0;         // per trace
  int64_t traces = 0;          // whole ones
  int64_t data_start = 0;      // where the first trace header begins
  double interval = 0;         // microseconds between samples, thousandths of a metre or foot of depth; 0: unknown
  double delay = 0;            // milliseconds (metres, feet) of the first trace's first sample
  bool depth = false, feet = false;
  const char* unit() const { return interval == 0 ? "sample" : !depth ? "ms" : feet ? "ft" : "m"; }  // of z
  const char* frequency_unit() const {
    return interval == 0 ? "cycles per sample" : !depth ? "Hz" : feet ? "cycles per 1000 ft" : "cycles/km";
  }
  int64_t trace_bytes() const { return trace_headers * kSegyTraceHeader + samples * bytes_of(format); }
  int64_t trace_start(int64_t trace) const { return data_start + trace * trace_bytes(); }
  int64_t end() const { return trace_start(traces); }
};

using SegyTraceHeader = std::array<std::byte, size_t(kSegyTraceHeader)>;

// Reading is thread-safe: it changes nothing.
class SegyFile {
 public:
  // Throws an Error, one sentence, for what is no SEG-Y file or holds no whole trace.
  explicit SegyFile(const std::filesystem::path& path, const SegyOptions& options = {});
  // The same over bytes in memory, which must outlive it.
  SegyFile(std::string_view bytes, const std::string& shown_name, const SegyOptions& options = {});
  ~SegyFile();
  SegyFile(SegyFile&&) noexcept;
  SegyFile& operator=(SegyFile&&) noexcept;

  const std::string& name() const { return name_; }
  const SegyOptions& options() const { return options_; }
  const SegyLayout& layout() const { return layout_; }
  int64_t traces() const { return layout_.traces; }
  int64_t samples() const { return layout_.samples; }
  int64_t bytes() const;
  const std::vector<std::string>& warnings() const { return warnings_; }  // what was wrong and how it is read
  SegyText text_header() const;
  std::vector<std::byte> binary_header() const;
  int64_t binary(const SegyField& field) const;

  SegyTraceHeader trace_header(int64_t trace) const;
  int64_t header(int64_t trace, const SegyField& field) const;
  struct Position {
    double x, y;
  };
  // Coordinates with their scalar, from options().x and y, or the source's where those two are 0.
  Position position(const SegyTraceHeader& header) const;

  // samples() values of one trace.
  void read_trace(int64_t trace, std::span<float> samples) const;
  // traces.size() * samples() values; -1 stands for a trace that is not there and gives zeros. Neighbours in the file
  // are read together.
  void read_traces(std::span<const int64_t> traces, std::span<float> samples) const;
  // f(trace, header) for every trace, in order.
  template <class F>
  void each_header(F f) const;

  // Throws an Error when the file has shrunk or cannot be read.
  void read_bytes(int64_t from, std::span<std::byte> to) const;

 private:
  class Source;
  void open(const SegyOptions& options);
  bool speaks_of_depth();
  std::unique_ptr<Source> source_;
  std::string name_;
  SegyOptions options_;
  SegyLayout layout_;
  std::vector<std::string> warnings_;
};

namespace detail {
inline constexpr int64_t kSegyBlock = 4 << 20;  // bytes read at a time
// How the bytes of the file lie. Adds to `warnings` what was repaired.
SegyLayout find_layout(const SegyFile& file, std::vector<std::string>& warnings);
}  // namespace detail

template <class F>
void SegyFile::each_header(F f) const {
  // Short traces are read in blocks, samples and all; of long ones the headers alone.
  const int64_t step = layout_.trace_bytes();
  const int64_t together = step > (1 << 14) ? 1 : detail::kSegyBlock / step;
  std::vector<std::byte> block(size_t(together > 1 ? std::min(together, traces()) * step : kSegyTraceHeader));
  for (int64_t first = 0; first < traces(); first += together) {
    const int64_t count = first + together > traces() ? traces() - first : together;
    read_bytes(layout_.trace_start(first),
               std::span(block).first(size_t(together > 1 ? count * step : kSegyTraceHeader)));
    for (int64_t i = 0; i < count; ++i)
      f(first + i, std::span<const std::byte>(block).subspan(size_t(i * step), size_t(kSegyTraceHeader)));
  }
}

}  // namespace kern::data
