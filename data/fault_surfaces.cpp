#include "data/fault_surfaces.h"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "kernels/common/parallel.h"

namespace kern::data {
namespace {

void check_block(size_t values, const Block& b) {
  check(b.inlines >= 0 && b.crosslines >= 0 && b.samples >= 0 && int64_t(values) == b.size(), "a block of ", b.inlines,
        " x ", b.crosslines, " x ", b.samples, " samples needs as many values, got ", values);
}

struct Axis {
  int64_t length, stride;
};
std::array<Axis, 3> axes_of(const Block& b) {
  return {{{b.inlines, b.crosslines * b.samples}, {b.crosslines, b.samples}, {b.samples, 1}}};
}

// f(offset of the first sample) for every line along the axis.
template <class F>
void for_each_line(const Block& b, int axis, const F& f) {
  const auto axes = axes_of(b);
  const Axis outer = axes[axis == 0 ? 1 : 0], inner = axes[axis == 2 ? 1 : 2];
  kernels::parallel_for(outer.length, 1, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o)
      for (int64_t i = 0; i < inner.length; ++i) f(o * outer.stride + i * inner.stride);
  });
}

// A sample beyond the edge is its mirror image; the edge itself is not repeated.
int64_t mirrored(int64_t i, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1);
  i = ((i % period) + period) % period;
  return i < n ? i : period - i;
}

// By a Gaussian of this deviation along every axis longer than 1.
void blur(std::vector<float>& v, const Block& b, double deviation) {
  const int64_t radius = int64_t(std::ceil(3 * deviation));
  if (radius == 0) return;
  std::vector<float> taps(size_t(2 * radius + 1));
  double sum = 0;
  for (int64_t t = -radius; t <= radius; ++t) sum += std::exp(-0.5 * double(t * t) / (deviation * deviation));
  for (int64_t t = -radius; t <= radius; ++t)
    taps[size_t(t + radius)] = float(std::exp(-0.5 * double(t * t) / (deviation * deviation)) / sum);
  for (const auto& [n, stride] : axes_of(b)) {
    if (n < 2) continue;
    // Lines side by side, as many as lie side by side in memory: sums run along them, in the same order for each.
    const int64_t width = std::min<int64_t>(stride, 64), pieces = (stride + width - 1) / width;
    kernels::parallel_for(
        b.size() / (n * stride) * pieces, width > 1 ? 1 : 16, [&, n = n, stride = stride](int64_t begin, int64_t end) {
          std::vector<float> lines(size_t((n + 2 * radius) * width)), sums(size_t(std::max(width, n)));
          for (int64_t piece = begin; piece < end; ++piece) {
            const int64_t from = piece % pieces * width, w = std::min(width, stride - from);
            float* first = v.data() + piece / pieces * n * stride + from;
            for (int64_t i = -radius; i < n + radius; ++i)
              std::copy_n(first + mirrored(i, n) * stride, w, lines.data() + (i + radius) * w);
            // Of single lines all sums at once, of several those of one place after the other.
            const int64_t together = stride == 1 ? n : w;
            for (int64_t i = 0; i < n * w; i += together) {
              std::fill_n(sums.begin(), together, 0.0f);
              for (size_t t = 0; t < taps.size(); ++t) {
                const float *line = lines.data() + i + int64_t(t) * w, tap = taps[t];
                for (int64_t k = 0; k < together; ++k) sums[size_t(k)] += tap * line[k];
              }
              std::copy_n(sums.begin(), together, first + i / w * stride);
            }
          }
        });
  }
}

// Central differences, one-sided at the edges; 0 along an axis of length 1.
std::vector<float> gradient(const std::vector<float>& v, const Block& b, int axis) {
  std::vector<float> g(v.size(), 0.0f);
  const auto [n, stride] = axes_of(b)[size_t(axis)];
  if (n < 2) return g;
  for_each_line(b, axis, [&, n = n, stride = stride](int64_t first) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t low = std::max<int64_t>(0, i - 1), high = std::min(n - 1, i + 1);
      g[size_t(first + i * stride)] =
          (v[size_t(first + high * stride)] - v[size_t(first + low * stride)]) / float(high - low);
    }
  });
  return g;
}

