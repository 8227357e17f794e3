// Walking rows of C channels fast whatever C is, and sums per channel that are stable and the same for any thread
// count.
//
// A tile is up to kLanes neighbouring values: several dense rows at once where C is small, a part of a row where C is
// large. Inner loops run over a tile's lanes, contiguous and vectorisable. Values per channel are spread over the lanes
// first.
#pragma once
#include <algorithm>

#include "kernels/common/layout.h"
#include "kernels/common/parallel.h"

namespace kern::kernels {

inline constexpr int64_t kLanes = 128;
using LaneArray = float[kLanes];

struct Tile {
  int64_t column = 0, width = 0;  // channels column .. column + width - 1
  int64_t at_once = 1;            // rows that are walked together
  int64_t lanes() const { return width * at_once; }
};

// f(tile) for the tiles of rows of c values. dense: every array that f touches has pitch c.
template <class F>
void for_each_tile(int64_t c, bool dense, F&& f) {
  const int64_t at_once = dense && c > 0 ? std::max<int64_t>(1, kLanes / c) : 1;
  for (int64_t column = 0; column < c; column += kLanes) f(Tile{column, std::min(kLanes, c - column), at_once});
}

// f(row, count) for the chunks of a tile within rows [begin, end): count values from (row, tile.column) on.
template <class F>
void for_each_chunk_of(const Tile& t, int64_t begin, int64_t end, F&& f) {
  for (int64_t i = begin; i < end; i += t.at_once) f(i, std::min(t.at_once, end - i) * t.width);
}

// lanes[l] = value(channel of lane l)
template <class F>
void spread(const Tile& t, LaneArray& lanes, F&& value) {
  for (int64_t j = 0; j < t.width; ++j) {
    const float v = value(t.column + j);
    for (int64_t r = 0; r < t.at_once; ++r) lanes[r * t.width + j] = v;
  }
}

// sums[term][j] = sum over rows [begin, end) of what add(row, count, lanes) added to lanes[term][0 .. count). Float
// only within 64 chunks, then double, always in the same order.
template <int kTerms, class Add>
void tile_sums(const Tile& t, int64_t begin, int64_t end, double (&sums)[kTerms][kLanes], Add&& add) {
  for (auto& s : sums) std::fill_n(s, t.width, 0.0);
  for (int64_t block = begin; block < end; block += 64 * t.at_once) {
    LaneArray lanes[kTerms] = {};
    for_each_chunk_of(t, block, std::min(end, block + 64 * t.at_once),
                      [&](int64_t row, int64_t count) { add(row, count, lanes); });
    for (int k = 0; k < kTerms; ++k)
      for (int64_t r = 0; r < t.at_once; ++r)
        for (int64_t j = 0; j < t.width; ++j) sums[k][j] += double(lanes[k][r * t.width + j]);
  }
}

// `groups` runs of `rows` rows each (the samples of a batch; one group for the whole of it), cut into chunks of about
// 16 Ki values. Scratch is one array [groups][chunks][terms][c] of doubles; a group's result ends in its first chunk's
// place.
struct GroupChunks {
  int64_t groups = 1, rows = 0, c = 1;
  int64_t grain() const { return std::max<int64_t>(64, 16384 / std::max<int64_t>(1, c)); }
  int64_t chunks() const { return std::max<int64_t>(1, ceil_div(rows, grain())); }
  int64_t doubles(int terms) const { return groups * chunks() * terms * c; }
  size_t bytes(int terms) const { return size_t(doubles(terms)) * sizeof(double); }
  int64_t group_stride(int terms) const { return chunks() * terms * c; }

  // f(group, chunk, first implementation, last row + 1): rows counted through all groups.
  template <class F>
  void for_each(F&& f) const {
    parallel_for(groups * chunks(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t group = i / chunks(), chunk = i % chunks(), first = group * rows;
        f(group, chunk, first + chunk * grain(), first + std::min(rows, (chunk + 1) * grain()));
      }
    });
  }
};

// Per group, term and channel the sum over the group's rows, into result[group * group_stride + term * c + channel].
// make_add(tile, group) gives the add of tile_sums for that tile, holding whatever it spread over the lanes. run(f)
// calls f, perhaps for an instruction set.
inline constexpr auto as_it_is = [](const auto& f) { f(); };
template <int kTerms, class MakeAdd, class Run = decltype(as_it_is)>
void group_sums(const GroupChunks& g, bool dense, double* result, MakeAdd&& make_add, const Run& run = as_it_is) {
  g.for_each([&](int64_t group, int64_t chunk, int64_t begin, int64_t end) {
    double* to = result + group * g.group_stride(kTerms) + chunk * kTerms * g.c;
    run([&] {
      for_each_tile(g.c, dense, [&](const Tile& t) {
        double sums[kTerms][kLanes];
        tile_sums(t, begin, end, sums, make_add(t, group));
        for (int k = 0; k < kTerms; ++k) std::copy_n(sums[k], t.width, to + k * g.c + t.column);
      });
    });
  });
  for (int64_t group = 0; group < g.groups; ++group) {
    double* total = result + group * g.group_stride(kTerms);
    for (int64_t chunk = 1; chunk < g.chunks(); ++chunk)
      for (int64_t i = 0; i < kTerms * g.c; ++i) total[i] += total[chunk * kTerms * g.c + i];
  }
}

}  // namespace kern::kernels
