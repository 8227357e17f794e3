#include "data/survey_pieces.h"

#include <algorithm>
#include <cmath>

#include "data/fault_sections.h"
#include "data/survey_map.h"
#include "kernels/common/error.h"

namespace kern::data {
namespace {

constexpr double kRoom = 1.5;  // side of what is read over that of a piece, for turns and stretches

// Lines `from` to `from + count` of a direction that has `all` of them, round `middle`.
int64_t first_of(int64_t middle, int64_t count, int64_t all) {
  return std::clamp(middle - count / 2, int64_t(0), all - count);
}

}  // namespace

SurveyPieces::SurveyPieces(const SurveyFiles& files)
    : survey_(files.survey, files.places),
      geometry_(survey_),
      validates_row_(geometry_.inlines().size()),
      validates_column_(geometry_.crosslines().size()),
      scale_(amplitude_scale_of(survey_)) {
  check(geometry_.kind() != SegyKind::prestack, files.survey, " is prestack: survey= needs stacked traces");
  if (files.labels.empty()) return;
  interpretation_.emplace(files.labels, files.places, files.fault_values, survey_, geometry_);
  const std::vector<Interpretation::Line>& lines = interpretation_->lines();
  for (const bool along_inline : {true, false}) {
    std::vector<int64_t> own;
    for (size_t l = 0; l < lines.size(); ++l)
      if (lines[l].along_inline == along_inline) own.push_back(int64_t(l));
    const size_t kept = own.size() - own.size() / 5;
    for (size_t i = 0; i < own.size(); ++i) {
      chosen_[i < kept ? 0 : 1].push_back(own[i]);
      if (i >= kept) (along_inline ? validates_row_ : validates_column_)[size_t(lines[size_t(own[i])].index)] = true;
    }
  }
  for (const Interpretation::Place& p : interpretation_->faults())
    for (size_t part = 0; part < 2; ++part)
      if (std::binary_search(chosen_[part].begin(), chosen_[part].end(), p.line)) faults_[part].push_back(p);
}

void SurveyPieces::expect_room(const Block& piece, bool along_lines) const {
  const auto rows = int64_t(geometry_.inlines().size()), columns = int64_t(geometry_.crosslines().size());
  // Lines are repeated at an edge, so that there are always enough of them.
  const int64_t along = along_lines ? std::max(rows, columns) : columns;
  check((along_lines || rows >= piece.inlines) && along >= piece.crosslines && survey_.samples() >= piece.samples,
        survey_.name(), " is too small for pieces of ", piece.inlines, " x ", piece.crosslines, " x ", piece.samples,
        " (inlines x crosslines x samples): it has ", rows, " x ", columns, " x ", survey_.samples(),
        "; give a smaller crop=");
}

SyntheticVolume SurveyPieces::interpreted_piece(const Block& size, bool along_lines, Part part,
                                                RandomSequence& random) const {
  internal_check(interpretation_ && lines(part) > 0, "no interpreted line of this part");
  const std::vector<Interpretation::Place>& faults = faults_[size_t(part)];
  const auto& lines = interpretation_->lines();
  Interpretation::Place at{};
  const bool on_fault = random.uniform() < 0.5f && !faults.empty();
  const uint32_t any = random.next();
  if (on_fault) {
    at = faults[any % faults.size()];
  } else {
    const std::vector<int64_t>& chosen = chosen_[size_t(part)];
    at.line = chosen[any % chosen.size()];
    const size_t columns = lines[size_t(at.line)].along_inline ? validates_column_.size() : validates_row_.size();
    at.column = random.below(uint32_t(columns)), at.sample = random.below(uint32_t(survey_.samples()));
  }
  const Interpretation::Line& line = lines[size_t(at.line)];
  const Spot spot =
      line.along_inline ? Spot{line.index, at.column, at.sample, true} : Spot{at.column, line.index, at.sample, false};
  return window(size, along_lines, spot, part);
}

SyntheticVolume SurveyPieces::any_piece(const Block& size, bool along_lines, RandomSequence& random) const {
  const auto rows = int64_t(validates_row_.size()), columns = int64_t(validates_column_.size());
  const bool either = random.uniform() < 0.5f;
  const Spot spot{random.below(uint32_t(rows)), random.below(uint32_t(columns)),
                  random.below(uint32_t(survey_.samples())),
                  rows < size.crosslines || (columns >= size.crosslines && either)};
  return window(size, along_lines, spot, std::nullopt);
}

SyntheticVolume SurveyPieces::window(const Block& size, bool along_lines, const Spot& spot,
                                     std::optional<Part> part) const {
  const auto rows = int64_t(validates_row_.size()), columns = int64_t(validates_column_.size());
  // A cube lies as the survey does: its lines are inlines.
  const bool along_inline = !along_lines || spot.along_inline;
  const int64_t all_lines = along_inline ? rows : columns, all_traces = along_inline ? columns : rows,
                line = along_inline ? spot.row : spot.column, trace = along_inline ? spot.column : spot.row;
  const auto roomy = [](int64_t n, int64_t all) { return std::min(all, int64_t(std::ceil(kRoom * double(n)))); };
  SyntheticVolume v{.inlines = along_lines ? size.inlines : roomy(size.inlines, all_lines),
                    .crosslines = roomy(size.crosslines, all_traces),
                    .samples = roomy(size.samples, survey_.samples())};
  internal_check(v.crosslines >= size.crosslines && v.samples >= size.samples && v.inlines >= size.inlines,
                 "a piece larger than its survey");
  const int64_t first_line = along_lines ? line - size.inlines / 2 : first_of(line, v.inlines, all_lines),
                first_trace = first_of(trace, v.crosslines, all_traces),
                top = first_of(spot.sample, v.samples, survey_.samples());
  const auto all_samples = size_t(survey_.samples());
  std::vector<float> values(size_t(v.crosslines) * all_samples);
  std::vector<int8_t> labels(all_samples);
  for (int64_t l = 0; l < v.inlines; ++l) {
    const int64_t number = std::clamp(first_line + l, int64_t(0), all_lines - 1);
    const SegySection s = along_inline ? geometry_.inline_section(geometry_.inlines()[size_t(number)])
                                       : geometry_.crossline_section(geometry_.crosslines()[size_t(number)]);
    const std::span<const int64_t> traces = std::span(s.traces).subspan(size_t(first_trace), size_t(v.crosslines));
    survey_.read_traces(traces, values);
    for (int64_t x = 0; x < v.crosslines; ++x) {
      const int64_t row = along_inline ? number : first_trace + x, column = along_inline ? first_trace + x : number;
      const bool validates = validates_row_[size_t(row)] || validates_column_[size_t(column)];
      std::fill(labels.begin(), labels.end(), int8_t(0));
      if (part && validates == (*part == Part::validation)) interpretation_->read(row, column, labels);
      else if (part) std::fill(labels.begin(), labels.end(), int8_t(-1));
      const bool there = traces[size_t(x)] >= 0;
      for (int64_t k = top; k < top + v.samples; ++k) {
        const float a = values[size_t(x) * all_samples + size_t(k)];
        v.amplitude.push_back(std::isfinite(a) ? a : 0.0f);
        v.label.push_back(there ? labels[size_t(k)] : int8_t(-1));
      }
    }
  }
  scale_amplitudes(v.amplitude, scale_);
  return v;
}

}  // namespace kern::data
