// Cubes with faults as training data for networks in three dimensions, and a few neighbouring lines for networks in
// two and a half. Made on the way; several crops are cut from every made cube, so that making stays cheap.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/section_windows.h"
#include "data/seismic_augment.h"
#include "data/seismic_synthetic.h"
#include "data/share.h"
#include "data/survey_pieces.h"

namespace kern::data {

struct CubeBatch {
  int64_t N = 0, D = 0, H = 0, W = 0;  // D inlines, H crosslines, W samples
  // [N,D,H,W], scaled; with lines > 0 [N,H,W,lines]: neighbouring inlines are channels (D is 1).
  std::vector<float> inputs;
  // [N,D,H,W] 1 on a fault, 0, or -1 where nobody knows; with lines > 0 [N,H,W], of the middle line. Of pieces without
  // labels 0, or -1 where there is no trace.
  std::vector<int32_t> labels;
  std::vector<float> strong;  // with a second view: the inputs of it
  Whole whole;
};

// What of a batch is cut from a user's own survey instead of made.
struct OwnPieces {
  std::shared_ptr<const SurveyPieces> survey = {};
  SurveyPieces::Part part = SurveyPieces::Part::training;
  double share = 0;      // of the pieces of an epoch
  bool labelled = true;  // round what was interpreted; false: anywhere, without labels
  // A second view of each for semi-supervised methods: in the same place, of other amplitudes.
  std::optional<SeismicAugmentation> strong = {};
};

struct CubeOptions {
  SyntheticSeismic synthetic{.inlines = 128};  // of the made cube
  // Cubes of a user's own with faults cut into them; none: layers are made.
  std::shared_ptr<const SectionWindows> windows = {};
  SectionWindows::Part part = SectionWindows::Part::whole;
  OwnPieces own = {};
  Block crop{64, 64, 64};  // inlines, crosslines, samples; none more than the made cube has
  int64_t lines = 0;       // > 0, odd: crops of so many inlines instead, as channels
  int64_t uses = 8;        // crops cut from a made cube
  int64_t cubes = 1000;    // crops of an epoch
  int64_t batch = 4;
  bool fresh = true;  // every epoch has cubes of its own; false: all have those of the first
  bool augment = true;
  SeismicAugmentation augmentation = {};
};

// What data::DataLoader takes. A crop depends on (the generator's options and seed, the windows, epoch, number) alone;
// batches can be asked for in any order and from several threads. The crops of a batch come from as many cubes, each of
// which serves `uses` batches in a row; a few are kept for that. Amplitudes are scaled by one number per made cube
// (amplitude_scale), as prediction scales whole volumes.
class FaultCubes {
 public:
  explicit FaultCubes(const CubeOptions& options);  // Error for options out of range
  int64_t size() const { return (options_.cubes + options_.batch - 1) / options_.batch; }
  int64_t cubes() const { return options_.cubes; }
  const CubeOptions& options() const { return options_; }
  struct Epoch {
    int64_t number = 0;
  };
  Epoch epoch(int64_t number) const { return {number}; }
  CubeBatch batch(const Epoch& epoch, int64_t index, const Share& share = {}) const;

 private:
  struct Kept;
  std::shared_ptr<const SyntheticVolume> made(int64_t number) const;
  SeismicCrop own_crop(RandomSequence& random) const;
  CubeOptions options_;
  std::shared_ptr<Kept> kept_;
};

}  // namespace kern::data
