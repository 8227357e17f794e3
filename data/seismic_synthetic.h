// Synthetic seismic with faults: the training set, made rather than downloaded. After X. Wu et al., "FaultSeg3D",
// Geophysics 84(3), 2019, and what surveys add to it:
//
//   layers of random reflectivity, with channels, chaotic and bright bodies -> folding (a sum of Gaussians that grows
//   with depth) -> planar shear -> old faults -> an erosion that younger layers cover -> young faults, each cutting the
//   older ones -> salt and gas -> wavelet -> noise -> gain, mutes and holes -> labels one to two samples thick
//
// Every place of the image is followed back through the faults, youngest first, then through shear and folds, to the
// depth at which its layer was laid down. So a reflection is as sharp as its wavelet whatever has happened to it, and
// there is no reflection of the fault plane itself. Only faults are labelled: all else is there to be told from them.
//
// Rooms: seismic_layers.h layers and folds, seismic_faults.h faults, seismic_bodies.h what is no fault,
// seismic_wavelet.h, seismic_noise.h noise and gain.
#pragma once
#include <cstdint>
#include <vector>

namespace kern::data {

struct Range {
  double low = 0, high = 0;
  bool operator==(const Range&) const = default;
};

// Lengths are in traces (sideways) and samples (downwards). Of every range one value is drawn per volume, fault, fold
// or layer; "log" says that it is drawn evenly on a logarithmic scale, so that small ones are more frequent. A chance
// is that of a volume (or fault) to have the thing at all: 0 turns it off, 1 leaves it on.
struct SyntheticSeismic {
  int64_t inlines = 1;  // 1: a section; more: a cube
  int64_t crosslines = 128, samples = 128;
  double interval = 4000;  // microseconds between samples
  Range bin{0.7, 5};       // log; width of a trace over the height of a sample: it makes faults steep or flat

  Range layer{1.5, 12};        // thickness
  Range facies{0, 0.8};        // how far the layers' strength changes sideways; 1: into that of other rock
  Range folds{0, 6};           // how many
  Range fold_height{-14, 14};  // at the bottom; half of it in the middle
  Range fold_width{12, 60};    // standard deviation of the Gaussian
  Range tilt{-0.25, 0.25};     // samples per trace, in both directions

  Range faults{0, 15};       // how many; most often about a third of the way up, here 2 to 8
  Range throw_{2, 40};       // log; vertical, where the fault throws most
  Range dip{45, 85};         // degrees from the horizontal, in the rock: bin turns it; falls to either side
  Range strike{-90, 90};     // 0: square to the inlines; of a section, what of this lies within -50 to 50
  Range length{0.35, 1.3};   // half-axis down the dip, as a share of the samples
  Range aspect{1, 2.5};      // half-axis along the strike over that
  Range drag{0, 0.6};        // share of the slip that bends layers beside the plane instead of cutting them
  Range damage{0, 0.7};      // share by which reflections are weaker on a fault,
  Range damage_width{1, 4};  // and less so up to this far from it, in voxels across
  double reverse = 0.25;     // share of reverse faults
  double parallel = 0.5;     // chance that a fault takes the direction of the one before it,
  double conjugate = 0.15;   // that it crosses that one, falling the other way,
  double en_echelon = 0.15;  // that it takes over from it, side by side
  double linear = 0.3;       // chance that slip grows linearly down or up the dip; else it dies out all round (ellipse)
  double listric = 0.25;     // chance to flatten with depth, from the dip at the top of the volume
  double curved = 0.5;       // chance to bend along the strike
  double unconformity = 0.3;  // chance of an erosion, at which older faults end; younger layers cover it,
  double onlap = 0.5;         // by chance levelly, ending against it; else parallel to it
  double channels = 0.35;     // chances of bodies: meandering channels,
  double chaos = 0.25;        // slumps without layers,
  double bright = 0.3;        // strong amplitudes that end abruptly,
  double salt = 0.12;         // salt domes,
  double chimney = 0.2;       // gas chimneys

