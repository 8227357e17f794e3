#include "data/segy_write.h"

#include <algorithm>
#include <cmath>

#include "engine/agreement.h"
#include "engine/communicator.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr int kCoordinateScalar = -10;  // decimetres

// Copies a stretch of the original in blocks.
void copy_bytes(const SegyFile& from, int64_t begin, int64_t end, AtomicFile& to, int64_t at) {
  std::vector<std::byte> block;
  while (begin < end) {
    block.resize(size_t(std::min<int64_t>(end - begin, 1 << 20)));
    from.read_bytes(begin, block);
    to.write_at(at, block.data(), block.size());
    begin += int64_t(block.size()), at += int64_t(block.size());
  }
}

void check_grid(const SegyGrid& g) {
  check(g.samples >= 1 && g.samples <= 65535, "a SEG-Y trace holds 1 to 65535 samples, not ", g.samples);
  check(g.interval >= 1 && g.interval <= 32767 && g.interval == std::floor(g.interval),
        "the sample interval of a SEG-Y file is 1 to 32767 whole microseconds, not ", g.interval);
  check(g.delay >= -32768 && g.delay <= 32767, "the first sample of a SEG-Y file is at -32768 to 32767 ms, not ",
        g.delay);
  for (const SegyLines* l : {&g.inlines, &g.crosslines}) {
    check(l->count >= 1 && l->count <= 1000000 && l->step != 0, "a SEG-Y grid needs 1 to 1000000 lines, not ",
          l->count);
    const double last = double(l->first) + double(l->step) * double(l->count - 1);
    check(std::abs(last) < 2147483647.0, "line numbers of a SEG-Y file fit 32 bits; ", last, " does not");
  }
  const double reach = std::max(std::abs(g.x), std::abs(g.y)) +
                       std::abs(g.spacing) * double(std::max(g.inlines.count, g.crosslines.count));
  check(reach < 2e8, "coordinates of a SEG-Y file are below 200000 km; ", reach, " m is not");
}

std::vector<std::string> text_of(const SegyGrid& g, SegyFormat format) {
  std::vector<std::string> lines = g.text;
  lines.resize(std::min<size_t>(lines.size(), 30));
  lines.push_back("");
  lines.push_back(text("SAMPLES: ", g.samples, " AT ", g.interval, " MICROSECONDS, ", to_string(format)));
  lines.push_back(text("INLINES ", g.inlines.first, " TO ", g.inlines.first + g.inlines.step * (g.inlines.count - 1),
                       ", CROSSLINES ", g.crosslines.first, " TO ",
                       g.crosslines.first + g.crosslines.step * (g.crosslines.count - 1)));
  lines.push_back("INLINE IN BYTES 189-192 AND 9-12, CROSSLINE IN BYTES 193-196 AND 21-24");
  lines.push_back("X IN BYTES 181-184 AND 73-76, Y IN BYTES 185-188 AND 77-80, SCALED BY 71-72");
  lines.resize(38);
  lines.push_back("SEG Y REV1");
  lines.push_back("END TEXTUAL HEADER");
  for (size_t i = 0; i < lines.size(); ++i) lines[i] = text(i < 9 ? "C " : "C", i + 1, " ", lines[i]);
  return lines;
}

}  // namespace

SegyWriter::SegyWriter(const std::filesystem::path& path, const SegyFile& original, std::optional<SegyFormat> format,
                       std::string_view processing, AtomicFile::Temporary temporary)
    : file_(path, temporary), shared_(temporary == AtomicFile::Temporary::shared), original_(&original) {
  const SegyLayout& l = original.layout();
  const bool keep = l.format == SegyFormat::ibm_float32 || l.format == SegyFormat::float32;
  format_ = format.value_or(keep ? l.format : SegyFormat::float32);
  order_ = l.order;
  data_start_ = l.data_start, trace_headers_ = l.trace_headers, traces_ = l.traces, samples_ = l.samples;
  missing_ = traces_;
  written_.assign(size_t(traces_), false);
  trace_.resize(size_t(trace_bytes()));
  if (!shared_ || communicator().root()) write_header(processing);
}

