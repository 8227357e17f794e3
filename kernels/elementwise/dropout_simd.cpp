// dropout by vectors. Philox multiplies 32-bit words to 64 bits, so a word lives in the low half of a 64-bit lane (the
// high half holds what nobody reads) and a lane is a block of four masks; groups of blocks are drawn several at a time,
// because a round waits for the one before. The four words of two groups of lanes, interleaved, are masks in order.
#include "kernels/elementwise/dropout_simd.h"

#include "kernels/common/parallel.h"
#include "kernels/common/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise/dropout_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/common/row_walk-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kern::kernels {
namespace HWY_NAMESPACE {
namespace {

using Vec = hn::Vec<Vf>;
using Wide = hn::ScalableTag<uint64_t>;
using Words = hn::Vec<Wide>;
constexpr int64_t kGroup = 2 * kLanes;          // masks of a group: a block of four in every 64-bit lane
constexpr int kDraws = kManyRegisters ? 4 : 2;  // groups that are drawn at a time
constexpr int64_t kChunk = 256;                 // factors of a row that are held

class Masks {
 public:
  Masks(const DropoutSpec& g, uint64_t step)
      : key_(g.key), call_(g.call), step_(step), scale_(hn::Set(Vf(), g.p < 1 ? 1 / (1 - g.p) : 0.0f)) {
    const float least = g.p * 16777216.0f;  // word / 256 is kept from here on: exact, as 2^24 is a power of two
    int32_t whole = int32_t(least);
    if (float(whole) < least) ++whole;
    least_ = hn::Set(hn::RebindToSigned<Vf>(), whole);
    for (int64_t i = 0; i < kLanes / 4; ++i) lanes_[2 * i] = uint64_t(i), lanes_[2 * i + 1] = uint64_t(i + kLanes / 4);
  }
  // scale or 0 for the masks of N groups, of which `first`, a multiple of kGroup, is the first: f(vector, dropped)
  template <int N, class F>
  HWY_INLINE void draw(int64_t first, F&& f) const {
    const Wide d;
    const hn::Repartition<uint32_t, Wide> narrow;
    const hn::RebindToSigned<Vf> whole;
    Words w[N][4];
    HWY_UNROLL(4) for (int n = 0; n < N; ++n) {
      w[n][0] = hn::Add(hn::Load(d, lanes_), hn::Set(d, uint64_t(first + n * kGroup) / 4));
      w[n][1] = hn::Set(d, call_);
      w[n][2] = hn::Set(d, step_ & 0xffffffffu);
      w[n][3] = hn::Set(d, step_ >> 32);
    }
    const auto odd = hn::BitCast(narrow, hn::Set(d, 0xD2511F53u)), even = hn::BitCast(narrow, hn::Set(d, 0xCD9E8D57u));
    uint32_t low = key_.lo, high = key_.hi;
    HWY_UNROLL(10) for (int round = 0; round < 10; ++round) {
      const Words key_low = hn::Set(d, low), key_high = hn::Set(d, high);
      HWY_UNROLL(4) for (int n = 0; n < N; ++n) {
        const Words a = hn::MulEven(hn::BitCast(narrow, w[n][0]), odd),
                    b = hn::MulEven(hn::BitCast(narrow, w[n][2]), even);
        w[n][0] = hn::Xor(hn::Xor(hn::ShiftRight<32>(b), w[n][1]), key_low);
        w[n][2] = hn::Xor(hn::Xor(hn::ShiftRight<32>(a), w[n][3]), key_high);
        w[n][1] = b, w[n][3] = a;
      }
      low += 0x9E3779B9u, high += 0xBB67AE85u;
    }
    HWY_UNROLL(4) for (int n = 0; n < N; ++n) {
      const auto pair = [&](Words first_word, Words second) HWY_ATTR {
        return hn::BitCast(
            d, hn::OddEven(hn::BitCast(narrow, hn::ShiftLeft<32>(second)), hn::BitCast(narrow, first_word)));
      };
      const Words head = pair(w[n][0], w[n][1]), tail = pair(w[n][2], w[n][3]);
      const auto dropped = [&](Words words) HWY_ATTR {
        return hn::RebindMask(Vf(), hn::Lt(hn::BitCast(whole, hn::ShiftRight<8>(hn::BitCast(narrow, words))), least_));
      };
      f(2 * n, dropped(hn::InterleaveLower(d, head, tail)));
      f(2 * n + 1, dropped(hn::InterleaveUpper(d, head, tail)));
    }
  }
  Vec scale() const { return scale_; }

