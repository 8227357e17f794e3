#include "benchmarks/entry_log.h"

#include <tuple>

#include "benchmarks/op_timer.h"
#include "engine/benchmark_cases.h"
#include "kernels/common/dispatch.h"
#include "kernels/elementwise/add.h"
#include "kernels/elementwise/cast.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/fill.h"
#include "kernels/elementwise/mul.h"
#include "kernels/elementwise/prelu.h"
#include "kernels/elementwise/unary_ops.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/loss/head_cross_entropy.h"
#include "kernels/loss/kl_normal.h"
#include "kernels/loss/mse.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/norm/norm_act.h"
#include "kernels/optim/adam.h"
#include "kernels/optim/ema_update.h"
#include "kernels/optim/sgd.h"
#include "kernels/pool/global_avg_pool.h"
#include "kernels/pool/max_pool.h"
#include "kernels/pool/upsample.h"
#include "kernels/reduce/sum.h"
#include "kernels/reduce/sum_squares.h"
#include "kernels/shape/pad.h"

namespace kern::benchmarks {
namespace {
using namespace kernels;

EntryLog* only = nullptr;

// --- what an entry costs -------------------------------------------------------------------------------------------

struct Cost {
  double flops = 0, bytes = 0;
};
// Of n values kept as T: so many operations and so many arrays of them.
template <class T>
Cost per_value(double n, double flops, double arrays) {
  return {flops * n, double(sizeof(T)) * arrays * n};
}
constexpr double kIndexBytes = sizeof(int32_t);

template <class Impl>
requires requires { BenchmarkCases<Impl>::entries; }
Cost cost_of(const Impl*, std::string_view entry, const typename BenchmarkCases<Impl>::Spec& g) {
  for (const BenchmarkCase<Impl>& trial : BenchmarkCases<Impl>::of(g))
    if (entry == trial.entry) return {trial.flops, trial.bytes};
  return {};
}
template <class Op, class T>
Cost cost_of(const Implementation<Op, T>*, std::string_view entry, const typename Op::Spec& g) {
  const OpCost cost = entry == "forward" ? cost_of_call<typename Op::template Forward<T>>(g)
                                         : cost_of_call<typename Op::template Backward<T>>(g);
  return {cost.flops, cost.bytes};
}
template <class T>
Cost cost_of(const NormActImplOf<T>*, std::string_view entry, const NormActSpec& g) {
  const double n = double(g.n * g.rows) * double(g.c), passes = g.per_sample || g.frozen ? 1 : 2;
  if (entry == "apply") return per_value<T>(n, 4, 2);
  if (entry == "backward") return per_value<T>(n, 14, 2 * passes + 1);
  return per_value<T>(n, 8, passes + 1 + (g.residual_pitch ? 1 : 0));
}
Cost cost_of(const BatchNormImpl*, std::string_view entry, const BatchNormSpec& g) {
  const double n = double(g.rows) * double(g.c), passes = g.frozen ? 1 : 2;
  return entry == "forward" ? per_value<float>(n, 8, passes + 1) : per_value<float>(n, 14, 2 * passes + 1);
}
template <class Op, class T>
Cost cost_of(const UnaryImpl<Op, T>*, std::string_view entry, const UnarySpec<Op>& g) {
  return per_value<T>(double(g.rows) * double(g.c), 1, entry == "forward" ? 2 : 3);
}
template <class T>
Cost cost_of(const AddImplOf<T>*, std::string_view entry, const BinarySpec& g) {
  return per_value<T>(double(g.rows) * double(g.c), 1, entry == "forward" && !g.vector ? 3 : 2);
}
Cost cost_of(const MulImpl*, std::string_view entry, const BinarySpec& g) {
  return per_value<float>(double(g.rows) * double(g.c), 1, entry == "forward" && !g.vector ? 3 : 2);
}
Cost cost_of(const CastImpl*, std::string_view, const CastSpec& g) {
  const double n = double(g.rows) * double(g.c);
  return {0, n * double(sizeof(float) + sizeof(Bf16))};
}
Cost cost_of(const FillImpl*, std::string_view, const FillSpec& g) {
  return per_value<float>(double(g.rows) * double(g.c), 0, 1);
}
Cost cost_of(const DropoutImpl*, std::string_view, const DropoutSpec& g) {
  return per_value<float>(double(g.rows) * double(g.c), 1, 2);
}
template <class T>
Cost cost_of(const MaxPoolImplOf<T>*, std::string_view entry, const MaxPoolSpec& g) {
  const double xs = double(g.n) * g.h * g.w * g.c, ys = double(g.n) * g.p() * g.q() * g.c;
  return {xs, double(sizeof(T)) * ((entry == "forward" ? 1 : 2) * xs + ys)};
}
template <class T>
Cost cost_of(const UpsampleImplOf<T>*, std::string_view, const UpsampleSpec& g) {
  const double xs = double(g.x_rows()) * g.c, ys = double(g.y_rows()) * g.c;
  return {ys * (g.how == Upsampling::nearest ? 1 : 7), double(sizeof(T)) * (xs + ys)};
}
template <class X>
Cost cost_of(const HeadCrossEntropyImplOf<X>*, std::string_view entry, const HeadCrossEntropySpec& g) {
  const double n = double(g.rows) * double(g.c);
  if (entry == "backward") return per_value<X>(n, 1, 2);  // scales what forward left
  const double products = 3 * double(g.rows) * double(g.w_size());
  return {2 * products, double(sizeof(X)) * 2 * n + kIndexBytes * double(g.rows)};
}
Cost cost_of(const AdamImpl*, std::string_view, const AdamSpec& g) { return per_value<float>(double(g.n), 12, 7); }
Cost cost_of(const SgdImpl*, std::string_view, const SgdSpec& g) {
  return per_value<float>(double(g.n), 6, g.momentum > 0 ? 5 : 3);
}
Cost cost_of(const EmaUpdateImpl*, std::string_view, const EmaUpdateSpec& g) {
  return per_value<float>(double(g.n), 3, 3);
}
Cost cost_of(const SumSquaresImpl*, std::string_view, const SumSquaresSpec& g) {
  return per_value<float>(double(g.n), 2, 1);
}

// --- implementations that note ------------------------------------------------------------------------------------------------

// The entries of an implementation by their names; supports and workspace are none.
template <class Impl>
constexpr auto entries_of() {
  constexpr auto one = []<class Member>(const char* name, Member Impl::*member) {
    return std::tuple(BenchmarkEntry<Impl, Member>{name, member});
  };
  return std::tuple_cat(
      [&] {
        if constexpr (requires { &Impl::forward; }) return one("forward", &Impl::forward);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::apply; }) return one("apply", &Impl::apply);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::backward; }) return one("backward", &Impl::backward);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::backward_data; }) return one("backward_data", &Impl::backward_data);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::backward_weight; }) return one("backward_weight", &Impl::backward_weight);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::backward_bias; }) return one("backward_bias", &Impl::backward_bias);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::backward_data_plus; })
          return one("backward_data_plus", &Impl::backward_data_plus);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::backward_data_added; })
          return one("backward_data_added", &Impl::backward_data_added);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::backward_vector; }) return one("backward_vector", &Impl::backward_vector);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::step; }) return one("step", &Impl::step);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::add; }) return one("add", &Impl::add);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Impl::narrow; })
          return std::tuple_cat(one("narrow", &Impl::narrow), one("widen", &Impl::widen));
        else return std::tuple();
      }());
}