void SegyWriter::write_header(std::string_view processing) {
  const SegyFile& original = *original_;
  const SegyLayout& l = original.layout();
  if (shared_) file_.extend(data_start_ + traces_ * trace_bytes());
  copy_bytes(original, 0, l.data_start, file_, 0);
  if (!processing.empty()) {
    std::vector<std::byte> header((size_t(kSegyText)));
    original.read_bytes(0, header);
    if (add_text_line(header, processing)) file_.write_at(0, header.data(), header.size());
  }
  // The original may claim another format than it is read in.
  if (original.binary(binary_field::format) != int64_t(format_)) {
    std::vector<std::byte> binary = original.binary_header();
    put_field(binary, binary_field::format, order_, int(format_));
    file_.write_at(kSegyText, binary.data(), binary.size());
  }
  // Trailer stanzas are whole text headers after the last trace; anything else there is a trace cut short.
  if (l.revision == 2 && (original.bytes() - l.end()) % kSegyText == 0)
    copy_bytes(original, l.end(), original.bytes(), file_, data_start_ + traces_ * trace_bytes());
}

SegyWriter::SegyWriter(const std::filesystem::path& path, const SegyGrid& grid, SegyFormat format)
    : file_(path), grid_(grid), format_(format) {
  check_grid(grid);
  samples_ = grid.samples;
  traces_ = grid.inlines.count * grid.crosslines.count;
  const std::vector<std::byte> header_text = write_text_header(text_of(grid, format));
  std::vector<std::byte> binary((size_t(kSegyBinary)));
  const auto put = [&](const SegyField& field, int64_t value) { put_field(binary, field, order_, value); };
  put(binary_field::line, grid.inlines.first);
  put(binary_field::ensemble_traces, 1);
  put(binary_field::interval, int64_t(grid.interval));
  put(binary_field::original_interval, int64_t(grid.interval));
  put(binary_field::samples, samples_);
  put(binary_field::original_samples, samples_);
  put(binary_field::format, int(format));
  put(binary_field::fold, 1);
  put(binary_field::sorting, 4);
  put(binary_field::measurement, 1);
  put(binary_field::major_revision, 1);
  put(binary_field::fixed_length, 1);
  file_.write_at(0, header_text.data(), header_text.size());
  file_.write_at(kSegyText, binary.data(), binary.size());
  missing_ = traces_;
  written_.assign(size_t(traces_), false);
  trace_.resize(size_t(trace_bytes()));
}

void SegyWriter::write_trace(int64_t trace, std::span<const float> samples) {
  internal_check(trace >= 0 && trace < traces_ && int64_t(samples.size()) == samples_, "trace ", trace, " of ", traces_,
                 " with ", samples.size(), " of ", samples_, " samples");
  const std::span<std::byte> header = std::span(trace_).first(size_t(trace_headers_ * kSegyTraceHeader));
  const auto put = [&](const SegyField& field, int64_t value) { put_field(header, field, order_, value); };
  if (original_ != nullptr) {
    original_->read_bytes(original_->layout().trace_start(trace), header);
  } else {
    const int64_t i = trace / grid_.crosslines.count, j = trace % grid_.crosslines.count;
    const int64_t il = grid_.inlines.first + grid_.inlines.step * i;
    const int64_t xl = grid_.crosslines.first + grid_.crosslines.step * j;
    const auto x = int64_t(std::llround((grid_.x + grid_.spacing * double(j)) * -kCoordinateScalar));
    const auto y = int64_t(std::llround((grid_.y + grid_.spacing * double(i)) * -kCoordinateScalar));
    put(trace_field::line_sequence, j + 1);
    put(trace_field::file_sequence, trace + 1);
    put(trace_field::field_record, il);
    put(trace_field::record_trace, j + 1);
    put(trace_field::ensemble, xl);
    put(trace_field::ensemble_trace, 1);
    put(trace_field::identification, 1);
    put(trace_field::coordinate_scalar, kCoordinateScalar);
    put(trace_field::source_x, x);
    put(trace_field::source_y, y);
    put(trace_field::coordinate_units, 1);
    put(trace_field::delay, grid_.delay);
    put(trace_field::samples, samples_);
    put(trace_field::interval, int64_t(grid_.interval));
    put(trace_field::ensemble_x, x);
    put(trace_field::ensemble_y, y);
    put(trace_field::inline_number, il);
    put(trace_field::crossline_number, xl);
  }
  put(trace_field::weighting, 0);
  encode_samples(format_, order_, samples, trace_.data() + header.size());
  file_.write_at(data_start_ + trace * trace_bytes(), trace_.data(), trace_.size());
  if (!written_[size_t(trace)]) --missing_;
  written_[size_t(trace)] = true;
}

void SegyWriter::commit() {
  int64_t missing = missing_;
  if (shared_) {
    missing = traces_;
    for (const std::string& written : agree(std::to_string(traces_ - missing_))) missing -= std::stoll(written);
  }
  internal_check(missing == 0, missing, " of ", traces_, " traces were never written");
  file_.commit();
}

}  // namespace kern::data
