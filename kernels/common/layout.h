// Channels last: an array is rows of C values, [N,H,W,C] or [N,L,C]; the distance from row to row is the pitch, in
// values.
#pragma once
#include <cstdint>

namespace kern::kernels {

// Pitches of a call's arguments; 0 means dense (pitch = row length). A pitch above the row length is how a skip
// connection and its up-sampled partner lie side by side in one buffer.
struct Pitches {
  int64_t x = 0, y = 0, dx = 0, dy = 0;
  bool operator==(const Pitches&) const = default;
};

constexpr int64_t pitch_or(int64_t pitch, int64_t row_length) { return pitch ? pitch : row_length; }
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace kern::kernels
