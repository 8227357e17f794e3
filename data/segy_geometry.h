// Where the traces of a file lie: lines, cubes with gaps, and what is in between.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/segy.h"

namespace kern::data {

enum class SegyKind {
  line,      // one row of traces: no line numbers, or a path across the grid
  cube,      // inlines by crosslines (either may be one), perhaps with gaps
  prestack,  // several traces of different offsets at most places
};
const char* to_string(SegyKind kind);

// A vertical section. Columns are the survey's, so that parallel sections are equally wide.
struct SegySection {
  bool along_inline = true;     // its traces share the inline `number`, else the crossline
  int number = 0;               // of the line
  std::vector<int> columns;     // crossline (else inline) number of every column; of a line, its traces' numbers
  std::vector<int64_t> traces;  // in the file; -1 where there is none
};

class SegyGeometry {
 public:
  // Reads every trace header; keeps 20 bytes of each.
  explicit SegyGeometry(const SegyFile& file);

  SegyKind kind() const { return kind_; }
  // Ascending, every step of a regular grid even where a whole line is missing. A line is one inline.
  const std::vector<int>& inlines() const { return inlines_; }
  const std::vector<int>& crosslines() const { return crosslines_; }
  int64_t positions() const { return int64_t(places_.size()); }  // with at least one trace
  int64_t gaps() const { return int64_t(inlines_.size() * crosslines_.size()) - positions(); }
  int64_t duplicates() const { return duplicates_; }  // further traces of a position, of equal offset; left out
  int64_t unnumbered() const { return unnumbered_; }  // traces of inline 0, crossline 0 among numbered ones; left out
  struct Range {
    int64_t least = 0, most = 0;
  };
  Range offsets() const { return offsets_; }
  Range delays() const { return delays_; }  // as in the headers
  int64_t dead() const { return dead_; }    // traces that say so (trace identification 2)
  // What does not look right, in sentences.
  const std::vector<std::string>& findings() const { return findings_; }

  // Throws an Error that names the range when there is no such line. Of several traces at a place, the first.
  SegySection inline_section(int number) const;
  SegySection crossline_section(int number) const;
  // The one in the middle that has most columns: an inline, or the crossline where there is only one.
  SegySection middle_section() const;

 private:
  struct Place {
    int32_t inline_number, crossline_number;
    uint32_t trace;
  };
  struct Found;
  void name_odd_things(const SegyFile& file, const Found& found);
  SegyKind kind_ = SegyKind::cube;
  std::vector<int> inlines_, crosslines_;
  std::vector<Place> places_;           // by inline, then crossline
  std::vector<uint32_t> by_crossline_;  // indices into places_, by crossline, then inline
  int64_t duplicates_ = 0, unnumbered_ = 0, dead_ = 0;
  Range offsets_, delays_;
  std::vector<std::string> findings_;
};

// columns * samples values, a column after the other; gaps are zeros.
std::vector<float> read_section(const SegyFile& file, const SegySection& section);

}  // namespace kern::data
