// What imaging, recording and processing do to the reflections of synthetic seismic: blur, noise, random and coherent, then gain,
// then places without data. All of it on [inline][crossline][sample] of a volume.
#pragma once
#include <functional>
#include <vector>

#include "data/seismic_draw.h"

namespace kern::data {

// How far layers lie below their depth at a trace (crossline, inline): where noise follows their dip.
using Drop = std::function<float(float, float)>;

// Blurs the image from trace to trace: no migration makes a fault as sharp as it is.
void smear(SyntheticVolume& volume, const SyntheticSeismic& options, int64_t index);
// Adds noise of deviation `noise` times the volume's. period: of the signal, in samples.
void add_noise(SyntheticVolume& volume, const SyntheticSeismic& options, int64_t index, double period,
               const Drop& drop);
// Footprint, migration smiles and ground roll, each by its chance.
void add_coherent_noise(SyntheticVolume& volume, const SyntheticSeismic& options, int64_t index, double period);
// Amplitudes falling with depth, as noise finds them.
void add_decay(SyntheticVolume& volume, const SyntheticSeismic& options, int64_t index);
// A seam, automatic gain control and stripes, each by its chance.
void add_gain(SyntheticVolume& volume, const SyntheticSeismic& options, int64_t index);
// Muted corners, dead traces and holes, each by its chance. What nobody can see is not labelled: in mutes and holes
// there is no fault, while one goes on through a dead trace.
void add_gaps(SyntheticVolume& volume, const SyntheticSeismic& options, int64_t index);

// To mean 0 and deviation 1.
void standardise(std::vector<float>& values);
double deviation_of(const std::vector<float>& values);

}  // namespace kern::data