Normal pointing_down(Normal n) {
  const bool turn = n[2] != 0 ? n[2] < 0 : n[1] != 0 ? n[1] < 0 : n[0] < 0;
  return turn ? Normal{-n[0], -n[1], -n[2]} : n;
}

// Between samples, linearly along each axis; beyond the edge the edge's value.
float at(const std::vector<float>& v, const Block& b, double i, double x, double z) {
  const std::array<double, 3> place{i, x, z};
  const auto axes = axes_of(b);
  std::array<int64_t, 3> low, step;
  std::array<float, 3> part;
  for (size_t a = 0; a < 3; ++a) {
    const double p = std::clamp(place[a], 0.0, double(axes[a].length - 1));
    const int64_t whole = std::min(int64_t(p), std::max<int64_t>(0, axes[a].length - 2));
    low[a] = whole * axes[a].stride;
    step[a] = axes[a].length > 1 ? axes[a].stride : 0;
    part[a] = float(p - double(whole));
  }
  const float* p = v.data() + low[0] + low[1] + low[2];
  auto along_z = [&](int64_t o) { return p[o] + part[2] * (p[o + step[2]] - p[o]); };
  auto along_x = [&](int64_t o) {
    const float first = along_z(o);
    return first + part[1] * (along_z(o + step[1]) - first);
  };
  const float first = along_x(0);
  return first + part[0] * (along_x(step[0]) - first);
}

// Metres: a normal in samples, as a direction in space.
std::array<double, 3> in_space(const Normal& n, const Spacing& s) {
  return {n[0] / s.inline_, n[1] / s.crossline, n[2] / s.sample};
}

// The least number of points whose polyline stays within `tolerance` of all of them, ends included, by halving at the
// farthest point.
void simplify(const std::vector<std::array<double, 3>>& line, double tolerance,
              std::vector<std::array<double, 3>>& out) {
  std::vector<char> kept(line.size(), 0);
  kept.front() = kept.back() = 1;
  std::vector<std::pair<size_t, size_t>> open{{0, line.size() - 1}};
  while (!open.empty()) {
    const auto [a, b] = open.back();
    open.pop_back();
    std::array<double, 3> d{};
    double length = 0;
    for (size_t k = 0; k < 3; ++k) d[k] = line[b][k] - line[a][k], length += d[k] * d[k];
    size_t farthest = a;
    double most = tolerance * tolerance;
    for (size_t i = a + 1; i < b; ++i) {
      double along = 0, distance = 0;
      for (size_t k = 0; k < 3; ++k) along += (line[i][k] - line[a][k]) * d[k];
      along = length > 0 ? std::clamp(along / length, 0.0, 1.0) : 0;
      for (size_t k = 0; k < 3; ++k) distance += std::pow(line[i][k] - line[a][k] - along * d[k], 2);
      if (distance > most) most = distance, farthest = i;
    }
    if (farthest == a) continue;
    kept[farthest] = 1;
    open.push_back({a, farthest});
    open.push_back({farthest, b});
  }
  for (size_t i = 0; i < line.size(); ++i)
    if (kept[i]) out.push_back(line[i]);
}

}  // namespace

