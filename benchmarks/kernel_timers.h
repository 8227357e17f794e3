// How a case of an op is timed: what each kernel_timers_*.cpp gives for its ops is the shape's name, and per direction
// the least operations and bytes and a call.
#pragma once
#include <algorithm>
#include <any>
#include <cmath>
#include <deque>
#include <new>
#include <string>
#include <vector>

#include "benchmarks/kernels.h"
#include "engine/benchmark_cases.h"
#include "engine/gpu.h"
#include "engine/memory.h"
#include "engine/stopwatch.h"
#include "kernels/common/dispatch.h"

namespace kern::benchmarks {
using namespace kernels;

struct Direction {
  Direction(const char* called, double operations, double moved, std::function<void()> call,
            const BenchmarkOutput& impl)
      : name(called), flops(operations), bytes(moved), run(std::move(call)), out(some_of(impl)) {}
  template <class T>
  Direction(const char* called, double operations, double moved, std::function<void()> call, const T* result,
            int64_t size)
      : Direction(called, operations, moved, std::move(call), {result, 1, size, size}) {}
  const char* name;
  double flops, bytes;
  std::function<void()> run;
  BenchmarkOutput out;  // about a thousand values, looked at afterwards

 private:
  static BenchmarkOutput some_of(BenchmarkOutput out) {  // of its values, as rows of one
    if (out.pitch == out.columns)
      out.columns = out.size(), out.rows = 1;  // dense: any value will do, else each row's first
    const int64_t count = out.rows > 1 ? out.rows : out.columns, apart = out.rows > 1 ? out.pitch : 1,
                  step = std::max<int64_t>(1, count / 1000);
    out.rows = (count + step - 1) / step;
    out.columns = 1;
    out.pitch = step * apart;
    return out;
  }
};
using Directions = std::vector<Direction>;
template <class T>
double bytes_of(double n) {
  return double(sizeof(T)) * n;
}
inline double floats(double n) { return bytes_of<float>(n); }
constexpr double kBeyondCaches = 64 << 20;  // bytes of a call that memory must bring anew

// Error where one of the values looked at is not finite.
template <class Impl>
void check_values(std::string_view op, const Impl& impl, const std::string& shape, const Direction& d, Device device) {
  for (const float v : values_of(d.out, device))
    check(std::isfinite(v), op, " by ", impl.name, ": ", d.name, " of ", shape, " gives ", v);
}

// Calls in a row between two looks at the clock, on `sets` sets of arrays in turn.
inline int calls_of_a_sample(Device device, double milliseconds, size_t sets) {
  constexpr double kSample = 2;
  if (device == Device::cpu) return 1;
  return std::max(int(sets), std::clamp(int(kSample / std::max(1e-3, milliseconds)), 1, 200));
}
// Sets of a case's arrays, so that a call of a GPU finds nothing of the call before in its cache; the CPU is timed
// warm.
inline size_t sets_of_arrays(Device device, size_t bytes) {
  constexpr size_t kMax = 16;
  if (device == Device::cpu || gpu_info().emulated) return 1;
  return std::clamp<size_t>(size_t(kBeyondCaches) / std::max<size_t>(1, bytes), 1, kMax);
}

template <class Cases, class Impl, class Spec>
void time_case(const Registry<Impl>& registry, const Spec& g, const KernelOptions& o,
               const std::function<void(const KernelResult&)>& show) {
  for (const Impl& impl : registry.impls) {
    if (impl.device != o.device || !impl.supports(g)) continue;
    const std::string_view name = impl.name;
    if (name == "reference" || name == "cpu_bf16"  // the same for values that a CPU keeps as bf16
            ? !o.reference
            : !o.impls.empty() && std::find(o.impls.begin(), o.impls.end(), name) == o.impls.end())
      continue;
    if (o.begin && !o.begin(std::string(registry.op), Cases::name_of(g), std::string(name))) continue;
    size_t bytes = 64;
    if constexpr (requires { impl.workspace(g); }) bytes += impl.workspace(g);
    const Storage scratch(o.device, bytes);
    std::deque<BenchmarkArrays> arrays;
    std::vector<Directions> sets;
    const auto add_set = [&] {
      sets.push_back(Cases::directions_of(impl, g, Exec{.scratch = scratch.data()}, arrays.emplace_back(o.device)));
    };
    add_set();
    try {
      while (sets.size() < sets_of_arrays(o.device, arrays[0].taken())) add_set();
    } catch (const std::bad_alloc&) {  // fewer will do
    }
    Stopwatch watch(o.device);
    for (size_t k = 0; k < sets[0].size(); ++k) {
      const Direction& d = sets[0][k];
      const auto once = [&] { return watch.milliseconds(d.run); };
      once();
      check_values(registry.op, impl, Cases::name_of(g), d, o.device);
      const CallSeries series(o.device, calls_of_a_sample(o.device, once(), sets.size()),
                              [&](int i) { sets[size_t(i) % sets.size()][k].run(); });
      std::vector<double> times, gflops, copy;
      auto look_at_the_machine = [&] {
        gflops.push_back(o.yardstick->gflops());
        if (d.bytes >= kBeyondCaches) copy.push_back(o.yardstick->copy());
      };
      for (int i = -2; i < o.repeats; ++i) {
        if (o.yardstick && (i == 0 || i == o.repeats / 2)) {
          look_at_the_machine();
          once();  // what it needs is in the caches again, if it fits
        }
        const double milliseconds = series.milliseconds_of_one(watch);
        if (i >= 0) times.push_back(milliseconds);
      }
      if (o.yardstick) look_at_the_machine();
      auto median = [](std::vector<double>& v) { return v.empty() ? 0 : quartiles(std::move(v)).median; };
      show({std::string(registry.op),
            Cases::name_of(g),
            impl.name,
            d.name,
            d.flops,
            d.bytes,
            quartiles(std::move(times)),
            {.gflops = median(gflops), .copy = median(copy)}});
    }
    if (o.end) o.end();
  }
}

// What is known of a table of an op, which may have a second for values kept as bf16: how to time a case of it that
// select() saw, and its large cases.
struct Timer {
  std::string op;
  const void* registry;
  std::function<void(const std::any& spec, const KernelOptions&, const std::function<void(const KernelResult&)>&)> time;
  std::function<bool(const std::any&, const std::any&)> same;  // as far as time is concerned
  // About how much of a step's time the case is, to compare it with others of any op; 0: not known.
  std::function<double(const std::any& spec)> weight;
  std::vector<std::any> large;
};
using Timers = std::vector<Timer>;
template <class Spec>
Spec as_timed(const std::any& spec) {
  Spec g = std::any_cast<Spec>(spec);
  if constexpr (requires { g.call; }) g.call = 0, g.key = {};       // dropout's numbers do not matter here
  if constexpr (requires { g.pitch; }) g.pitch = {.x = g.pitch.x};  // nor do pitches other than the input's
  return g;
}
// Cases::directions_of(row, spec, exec, arrays) and Cases::name_of(spec) say how.
template <class Cases, class Spec, class Impl>
void add_timer(Timers& timers, const Registry<Impl>& registry, const std::vector<Spec>& large) {
  Timer& t = timers.emplace_back(Timer{.op = std::string(registry.op), .registry = &registry});
  t.time = [&registry](const std::any& spec, const KernelOptions& o, const auto& show) {
    time_case<Cases>(registry, as_timed<Spec>(spec), o, show);
  };
  t.same = [](const std::any& a, const std::any& b) { return as_timed<Spec>(a) == as_timed<Spec>(b); };
  t.weight = [](const std::any& spec) {
    if constexpr (requires(Spec g) { Cases::template weight_of<Impl>(g); })
      return Cases::template weight_of<Impl>(std::any_cast<Spec>(spec));
    else return 0.0;
  };
  for (const Spec& g : large) t.large.push_back(g);
}
template <class Cases, class Spec, class Impl, class ImplOfBf16>
void add_timers(Timers& timers, const Registry<Impl>& registry, const Registry<ImplOfBf16>& of_bf16,
                const std::vector<Spec>& large) {
  add_timer<Cases>(timers, registry, large);
  add_timer<Cases>(timers, of_bf16, large);
}

// Every op of the catalogue, with large cases of about `values` values where memory is what bounds the op.
void add_product_timers(Timers& timers, int64_t values);      // sums of products: convolutions, linear, lstm
void add_row_timers(Timers& timers, int64_t values);          // rows of channels: norms, pools, softmax
void add_loss_timers(Timers& timers, int64_t values);         // losses
void add_elementwise_timers(Timers& timers, int64_t values);  // value by value, and optimisers
void add_algebra_timers(Timers& timers, int64_t values);      // broadcasting, along dimensions, reordering

}  // namespace kern::benchmarks
