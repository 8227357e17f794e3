// From fault probability to faults: which way they stand, a surface one sample thin, its connected pieces, and the
// sticks an interpreter works with.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

namespace kern::data {

// A block of samples [inlines, crosslines, samples], sample fastest. A section is a block of one inline.
struct Block {
  int64_t inlines = 1, crosslines = 1, samples = 1;
  int64_t size() const { return inlines * crosslines * samples; }
  int64_t index(int64_t i, int64_t x, int64_t z) const { return (i * crosslines + x) * samples + z; }
  bool operator==(const Block&) const = default;
};
// Metres between neighbours; of samples in time: velocity times half the interval.
struct Spacing {
  double inline_ = 1, crossline = 1, sample = 1;
};

// The unit normal of the fault through a sample, in samples: (inline, crossline, sample). It points down, or where it
// lies level, towards larger crosslines, or inlines. (0, 0, 0) where the probability does not vary.
using Normal = std::array<float, 3>;

// Normals from the structure tensor of the probability (van Vliet & Verbeek 1995): its gradients at scale 1, their
// products averaged by a Gaussian of deviation `smoothing` samples; the normal is the axis of the largest eigenvalue.
// Samples of a probability below `least` get none: (0, 0, 0).
std::vector<Normal> fault_normals(std::span<const float> probability, const Block& block, double smoothing = 3,
                                  float least = 0);

// Degrees from the horizontal, 0 to 90.
double dip_of(const Normal& normal, const Spacing& spacing);
// The direction a fault dips to: degrees from increasing inline numbers towards increasing crossline numbers, 0 to 360.
// NaN for a level one.
double azimuth_of(const Normal& normal, const Spacing& spacing);

// Non-maximum suppression: a sample keeps its probability where that is at least `threshold` and, smoothed at scale 1
// (so that a plateau has one crest), no smaller than one sample to either side along the normal; all others become 0.
std::vector<float> thin_faults(std::span<const float> probability, const Block& block, std::span<const Normal> normals,
                               float threshold);

// Pieces of the samples that are not 0, neighbours by side, edge or corner: [block.size()] 0, or a piece's number from
// 1 in order of falling size (equal ones: first in memory first). Pieces of fewer than `least` samples become 0.
std::vector<int32_t> fault_pieces(std::span<const float> thinned, const Block& block, int64_t least);

// A line on a fault, seen on one section: fractional (inline, crossline, sample) from the top down; on a fault flatter
// than 45 degrees (in samples) along the section instead.
struct FaultStick {
  int32_t piece = 0;
  std::vector<std::array<double, 3>> points;
};
// Sticks on every `every`-th section across each piece's strike: inlines or crosslines, whichever the piece cuts more
// squarely. A stick passes within `tolerance` samples of the piece's mean line with as few points as that takes
// (Douglas & Peucker 1973); pieces that show fewer than two samples on a section have no stick there.
std::vector<FaultStick> fault_sticks(std::span<const int32_t> pieces, const Block& block,
                                     std::span<const Normal> normals, int64_t every, double tolerance = 0.7);

// "X Y Z stick" lines, sticks numbered from 1: what interpretation systems import. to_world: from fractional (inline,
// crossline, sample) to X, Y and Z in the survey's units. Errors: the file cannot be written.
void write_fault_sticks(const std::filesystem::path& path, std::span<const FaultStick> sticks,
                        const std::function<std::array<double, 3>(const std::array<double, 3>&)>& to_world);

}  // namespace kern::data