  Range period{4, 20};          // log; dominant period of the wavelet, in samples
  Range frequency{0, 0};        // Hz, of the wavelet's peak: drawn instead of the period, unless 0
  double ormsby = 0.4;          // chance of an Ormsby wavelet; else Ricker
  Range phase{-90, 90};         // degrees by which the wavelet is rotated
  Range absorption{0, 0.4};     // by what share the period grows from top to bottom
  Range smear{0, 1};            // traces over which migration blurs the image sideways, a standard deviation
  Range noise{0.1, 2};          // its deviation over that of the signal, more often little
  Range noise_frequency{0, 0};  // Hz, of its peak; 0: within the signal's band
  Range noise_width{0, 3};      // traces over which it is alike
  double noise_dip = 0.5;       // chance that it dips as the layers do
  double footprint = 0.25;      // chances: acquisition stripes,
  double smiles = 0.25;         // arcs of migration,
  double ground_roll = 0.15;    // steep events of low frequency,
  double decay = 0.4;           // amplitudes that fall with depth,
  double seam = 0.15;           // louder on one side of a line on the map,
  double agc = 0.3;             // automatic gain control,
  double stripes = 0.2;         // time slices of unlike gain,
  double mute = 0.2;            // corners without data,
  double dead = 0.2;            // traces without data,
  double holes = 0.15;          // gaps of many traces

  Range label{1, 2};          // thickness across the fault, in samples
  double least_throw = 1;     // a fault is labelled where it throws at least this,
  double least_period = 0.1;  // and at least this share of the dominant period
  uint64_t seed = 0;
};

struct SyntheticFault {
  double x = 0, y = 0, z = 0;  // centre: crossline, inline, sample, from 0
  double dip = 0, strike = 0;  // radians, at the centre and as drawn on the grid; dip > pi/2 falls to lower crosslines
  double throw_ = 0;           // > 0 normal, < 0 reverse
  double down = 0, along = 0;  // half-axes
  double reach = 0;            // how far from the plane the rock moves
  double drag = 0, drag_width = 0;   // share of the slip that bends, and within how far from the plane
  double linear = 0;                 // slip grows down (1) or up (-1) the dip; 0: an ellipse
  double listric = 0;                // growth of the cotangent of the dip per sample of depth
  double curve = 0, curve_turn = 0;  // coefficients of the square and the cube of the distance along the strike
  bool old = false;                  // it ends at the unconformity
};

// Distances from faults in the volume, in 1/kDistanceUnits of a voxel along the axis most across the fault, signed by
// the side; kNoFault where no fault is near.
inline constexpr int kDistanceUnits = 32;
inline constexpr int8_t kNoFault = 127;

// [inline][crossline][sample], the sample fastest.
struct SyntheticVolume {
  int64_t inlines = 0, crosslines = 0, samples = 0;
  std::vector<float> amplitude;        // mean 0, deviation 1, 0 where there are no data
  std::vector<int8_t> label;           // 1 on a fault, 0, or of surveys -1 where nobody knows
  std::vector<int8_t> distance;        // from the nearest labelled part of a fault; of surveys empty
  double thickness = 0;                // of labels
  std::vector<SyntheticFault> faults;  // oldest first
  double frequency = 0, noise = 0;     // what was drawn: Hz, deviation over that of the signal
};

// Throws an Error naming the option that is out of range.
void check_options(const SyntheticSeismic& options);

// Volume `index` of the set; it depends on the options and the index alone. Runs on the calling thread.
SyntheticVolume synthetic_seismic(const SyntheticSeismic& options, int64_t index);

// Faults cut into a section or cube of the caller's, by displacement: amplitude and label of `volume` are made anew
// from its amplitude, with faults drawn by the options (of which only those of faults, smear and labels count). What moves in
// from outside is the mirror image of what is at the edge.
void cut_faults(SyntheticVolume& volume, const SyntheticSeismic& options, int64_t index);

}  // namespace kern::data
