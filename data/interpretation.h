// What an interpreter says of a survey, line by line: where faults are, where none are, and where nobody looked.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/segy_geometry.h"

namespace kern::data {

// 1 on a fault, 0, or -1 for what takes no part: values below 0 and no numbers. A fault is what is above 0, or has one
// of fault_values where there are some.
int32_t fault_label(float value, const std::vector<int>& fault_values);

class Interpretation {
 public:
  // An interpreted line: of the survey's inlines(), or of its crosslines().
  struct Line {
    bool along_inline = true;
    int64_t index = 0;
    bool operator==(const Line&) const = default;
    bool operator<(const Line& other) const {  // inlines first
      return along_inline != other.along_inline ? along_inline : index < other.index;
    }
  };
  struct Place {
    int64_t line, column,
        sample;  // line: its index in lines(); column: along it, a crossline of the survey or an inline
  };

  // `labels` is a SEG-Y file of labels, of the whole survey or of some of its lines, whose traces are found by their
  // inline and crossline numbers; or a text of fault sticks, a point a row: X Y Z and the stick's number (as `kern
  // faults predict` writes them, and OpendTect), or INLINE- number XLINE- number X Y Z name number (Charisma), Z in the
  // survey's own unit. A line is interpreted if it shows a fault, and then counts as a whole. SEG-Y: lines are inlines
  // or crosslines, whichever are fewer. Sticks: the line that each follows; what follows none is left out, with a
  // warning. Errors: no such file, no fault in it, sticks outside the survey, other samples than the survey's.
  Interpretation(const std::filesystem::path& labels, const SegyOptions& places, std::vector<int> fault_values,
                 const SegyFile& survey, const SegyGeometry& geometry);

  const std::vector<Line>& lines() const { return lines_; }     // inlines first, in order of their numbers
  const std::vector<Place>& faults() const { return faults_; }  // samples on faults, of many a random choice
  int64_t fault_samples() const { return fault_samples_; }      // all of them

  // The labels of a survey's trace at (row of inlines, column of crosslines), samples() of them. Thread-safe.
  void read(int64_t row, int64_t column, std::span<int8_t> labels) const;

 private:
  using Section = std::vector<int8_t>;  // [columns, samples]
  void scan_segy(const SegyFile& survey, const SegyGeometry& geometry);
  void read_sticks(const std::filesystem::path& path, const SegyFile& survey, const SegyGeometry& geometry);
  void keep(Place place);

  std::string name_;
  std::vector<int> fault_values_;
  std::vector<Line> lines_;
  std::vector<Place> faults_;
  int64_t fault_samples_ = 0;
  std::vector<bool> rows_, columns_;  // interpreted as a whole
  // SEG-Y: the file and its trace at (row, column) of the survey, -1 for none.
  std::optional<SegyFile> file_;
  std::vector<int64_t> traces_;
  // Sticks: what is drawn on a line.
  std::map<Line, Section> drawn_;
  int64_t width_ = 0, samples_ = 0;  // crosslines of the survey, samples of a trace
};

}  // namespace kern::data