template <class Impl>
const Registry<Impl>* registry_of = nullptr;

// As select() finds it without the tuner, for a GPU.
template <class Impl, class Spec>
const Impl& serving(const Spec& g) {
  for (const Impl& impl : registry_of<Impl>->impls)
    if (impl.device == Device::cuda && impl.supports(g)) return impl;
  throw Error(text(registry_of<Impl>->op, ": no implementation for device ", Device::cuda));
}

template <class Impl, size_t i, class Spec, class... A>
void noted(const Exec& exec, const Spec& g, A... arguments) {
  constexpr auto entry = std::get<i>(entries_of<Impl>());
  const Impl& impl = serving<Impl>(g);
  EntryLog* const log = EntryLog::current();
  if (log) {
    const Cost cost = cost_of(&impl, entry.name, g);
    log->begin(registry_of<Impl>->op, entry.name, impl.name, cost.flops, cost.bytes);
  }
  (impl.*entry.member)(exec, g, arguments...);
  if (log) log->end();
}
template <class Impl, size_t i, class Spec, class... A>
void set_entry(void (*&entry)(const Exec&, const Spec&, A...)) {
  if (entry) entry = noted<Impl, i, Spec, A...>;
}
template <class Impl, class Spec>
void complete(Impl& impl, bool (*)(const Spec&)) {
  impl.supports = [](const Spec&) { return true; };
  if constexpr (requires { impl.workspace(Spec{}); })
    impl.workspace = [](const Spec& g) { return serving<Impl>(g).workspace(g); };
  if constexpr (requires { impl.packing; })
    impl.packing = [](const Spec& g, bool backward_data) {
      const Impl& one = serving<Impl>(g);
      return one.packing ? one.packing(g, backward_data) : FilterPacking{};
    };
}

