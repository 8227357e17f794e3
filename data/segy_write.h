// SEG-Y out: the copy of a file with other samples, or a file made from nothing.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/segy.h"
#include "engine/atomic_file.h"

namespace kern::data {

// first, first + step, ..: `count` lines.
struct SegyLines {
  int first = 1, step = 1;
  int64_t count = 1;
};
// A file made from nothing: revision 1, big-endian. Trace i is inline i / crosslines.count, crossline i %
// crosslines.count. Coordinates are metres; the inline number grows northwards, the crossline number eastwards.
struct SegyGrid {
  SegyLines inlines, crosslines;
  int64_t samples = 0;            // 1 .. 65535
  double interval = 4000;         // whole microseconds, 1 .. 32767
  int delay = 0;                  // milliseconds of the first sample
  double spacing = 25;            // metres between neighbouring lines
  double x = 0, y = 0;            // of the first trace
  std::vector<std::string> text;  // lines for the text header; those that name byte places are added
};

// The file appears whole, at commit(), or not at all.
class SegyWriter {
 public:
  // A copy: text, binary and extended headers, every trace header and trailer as they are, byte for byte, but for
  //  - the samples,
  //  - the sample format (bytes 3225-3226): `format` if given or where the original's is neither 1 nor 5, else as read,
  //  - bytes 169-170 of every trace header, which become 0 (OpendTect multiplies samples by two to that power).
  //  - a line of the text header that was free, which gets `processing` if that is not empty.
  // The original must outlive the writer. A trace that the original cuts short is left out.
  // shared: by all ranks together, each of which writes some of the traces; commit() is called by all.
  SegyWriter(const std::filesystem::path& path, const SegyFile& original, std::optional<SegyFormat> format = {},
             std::string_view processing = {}, AtomicFile::Temporary temporary = AtomicFile::Temporary::unnamed);
  // Throws an Error that names what is out of range.
  SegyWriter(const std::filesystem::path& path, const SegyGrid& grid, SegyFormat format = SegyFormat::float32);

  int64_t traces() const { return traces_; }
  int64_t samples() const { return samples_; }
  SegyFormat format() const { return format_; }
  // samples() values of one trace, in any order of traces. Not thread-safe.
  void write_trace(int64_t trace, std::span<const float> samples);
  // Throws an InternalError when a trace is missing.
  void commit();

 private:
  void write_header(std::string_view processing);
  int64_t trace_bytes() const { return trace_headers_ * kSegyTraceHeader + samples_ * bytes_of(format_); }
  AtomicFile file_;
  bool shared_ = false;
  const SegyFile* original_ = nullptr;
  SegyGrid grid_;
  ByteOrder order_ = ByteOrder::big;
  SegyFormat format_ = SegyFormat::float32;
  int64_t data_start_ = kSegyText + kSegyBinary, trace_headers_ = 1, traces_ = 0, samples_ = 0, missing_ = 0;
  std::vector<bool> written_;
  std::vector<std::byte> trace_;  // header and samples, as they go out
};

}  // namespace kern::data
