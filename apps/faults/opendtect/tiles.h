// Sections out of single traces: a network needs neighbours, OpendTect asks for one trace at a time with a window of
// columns round it. A tile of columns is computed when the first of them is asked for, and the others are remembered.
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <span>
#include <vector>

#include "apps/faults/opendtect/protocol.h"

namespace kern::apps::opendtect {

// [columns, samples] of scaled amplitudes (data/fault_sections.h) -> the probability of a fault at each.
using SectionNetwork =
    std::function<std::vector<float>(std::span<const float> section, int64_t columns, int64_t samples)>;

// Tiles lie at multiples of their width in crossline numbers, and are computed from columns that are the same for each
// of the requests that could need them, so an answer does not depend on what was asked before. Columns that equal the
// centre bit for bit are missing ones that OpendTect filled: the section ends before them, and what the network sees
// beyond its end is its mirror image. Samples that are zero in a whole tile are outside the data and cut off.
//
// Which columns of a window have which numbers follows from the survey's distance between crosslines, which no request
// tells: `step` is a first belief, corrected for good as soon as two requests share columns that say otherwise.
class SectionTiles {
 public:
  SectionTiles(SectionNetwork network, const SeisInfo& info, const Settings& settings, int step = 1);
  // window [inputs, inlines, crosslines, samples] -> out [outputs, samples]. A trace without data has probability 0;
  // the dip is NaN away from faults, and so is any output that we do not have. Error where the network throws one.
  void answer(const Request& request, std::span<const float> window, std::span<float> out);

  int64_t computed() const { return computed_; }  // tiles so far
  int step() const { return step_; }

 private:
  struct Key {
    int64_t inline_, tile, first, last;  // first, last: columns of the section that the tile was computed from
    int32_t z0, samples;
    bool operator==(const Key&) const = default;
  };
  struct Tile {
    Key key;
    std::vector<float> seen;               // [kept_, samples] as it was asked with
    std::vector<float> outputs[kOutputs];  // [kept_, samples]
    int64_t bytes() const;
  };
  struct Window;  // the middle row of the first input
  void learn_step(const Request& request, const Window& window);
  const Tile& tile_of(const Request& request, const Window& window, int64_t column);
  Tile compute(const Key& key, const Window& window, int64_t column) const;

  SectionNetwork network_;
  SeisInfo info_;
  Settings settings_;
  int64_t reach_, context_, kept_;  // of a window to one side; of a tile
  int step_;
  bool step_known_ = false;
  Request before_;  // while the step is not known: the request before
  std::vector<float> window_before_;
  std::list<Tile> tiles_;  // the last used first
  int64_t bytes_ = 0, computed_ = 0;
};

}  // namespace kern::apps::opendtect
