// A page that slices through a cube: an inline, a crossline and a time slice with what was found in them, and a slider
// for each. One HTML file that opens offline; the samples are inside it, packed.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/fault_surfaces.h"

namespace kern::training {

struct CubePage {
  // What the planes along one direction are: plane k is called `name` first + k * step `unit`.
  struct Axis {
    std::string name, unit;
    double first = 0, step = 1;
  };
  std::string title, text;           // text: one sentence below the title
  data::Block size;                  // no side longer than 65535
  std::vector<uint8_t> amplitude;    // [inlines, crosslines, samples], 128 is zero, 255 the greatest peak
  std::vector<uint8_t> probability;  // the same, 255 is 1
  std::array<Axis, 3> axes;          // of inlines, crosslines, samples
  double clear_below = 0.4;          // fault probability that the page begins to show at
};
std::string cube_page(const CubePage& page);

// An amplitude of deviation 1 as a byte of a page: 3 deviations are 255 or 1.
uint8_t amplitude_byte(float amplitude);

}  // namespace kern::training
