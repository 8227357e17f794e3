// Strong views of windows of logs: the same rock, badly measured. What consistency methods train against.
#pragma once
#include <cstdint>
#include <vector>

#include "data/well.h"
#include "engine/random.h"

namespace kern::data {

// In the normalisation's units where a number measures a curve's values. What moves samples (stretch, reverse) moves
// all curves together.
struct StrongView {
  double gain = 0.2;   // each curve times 1 + g, g uniform in +-gain
  double drift = 0.5;  // plus a slow wave of up to this height, one period or less over the window, each curve its own
  double noise = 0.2;  // plus noise of this deviation
  double stretch = 0.2;  // depth stretched about the window's middle by a factor within 1/(1+s) .. 1+s
  double hide = 0.15;    // this share of the samples, in stretches of 4 to 32, is hidden: 0, and missing in the mask
  bool reverse = false;  // turned over in half of the windows: only where a facies read upwards is the same facies
};
// Throws an Error naming what is out of range.
void check_options(const StrongView& options);

struct ViewOfWindow {
  std::vector<float> inputs;    // [length, channels]
  std::vector<int32_t> origin;  // [length] the sample of the window that each shows; -1: none, it lies outside
};
// Of inputs [length, channels]: `curves` values and, with a mask, as many mask channels after them. What is missing
// stays missing; values between two measured samples are linear.
ViewOfWindow strong_view(const float* inputs, int64_t length, int64_t curves, bool mask, const StrongView& options,
                         RandomSequence& random);

// Which of the curves a tool did not run: each with this probability, but not the last one that would be left (drawn).
std::vector<char> drawn_curves(int64_t curves, double probability, RandomSequence& random);
// Those are missing throughout: 0, and 0 in the mask. inputs [length, channels] as above.
void hide_curves(float* inputs, int64_t length, int64_t curves, bool mask, const std::vector<char>& hidden);

}  // namespace kern::data
