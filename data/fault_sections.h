// Sections with faults as training data, made on the way; the amplitudes' scale that networks see.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "data/image.h"
#include "data/section_windows.h"
#include "data/seismic_synthetic.h"
#include "data/share.h"

namespace kern::data {

// What amplitudes are divided by before a network sees them: the root mean square of those that are finite and not 0,
// without the loudest hundredth. 1 where nothing is left. Whole volumes have one.
double amplitude_scale(std::span<const float> amplitudes);
inline constexpr float kLoudest = 5;                               // scaled amplitudes are clipped to +-this
void scale_amplitudes(std::span<float> amplitudes, double scale);  // what is not finite becomes 0

// Automatic gain control: every sample divided by the root mean square of the `window` samples round it. What is not
// finite counts as 0.
void gain_control(std::span<float> trace, int64_t window);

// An image as a section: dark is positive, time runs downwards; gain control over so many pixels, 0: none. [W,H]
std::vector<float> section_of_image(const Image& grey, int64_t gain);

struct SectionBatch {
  int64_t N = 0, H = 0, W = 0;  // H crosslines, W samples
  std::vector<float> inputs;    // [N,H,W], scaled
  std::vector<int32_t> labels;  // [N,H,W] 1 on a fault, else 0
  Whole whole;
};

struct SectionOptions {
  SyntheticSeismic synthetic;  // inlines 1
  // Sections of a user's own with faults cut into them; none: layers are made.
  std::shared_ptr<const SectionWindows> windows;
  SectionWindows::Part part = SectionWindows::Part::whole;
  int64_t sections = 1000;  // of an epoch
  int64_t batch = 16;
  bool fresh = true;    // every epoch has sections of its own; false: all have those of the first
  bool augment = true;  // sections turned left to right and of reversed polarity, each by chance
};

// What data::DataLoader takes. A section depends on (the generator's options and seed, the windows, epoch, number) alone;
// batches can be asked for in any order and from several threads.
class FaultSections {
 public:
  explicit FaultSections(const SectionOptions& options);  // Error for options out of range
  int64_t size() const { return (options_.sections + options_.batch - 1) / options_.batch; }
  int64_t sections() const { return options_.sections; }
  const SectionOptions& options() const { return options_; }
  struct Epoch {
    int64_t number = 0;
  };
  Epoch epoch(int64_t number) const { return {number}; }
  SectionBatch batch(const Epoch& epoch, int64_t index, const Share& share = {}) const;

 private:
  SectionOptions options_;
};

}  // namespace kern::data