std::vector<Normal> fault_normals(std::span<const float> probability, const Block& b, double smoothing, float least) {
  check_block(probability.size(), b);
  check(smoothing >= 0 && smoothing <= 100, "the smoothing of normals must be from 0 to 100 samples, got ", smoothing);
  std::vector<Normal> normals(probability.size(), Normal{});
  if (probability.empty()) return normals;
  std::vector<float> v(probability.begin(), probability.end());
  blur(v, b, 1);
  const std::vector<float> g[3] = {gradient(v, b, 0), gradient(v, b, 1), gradient(v, b, 2)};
  std::vector<float> products[6];
  constexpr int kPairs[6][2] = {{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}};
  for (int p = 0; p < 6; ++p) {
    const auto &left = g[kPairs[p][0]], &right = g[kPairs[p][1]];
    products[p].resize(v.size());
    const auto axes = axes_of(b);
    if (axes[size_t(kPairs[p][0])].length < 2 || axes[size_t(kPairs[p][1])].length < 2) continue;  // 0 throughout
    for (size_t i = 0; i < v.size(); ++i) products[p][i] = left[i] * right[i];
    blur(products[p], b, smoothing);
  }
  kernels::parallel_for(int64_t(v.size()), 4096, [&](int64_t begin, int64_t end) {
    Eigen::SelfAdjointEigenSolver<Eigen::Matrix3f> solver;
    for (int64_t at = begin; at < end; ++at) {
      const auto i = size_t(at);
      if (!(probability[i] >= least)) continue;
      Eigen::Matrix3f t;
      for (int p = 0; p < 6; ++p) t(kPairs[p][1], kPairs[p][0]) = products[p][i];
      const float energy = t(0, 0) + t(1, 1) + t(2, 2);
      if (!(energy > 1e-20f)) continue;
      t /= energy;
      solver.computeDirect(t);
      const auto axis = solver.eigenvectors().col(2);
      normals[i] = pointing_down({axis[0], axis[1], axis[2]});
    }
  });
  return normals;
}

double dip_of(const Normal& n, const Spacing& s) {
  const auto d = in_space(n, s);
  return std::atan2(std::hypot(d[0], d[1]), std::abs(d[2])) * 180 / std::numbers::pi;
}

double azimuth_of(const Normal& n, const Spacing& s) {
  const auto d = in_space(n, s);
  if (d[0] == 0 && d[1] == 0) return std::nan("");
  // The plane falls where its downward normal's horizontal part points away from.
  const double degrees = std::atan2(-d[1], -d[0]) * 180 / std::numbers::pi;
  return degrees < 0 ? degrees + 360 : degrees;
}

std::vector<float> thin_faults(std::span<const float> probability, const Block& b, std::span<const Normal> normals,
                               float threshold) {
  check_block(probability.size(), b);
  check_block(normals.size(), b);
  std::vector<float> thinned(probability.size(), 0.0f);
  if (probability.empty()) return thinned;
  std::vector<float> v(probability.begin(), probability.end());
  blur(v, b, 1);
  kernels::parallel_for(b.inlines * b.crosslines, 16, [&](int64_t begin, int64_t end) {
    for (int64_t trace = begin; trace < end; ++trace)
      for (int64_t z = 0; z < b.samples; ++z) {
        const auto here = size_t(trace * b.samples + z);
        const Normal& n = normals[here];
        if (!(probability[here] >= threshold) || n == Normal{}) continue;
        const auto i = double(trace / b.crosslines), x = double(trace % b.crosslines);
        const float before = at(v, b, i - n[0], x - n[1], double(z) - n[2]),
                    after = at(v, b, i + n[0], x + n[1], double(z) + n[2]);
        if (v[here] > before && v[here] >= after) thinned[here] = probability[here];
      }
  });
  return thinned;
}

std::vector<int32_t> fault_pieces(std::span<const float> thinned, const Block& b, int64_t least) {
  check_block(thinned.size(), b);
  check(b.size() < (int64_t{1} << 31), "faults are told apart in blocks of fewer than 2^31 samples, got ", b.size());
  // Union by the earlier sample; only neighbours before a sample need a look.
  std::vector<int32_t> parent(thinned.size());
  auto root = [&](int32_t a) {
    while (parent[size_t(a)] != a) a = parent[size_t(a)] = parent[size_t(parent[size_t(a)])];
    return a;
  };
  for (int64_t i = 0; i < b.inlines; ++i)
    for (int64_t x = 0; x < b.crosslines; ++x)
      for (int64_t z = 0; z < b.samples; ++z) {
        const auto here = int32_t(b.index(i, x, z));
        parent[size_t(here)] = here;
        if (thinned[size_t(here)] == 0) continue;
        for (int64_t di = -1; di <= 0; ++di)
          for (int64_t dx = -1; dx <= (di < 0 ? 1 : 0); ++dx)
            for (int64_t dz = -1; dz <= (di < 0 || dx < 0 ? 1 : -1); ++dz) {
              if (i + di < 0 || x + dx < 0 || x + dx >= b.crosslines || z + dz < 0 || z + dz >= b.samples) continue;
              const auto there = int32_t(b.index(i + di, x + dx, z + dz));
              if (thinned[size_t(there)] == 0) continue;
              const int32_t p = root(here), q = root(there);
              parent[size_t(std::max(p, q))] = std::min(p, q);
            }
      }
  std::map<int32_t, int64_t> sizes;
  for (size_t k = 0; k < thinned.size(); ++k)
    if (thinned[k] != 0) ++sizes[root(int32_t(k))];
  std::vector<std::pair<int64_t, int32_t>> order;  // -size, root
  for (const auto& [first, size] : sizes)
    if (size >= least) order.emplace_back(-size, first);
  std::sort(order.begin(), order.end());
  std::map<int32_t, int32_t> number;
  for (const auto& [size, first] : order) number[first] = int32_t(number.size()) + 1;
  std::vector<int32_t> pieces(thinned.size(), 0);
  for (size_t k = 0; k < thinned.size(); ++k)
    if (thinned[k] != 0)
      if (const auto it = number.find(root(int32_t(k))); it != number.end()) pieces[k] = it->second;
  return pieces;
}

