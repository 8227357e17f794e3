// Crops of seismic, changed at random in training: geometry first, then amplitudes. Labels follow: those of made faults
// are made anew from the distances to them, so that a fault is as thick after a stretch or a turn as it was before; an
// interpreter's are those of the nearest voxel.
#pragma once
#include <cstdint>
#include <vector>

#include "data/fault_surfaces.h"
#include "data/seismic_synthetic.h"
#include "engine/random.h"

namespace kern::data {

// What may happen to a crop. Amounts are drawn anew for every one; 0 and false: it does not happen.
struct SeismicAugmentation {
  bool flip = true;       // along inlines and crosslines, each by half; never along time
  bool reverse = true;    // polarity, by half
  bool turn = true;       // about the time axis, by any angle
  double stretch = 2;     // every axis by its own factor, from 1 over this to this, as far as the volume reaches
  double elastic = 1.5;   // bent by up to so many voxels
  double loudness = 0.3;  // louder or quieter by up to this power of e
  double spectrum = 0.5;  // chances: a spectrum of another shape,
  double gamma = 0.3;     // quiet parts louder or quieter,
  double clip = 0.2;      // loud parts cut off,
  double coarse = 0.2;    // amplitudes in steps, as files and images of 8 bits have them,
  double cutout = 0.15;   // a box without data, and so without labels,
  double blur = 0.15;     // smoothed along the layers
};

// Throws an Error naming what is out of range.
void check_augmentation(const SeismicAugmentation& augmentation);

struct SeismicCrop {
  Block size;
  std::vector<float> amplitude;  // [inlines, crosslines, samples]
  std::vector<int32_t> label;    // 1 on a fault, 0, or -1 where nobody knows
};

// A crop of `size` out of a volume at least as large, anywhere in it; changed if `augmentation` is given. Amplitudes
// are scaled (scale_amplitudes) and stay within +-kLoudest. across_lines: whether a fault's thickness counts across
// inlines too (3-D) or within each inline alone. Depends on the random sequence alone.
SeismicCrop cut_crop(const SyntheticVolume& volume, const Block& size, bool across_lines,
                     const SeismicAugmentation* augmentation, RandomSequence& random);

// What cut_crop() does to amplitudes, alone; nothing moves.
void change_amplitudes(SeismicCrop& crop, const SeismicAugmentation& augmentation, RandomSequence& random);

}  // namespace kern::data
