// Places of a seismic section where nothing was measured: their edges are no faults.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace kern::data {

// traces [traces, samples]: those without a signal (0 throughout) get what lies mirrored at the nearest that has one.
// Whether each has one.
std::vector<bool> mirror_gaps(std::span<float> traces, int64_t samples);

// Where a trace is 0 for 16 samples or more (a mute), and within four samples and traces of such places, the
// probability becomes 0. Both [traces, samples].
void clear_mutes(std::span<const float> traces, int64_t samples, std::span<float> probability);

}  // namespace kern::data