 private:
  HWY_ALIGN uint64_t lanes_[kLanes / 2];
  PhiloxKey key_;
  uint32_t call_;
  uint64_t step_;
  Vec scale_;
  hn::Vec<hn::RebindToSigned<Vf>> least_;
};

// A dropped value is 0 even where it was not finite.
HWY_INLINE Vec applied(Vec x, Vec factor) {
  const Vec zero = hn::Zero(Vf());
  return hn::IfThenElse(hn::Eq(factor, zero), zero, hn::Mul(x, factor));
}
HWY_INLINE void apply(const float* factors, int64_t count, const float* x,
                      float* y) {  // factors: whole vectors of them
  int64_t k = 0;
  for (; k + kLanes <= count; k += kLanes)
    hn::StoreU(applied(hn::LoadU(Vf(), x + k), hn::LoadU(Vf(), factors + k)), Vf(), y + k);
  if (const int rest = int(count - k); rest > 0)
    store_first(applied(load_first(x + k, rest), hn::LoadU(Vf(), factors + k)), y + k, rest);
}
// The factors of `count` <= kChunk masks; returns where in the array, of kChunk + 2 groups, the first of them lies.
HWY_NOINLINE const float* draw_factors(const Masks& masks, int64_t first, int64_t count, float* factors) {
  const int64_t begin = first / kGroup * kGroup;
  for (int64_t at = begin; at < first + count; at += kGroup)
    masks.draw<1>(at, [&](int half, auto dropped) HWY_ATTR {
      hn::StoreU(hn::IfThenZeroElse(dropped, masks.scale()), Vf(), factors + at - begin + half * kLanes);
    });
  return factors + first - begin;
}

// Masks [first, first + count) on as many values in a row.
HWY_NOINLINE void drop_run(const Masks& masks, int64_t first, int64_t count, const float* x, float* y) {
  HWY_ALIGN float factors[kChunk + 2 * kGroup + kLanes];
  const auto some = [&](int64_t at, int64_t n)
                        HWY_ATTR { apply(draw_factors(masks, first + at, n, factors), n, x + at, y + at); };
  const auto least = [](int64_t a, int64_t b) { return a < b ? a : b; };
  int64_t at = least(count, (kGroup - first % kGroup) % kGroup);
  if (at > 0) some(0, at);
  for (; at + kDraws * kGroup <= count; at += kDraws * kGroup) {
    const float* from = x + at;
    float* to = y + at;
    masks.draw<kDraws>(first + at, [&](int half, auto dropped) HWY_ATTR {
      const Whole whole;
      whole.store(hn::IfThenZeroElse(dropped, hn::Mul(whole.load(from + half * kLanes), masks.scale())),
                  to + half * kLanes);
    });
  }
  for (; at < count; at += kChunk) some(at, least(kChunk, count - at));
}

void rows(const DropoutSpec& g, uint64_t step, const float* x, float* y) {
  const int64_t xp = g.x_pitch(), yp = g.y_pitch(), c = g.c, span = g.span, samples = (g.rows + span - 1) / span,
                values = c * span;
  parallel_for(samples, values > 16384 ? 1 : 16384 / (values > 0 ? values : 1), [&](int64_t begin, int64_t end) {
    const Masks masks(g, step);
    if (span == 1) {
      if (xp == c && yp == c) return drop_run(masks, begin * c, (end - begin) * c, x + begin * c, y + begin * c);
      for (int64_t i = begin; i < end; ++i) drop_run(masks, i * c, c, x + i * xp, y + i * yp);
      return;
    }
    HWY_ALIGN float drawn[kChunk + 2 * kGroup + kLanes];
    for (int64_t s = begin; s < end; ++s)
      for (int64_t first = 0; first < c; first += kChunk) {
        const int64_t count = c - first < kChunk ? c - first : kChunk;
        const float* const factors = draw_factors(masks, s * c + first, count, drawn);
        for (int64_t i = s * span; i < (s + 1) * span && i < g.rows; ++i)
          apply(factors, count, x + i * xp + first, y + i * yp + first);
      }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace kern::kernels
HWY_AFTER_NAMESPACE();

namespace kern::kernels {

template <>
void dropout_rows<KERN_SIMD_ISA>(const DropoutSpec& g, uint64_t step, const float* x, float* y) {
  HWY_NAMESPACE::rows(g, step, x, y);
}

}  // namespace kern::kernels
