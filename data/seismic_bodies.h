// What is no fault in synthetic seismic, and looks like one to whoever has not seen it: unconformities, channels,
// chaotic bodies, strong amplitudes that end abruptly, salt and gas. None of them is ever labelled.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "data/seismic_draw.h"
#include "data/seismic_layers.h"

namespace kern::data {

// The rock along a trace, n places from the top down.
struct Rock {
  explicit Rock(int64_t places)
      : x(size_t(places)), y(x), z(x), depth(x), gain(x), edge(x), distance(x), kind(size_t(places)), n(places) {}
  // Where it was before the faults: crossline, inline, sample; and at which depth it was laid down.
  std::vector<float> x, y, z, depth;
  std::vector<float> gain;      // of its reflections
  std::vector<float> edge;      // how far from the nearest edge of a body, inside it or outside; any unit
  std::vector<float> distance;  // from the nearest fault
  std::vector<uint8_t> kind;    // 0: layers; else the number of the body
  int64_t n;
};

// An erosion: older layers and faults end at it, younger layers lie above.
class Unconformity {
 public:
  static constexpr uint8_t kYoung = 1;
  // margin: how far faults carry. Nothing where the volume has none.
  static std::optional<Unconformity> of(const SyntheticSeismic& options, int64_t index, double margin);
  int64_t old_faults(int64_t faults) const { return int64_t(double(faults) * old_share_); }  // of them
  float at(float x, float y) const { return level_ + relief_.at(x, y) + tilt_x_ * x + tilt_y_ * y; }
  // At which depth the young layer of a place above it was laid down.
  float young_depth(float x, float y, float z) const {
    return z - conformity_ * (at(x, y) - level_) - young_x_ * x - young_y_ * y;
  }
  double reach() const { return reach_; }  // how far young depths may leave the volume

 private:
  Unconformity(const SyntheticSeismic& options, RandomSequence& random, double margin);
  Relief relief_;
  float level_ = 0, tilt_x_ = 0, tilt_y_ = 0, conformity_ = 0, young_x_ = 0, young_y_ = 0;
  double old_share_ = 0, reach_ = 0;
};

class Bodies {
 public:
  Bodies(const SyntheticSeismic& options, int64_t index);
  Bodies(Bodies&&) noexcept;
  ~Bodies();
  // Salt lifts the layers round it.
  void lift(Folds& folds) const;
  // Bodies laid down with the layers, and cut by faults as they are: by depth of deposition.
  void deposit(Rock& rock) const;
  // Those that came last, at the trace (x, y) as it is now; z of the first place is `top`. Salt has no faults.
  void intrude(Rock& rock, double x, double y, double top) const;
  double reach() const;                // how far they may carry depths
  float contrast(uint8_t kind) const;  // of a body's rock to what lies round it
  // How much of its edge's reflection at a place is seen: of a steep flank little.
  float seen(uint8_t kind, float x, float y, float z) const;

 private:
  struct Channel;
  struct Lens;  // chaotic or bright
  struct Salt;
  struct Chimney;
  std::vector<Channel> channels_;
  std::vector<Lens> lenses_;
  std::vector<Salt> salt_;
  std::vector<Chimney> chimneys_;
  std::unique_ptr<Turbulence> turbulence_;
};

}  // namespace kern::data
