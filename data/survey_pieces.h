// Pieces of a user's own survey as training data: round places that an interpreter looked at, with labels there, or
// anywhere, without.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/fault_surfaces.h"
#include "data/interpretation.h"
#include "data/seismic_synthetic.h"
#include "engine/random.h"

namespace kern::data {

struct SurveyFiles {
  std::string survey;             // SEG-Y
  std::string labels = {};        // as data::Interpretation takes them; empty: nobody looked
  std::vector<int> fault_values;  // of labels in SEG-Y; empty: all above 0
  SegyOptions places = {};
};

class SurveyPieces {
 public:
  enum class Part { training, validation };

  // Reads the headers, traces for the scale of the amplitudes, and all labels. Errors: those of SegyFile and Interpretation;
  // prestack.
  explicit SurveyPieces(const SurveyFiles& files);

  const std::string& name() const { return survey_.name(); }
  int64_t traces() const { return survey_.traces(); }
  // Interpreted lines of a part. The last fifth of the inlines among them validates, and of the crosslines, where there
  // are at least five; what lies on those lines is never shown to a training.
  int64_t lines(Part part) const { return int64_t(chosen_[size_t(part)].size()); }
  bool interpreted() const { return interpretation_.has_value(); }

  // Throws an Error where the survey is smaller than a piece; as below, along_lines: size.inlines lines side by side.
  void expect_room(const Block& piece, bool along_lines) const;

  // A volume that holds a piece of `size` with room round it, as far as the survey has it: half of them round a fault
  // of an interpreted line of the part, half round any place of such a line. size.inlines lines next to each other along
  // the interpreted line where `along_lines`, with that line in the middle, one line more than once at the survey's
  // edge; else a cube that lies as the survey does. Amplitudes are scaled as prediction scales them; labels are -1 where
  // nobody looked, on lines of the other part, and where there is no trace.
  SyntheticVolume interpreted_piece(const Block& size, bool along_lines, Part part, RandomSequence& random) const;
  // The same round any place of the survey, along inlines or crosslines: labels are 0, or -1 where there is no trace.
  SyntheticVolume any_piece(const Block& size, bool along_lines, RandomSequence& random) const;

 private:
  struct Spot {
    int64_t row, column, sample;
    bool along_inline;
  };
  SyntheticVolume window(const Block& size, bool along_lines, const Spot& spot, std::optional<Part> part) const;

  SegyFile survey_;
  SegyGeometry geometry_;
  std::optional<Interpretation> interpretation_;
  std::vector<int64_t> chosen_[2];                // lines of the interpretation, by part
  std::vector<Interpretation::Place> faults_[2];  // on them
  std::vector<bool> validates_row_, validates_column_;
  double scale_ = 1;
};

}  // namespace kern::data