std::vector<FaultStick> fault_sticks(std::span<const int32_t> pieces, const Block& b, std::span<const Normal> normals,
                                     int64_t every, double tolerance) {
  check_block(pieces.size(), b);
  check_block(normals.size(), b);
  check(every >= 1 && tolerance >= 0, "sticks need every= at least 1 section and a tolerance of at least 0, got ",
        every, " and ", tolerance);
  struct Sample {
    int64_t i, x, z;
  };
  std::map<int32_t, std::pair<std::vector<Sample>, std::array<double, 3>>> found;  // with the normals' sizes added up
  for (int64_t i = 0; i < b.inlines; ++i)
    for (int64_t x = 0; x < b.crosslines; ++x)
      for (int64_t z = 0; z < b.samples; ++z)
        if (const int64_t k = b.index(i, x, z); pieces[size_t(k)] != 0) {
          auto& [samples, leaning] = found[pieces[size_t(k)]];
          samples.push_back({i, x, z});
          for (size_t a = 0; a < 3; ++a) leaning[a] += std::abs(double(normals[size_t(k)][a]));
        }
  std::vector<FaultStick> sticks;
  for (const auto& [piece, of_it] : found) {
    const auto& [samples, leaning] = of_it;
    const bool on_inlines = b.inlines == 1 || leaning[1] >= leaning[0];
    const bool steep = std::max(leaning[0], leaning[1]) >= leaning[2];
    // Of every section shown: the mean place for each step down the fault (or, on a flat one, along the section).
    struct Mean {
      double across = 0;
      int64_t count = 0;
    };
    std::map<int64_t, std::map<int64_t, Mean>> sections;
    for (const Sample& s : samples) {
      const int64_t section = on_inlines ? s.i : s.x, along = on_inlines ? s.x : s.i;
      if (section % every != 0) continue;
      Mean& m = sections[section][steep ? s.z : along];
      m.across += double(steep ? along : s.z);
      ++m.count;
    }
    for (const auto& [section, steps] : sections) {
      std::vector<std::array<double, 3>> line;
      for (const auto& [step, mean] : steps) {
        const double across = mean.across / double(mean.count), along = steep ? across : double(step),
                     depth = steep ? double(step) : across;
        line.push_back(on_inlines ? std::array{double(section), along, depth}
                                  : std::array{along, double(section), depth});
      }
      if (line.size() < 2) continue;
      FaultStick stick{piece, {}};
      simplify(line, tolerance, stick.points);
      sticks.push_back(std::move(stick));
    }
  }
  return sticks;
}

void write_fault_sticks(const std::filesystem::path& path, std::span<const FaultStick> sticks,
                        const std::function<std::array<double, 3>(const std::array<double, 3>&)>& to_world) {
  AtomicFile file(path);
  int number = 0;
  for (const FaultStick& stick : sticks) {
    ++number;
    for (const auto& point : stick.points) {
      const auto w = to_world(point);
      file.write(fmt::format("{:.2f} {:.2f} {:.3f} {}\n", w[0], w[1], w[2], number));
    }
  }
  file.commit();
}

}  // namespace kern::data