// For a backward function that was recorded while the log lived the implementation stays when the log has gone: it notes nothing.
template <class Impl>
void note_calls(const Registry<Impl>& registry, bool on) {
  if (!on) {
    tuned_impl<Impl>[int(Device::cuda)] = nullptr;
    return;
  }
  static Impl noting{};
  registry_of<Impl> = &registry;
  for (const Impl& impl : registry.impls)
    if (impl.device == Device::cuda) {
      noting = impl;
      break;
    }
  noting.name = "noted";
  complete(noting, noting.supports);
  [&]<size_t... i>(std::index_sequence<i...>) {
    (set_entry<Impl, i>(noting.*std::get<i>(entries_of<Impl>()).member), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(entries_of<Impl>())>>());
  tuned_impl<Impl>[int(Device::cuda)] = &noting;
}

// Ops of the timed models; what another does is a node without a cost.
void note_all(bool on) {
  note_calls(conv2d_registry<float>(), on);
  note_calls(conv2d_registry<Bf16>(), on);
  note_calls(conv_transpose2d_registry<float>(), on);
  note_calls(conv_transpose2d_registry<Bf16>(), on);
  note_calls(linear_registry(), on);
  note_calls(norm_act_registry<float>(), on);
  note_calls(norm_act_registry<Bf16>(), on);
  note_calls(batch_norm_registry(), on);
  for_each_unary_op([&]<class Op>() {
    note_calls(unary_registry<Op>(), on);
    note_calls(unary_registry<Op, Bf16>(), on);
  });
  note_calls(add_registry<float>(), on);
  note_calls(add_registry<Bf16>(), on);
  note_calls(mul_registry(), on);
  note_calls(cast_registry(), on);
  note_calls(fill_registry(), on);
  note_calls(Sum::registry(), on);
  note_calls(dropout_registry(), on);
  note_calls(Prelu::registry(), on);
  note_calls(max_pool_registry<float>(), on);
  note_calls(max_pool_registry<Bf16>(), on);
  note_calls(upsample_registry<float>(), on);
  note_calls(upsample_registry<Bf16>(), on);
  note_calls(Pad::registry(), on);
  note_calls(GlobalAvgPool::registry(), on);
  note_calls(CrossEntropy::registry(), on);
  note_calls(head_cross_entropy_registry<float>(), on);
  note_calls(head_cross_entropy_registry<Bf16>(), on);
  note_calls(PairLoss<Mse>::registry(), on);
  note_calls(KlNormal::registry(), on);
  note_calls(adam_registry(), on);
  note_calls(sgd_registry(), on);
  note_calls(ema_update_registry(), on);
  note_calls(sum_squares_registry(), on);
}

}  // namespace

EntryLog::EntryLog(std::function<void(int)> running) : running_(std::move(running)) {
  internal_check(!only, "a log of entries is made inside of another");
  only = this;
  note_all(true);
}
EntryLog::~EntryLog() {
  note_all(false);
  only = nullptr;
}
EntryLog* EntryLog::current() { return only; }

void EntryLog::begin(std::string_view op, std::string_view entry, std::string_view impl, double flops, double bytes) {
  if (depth_++ > 0) {
    calls_.back().impl = impl;
    return;
  }
  calls_.push_back({std::string(op), std::string(entry), std::string(impl), flops, bytes});
  running_(int(calls_.size()) - 1);
}
void EntryLog::end() {
  if (--depth_ == 0) running_(-1);
}

}  // namespace kern::benchmarks
