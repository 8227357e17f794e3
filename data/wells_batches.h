// Batches of windows of wells for 1-D networks, in an order that depends on (seed, epoch) alone.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/share.h"
#include "data/wells_normalise.h"
#include "data/wells_views.h"

namespace kern::data {

struct WellBatch {
  int64_t N = 0, L = 0, C = 0;
  std::vector<float> inputs;     // [N, L, C]; 0 in padded samples, whose mask channels are 0 too
  std::vector<int32_t> labels;   // [N, L]; kUnlabelled in padded and unlabelled samples
  std::vector<int64_t> wells;    // [N] which well, as an index into the vector given to WellBatches
  std::vector<int64_t> starts;   // [N] the well's sample in column 0
  std::vector<int64_t> lengths;  // [N] samples that are not padding
  std::vector<float> strong;     // [N, L, C] the strong view of the inputs, where one was asked for
  std::vector<int32_t> origin;   // [N, L] the column of the inputs that each of its columns shows, -1: none
  Whole whole;
};

// What happens to the curves of a training window, anew in every epoch and different for every window and curve, in the
// normalisation's units: value (1 + g) + s + n with g and s constant over the window, n drawn for every sample. Then
// what a strong view does by the same names (data/wells_views.h): the labels move with the samples.
struct Augmentation {
  double gain = 0;   // g is uniform in +-gain
  double shift = 0;  // s is uniform in +-shift
  double noise = 0;  // n is normal with this deviation
  double drift = 0, stretch = 0, hide = 0;
  double hide_curve = 0;  // each curve of a window is missing throughout with this probability; one stays
  bool any() const { return gain > 0 || shift > 0 || noise > 0; }
  bool any_view() const { return drift > 0 || stretch > 0 || hide > 0; }
};

struct BatchOptions {
  int64_t batch = 16;
  int64_t window = 0;   // samples; 0: whole wells, each batch padded to its longest
  bool shuffle = true;  // new order every epoch, and windows at random places; false: in order, windows side by side
  uint64_t seed = 0;
  Augmentation augmentation;
  bool anywhere = false;             // windows outside the labelled stretch as well: labels place nothing
  std::optional<StrongView> strong;  // a second view of every window, made from the augmented one
};

// A well of L samples gives ceil(L / window) windows per epoch: at random within its labelled stretch when shuffling,
// otherwise one after the other so that every sample comes exactly once (the last window is padded). Whole wells of
// similar length share a batch. Batches can be asked for in any order and from several threads.
class WellBatches {
 public:
  // `which` are the wells to use. Their inputs are prepared once, here. Throws an Error for options out of range, no
  // wells.
  WellBatches(const std::vector<Well>& wells, std::span<const int64_t> which, const Normalisation& normalisation,
              const BatchOptions& options);
  int64_t size() const { return (int64_t(windows_.size()) + options_.batch - 1) / options_.batch; }  // batches an epoch
  int64_t windows() const { return int64_t(windows_.size()); }
  int64_t channels() const { return channels_; }
  int64_t longest() const;  // samples of the longest window
  // The order of one epoch, to be made once and used for all its batches.
  struct Epoch {
    uint32_t number;
    std::vector<std::vector<int64_t>> batches;  // window numbers
  };
  Epoch epoch(int64_t number) const;
  WellBatch batch(const Epoch& epoch, int64_t index, const Share& share = {}) const;

 private:
  struct Source {
    int64_t well, length, first_label, last_label;  // the labelled stretch; the whole well when it has no label
    std::vector<float> inputs;                      // [length, channels]
    std::vector<int32_t> labels;                    // [length]
  };
  struct Window {
    int64_t source, start;  // start: when not shuffling
  };
  int64_t start_of(const Epoch& epoch, int64_t window) const;
  int64_t length_of(int64_t window) const;
  void augment(float* inputs, int32_t* labels, int64_t length, const Epoch& epoch, int64_t window) const;
  BatchOptions options_;
  int64_t channels_, curves_;
  bool mask_;
  std::vector<Source> sources_;
  std::vector<Window> windows_;
};

}  // namespace kern::data
