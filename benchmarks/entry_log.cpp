#include "benchmarks/entry_log.h"

#include <tuple>

#include "engine/trials.h"
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

template <class Row>
requires requires { Trials<Row>::entries; }
Cost cost_of(const Row*, std::string_view entry, const typename Trials<Row>::Spec& g) {
  for (const Trial<Row>& trial : Trials<Row>::of(g))
    if (entry == trial.entry) return {trial.flops, trial.bytes};
  return {};
}
template <class T>
Cost cost_of(const NormActRowOf<T>*, std::string_view entry, const NormActSpec& g) {
  const double n = double(g.n * g.rows) * double(g.c), passes = g.per_sample || g.frozen ? 1 : 2;
  if (entry == "apply") return per_value<T>(n, 4, 2);
  if (entry == "backward") return per_value<T>(n, 14, 2 * passes + 1);
  return per_value<T>(n, 8, passes + 1 + (g.residual_pitch ? 1 : 0));
}
Cost cost_of(const BatchNormRow*, std::string_view entry, const BatchNormSpec& g) {
  const double n = double(g.rows) * double(g.c), passes = g.frozen ? 1 : 2;
  return entry == "forward" ? per_value<float>(n, 8, passes + 1) : per_value<float>(n, 14, 2 * passes + 1);
}
template <class Op, class T>
Cost cost_of(const UnaryRow<Op, T>*, std::string_view entry, const UnarySpec<Op>& g) {
  return per_value<T>(double(g.rows) * double(g.c), 1, entry == "forward" ? 2 : 3);
}
template <class T>
Cost cost_of(const AddRowOf<T>*, std::string_view entry, const BinarySpec& g) {
  return per_value<T>(double(g.rows) * double(g.c), 1, entry == "forward" && !g.vector ? 3 : 2);
}
Cost cost_of(const MulRow*, std::string_view entry, const BinarySpec& g) {
  return per_value<float>(double(g.rows) * double(g.c), 1, entry == "forward" && !g.vector ? 3 : 2);
}
Cost cost_of(const CastRow*, std::string_view, const CastSpec& g) {
  const double n = double(g.rows) * double(g.c);
  return {0, n * double(sizeof(float) + sizeof(Bf16))};
}
Cost cost_of(const FillRow*, std::string_view, const FillSpec& g) {
  return per_value<float>(double(g.rows) * double(g.c), 0, 1);
}
Cost cost_of(const SumRow*, std::string_view, const SumSpec& g) {
  return per_value<float>(double(g.rows) * double(g.c), 1, 1);
}
Cost cost_of(const DropoutRow*, std::string_view, const DropoutSpec& g) {
  return per_value<float>(double(g.rows) * double(g.c), 1, 2);
}
Cost cost_of(const PreluRow*, std::string_view entry, const PreluSpec& g) {
  const double n = double(g.rows) * double(g.c);
  return entry == "forward" ? per_value<float>(n, 1, 2) : per_value<float>(n, 2, 3);
}
template <class T>
Cost cost_of(const MaxPoolRowOf<T>*, std::string_view entry, const MaxPoolSpec& g) {
  const double xs = double(g.n) * g.h * g.w * g.c, ys = double(g.n) * g.p() * g.q() * g.c;
  return {xs, double(sizeof(T)) * ((entry == "forward" ? 1 : 2) * xs + ys)};
}
template <class T>
Cost cost_of(const UpsampleRowOf<T>*, std::string_view, const UpsampleSpec& g) {
  const double xs = double(g.x_rows()) * g.c, ys = double(g.y_rows()) * g.c;
  return {ys * (g.how == Upsampling::nearest ? 1 : 7), double(sizeof(T)) * (xs + ys)};
}
Cost cost_of(const PadRow*, std::string_view, const PadSpec& g) {
  return per_value<float>(double(g.x_rows() + g.y_rows()) * double(g.c), 0, 1);
}
Cost cost_of(const GlobalAvgPoolRow*, std::string_view, const GlobalAvgPoolSpec& g) {
  return per_value<float>(double(g.n) * double(g.l + 1) * double(g.c), 1, 1);
}
Cost cost_of(const CrossEntropyRow*, std::string_view entry, const CrossEntropySpec& g) {
  const double rows = double(g.rows), n = rows * double(g.k), saved = rows * (kIndexBytes + 2 * sizeof(float));
  return {4 * n, sizeof(float) * (entry == "forward" ? 1 : 2) * n + saved};
}
template <class X>
Cost cost_of(const HeadCrossEntropyRowOf<X>*, std::string_view entry, const HeadCrossEntropySpec& g) {
  const double n = double(g.rows) * double(g.c);
  if (entry == "backward") return per_value<X>(n, 1, 2);  // scales what forward left
  const double products = 3 * double(g.rows) * double(g.w_size());
  return {2 * products, double(sizeof(X)) * 2 * n + kIndexBytes * double(g.rows)};
}
template <class Op>
Cost cost_of(const PairLossRow<Op>*, std::string_view entry, const PairLossSpec<Op>& g) {
  return per_value<float>(double(g.size()), 3, entry == "forward" ? 2 : 3);
}
Cost cost_of(const KlNormalRow*, std::string_view entry, const KlNormalSpec& g) {
  return per_value<float>(double(g.rows) * double(g.c), 5, entry == "forward" ? 2 : 4);
}
Cost cost_of(const AdamRow*, std::string_view, const AdamSpec& g) { return per_value<float>(double(g.n), 12, 7); }
Cost cost_of(const SgdRow*, std::string_view, const SgdSpec& g) {
  return per_value<float>(double(g.n), 6, g.momentum > 0 ? 5 : 3);
}
Cost cost_of(const EmaUpdateRow*, std::string_view, const EmaUpdateSpec& g) {
  return per_value<float>(double(g.n), 3, 3);
}
Cost cost_of(const SumSquaresRow*, std::string_view, const SumSquaresSpec& g) {
  return per_value<float>(double(g.n), 2, 1);
}

// --- rows that note ------------------------------------------------------------------------------------------------

// The entries of a row by their names; supports and workspace are none.
template <class Row>
constexpr auto entries_of() {
  constexpr auto one = []<class Member>(const char* name, Member Row::*member) {
    return std::tuple(TrialEntry<Row, Member>{name, member});
  };
  return std::tuple_cat(
      [&] {
        if constexpr (requires { &Row::forward; }) return one("forward", &Row::forward);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::apply; }) return one("apply", &Row::apply);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::backward; }) return one("backward", &Row::backward);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::backward_data; }) return one("backward_data", &Row::backward_data);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::backward_weight; }) return one("backward_weight", &Row::backward_weight);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::backward_bias; }) return one("backward_bias", &Row::backward_bias);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::backward_data_plus; })
          return one("backward_data_plus", &Row::backward_data_plus);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::backward_data_added; })
          return one("backward_data_added", &Row::backward_data_added);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::backward_vector; }) return one("backward_vector", &Row::backward_vector);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::step; }) return one("step", &Row::step);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::add; }) return one("add", &Row::add);
        else return std::tuple();
      }(),
      [&] {
        if constexpr (requires { &Row::narrow; })
          return std::tuple_cat(one("narrow", &Row::narrow), one("widen", &Row::widen));
        else return std::tuple();
      }());
}

template <class Row>
const Table<Row>* table_of = nullptr;

// As select() finds it without the tuner, for a GPU.
template <class Row, class Spec>
const Row& serving(const Spec& g) {
  for (const Row& row : table_of<Row>->rows)
    if (row.device == Device::cuda && row.supports(g)) return row;
  throw Error(text(table_of<Row>->op, ": no implementation for device ", Device::cuda));
}

template <class Row, size_t i, class Spec, class... A>
void noted(const Exec& exec, const Spec& g, A... arguments) {
  constexpr auto entry = std::get<i>(entries_of<Row>());
  const Row& row = serving<Row>(g);
  EntryLog* const log = EntryLog::current();
  if (log) {
    const Cost cost = cost_of(&row, entry.name, g);
    log->begin(table_of<Row>->op, entry.name, row.name, cost.flops, cost.bytes);
  }
  (row.*entry.member)(exec, g, arguments...);
  if (log) log->end();
}
template <class Row, size_t i, class Spec, class... A>
void set_entry(void (*&entry)(const Exec&, const Spec&, A...)) {
  if (entry) entry = noted<Row, i, Spec, A...>;
}
template <class Row, class Spec>
void complete(Row& row, bool (*)(const Spec&)) {
  row.supports = [](const Spec&) { return true; };
  if constexpr (requires { row.workspace(Spec{}); })
    row.workspace = [](const Spec& g) { return serving<Row>(g).workspace(g); };
  if constexpr (requires { row.packing; })
    row.packing = [](const Spec& g, bool backward_data) {
      const Row& one = serving<Row>(g);
      return one.packing ? one.packing(g, backward_data) : FilterPacking{};
    };
}

// For a backward function that was recorded while the log lived the row stays when the log has gone: it notes nothing.
template <class Row>
void note_calls(const Table<Row>& table, bool on) {
  if (!on) {
    tuned_row<Row>[int(Device::cuda)] = nullptr;
    return;
  }
  static Row noting{};
  table_of<Row> = &table;
  for (const Row& row : table.rows)
    if (row.device == Device::cuda) {
      noting = row;
      break;
    }
  noting.name = "noted";
  complete(noting, noting.supports);
  [&]<size_t... i>(std::index_sequence<i...>) {
    (set_entry<Row, i>(noting.*std::get<i>(entries_of<Row>()).member), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(entries_of<Row>())>>());
  tuned_row<Row>[int(Device::cuda)] = &noting;
}

// Ops of the timed models; what another does is a node without a cost.
void note_all(bool on) {
  note_calls(conv2d_table<float>(), on);
  note_calls(conv2d_table<Bf16>(), on);
  note_calls(conv_transpose2d_table<float>(), on);
  note_calls(conv_transpose2d_table<Bf16>(), on);
  note_calls(linear_table(), on);
  note_calls(norm_act_table<float>(), on);
  note_calls(norm_act_table<Bf16>(), on);
  note_calls(batch_norm_table(), on);
  for_each_unary_op([&]<class Op>() {
    note_calls(unary_table<Op>(), on);
    note_calls(unary_table<Op, Bf16>(), on);
  });
  note_calls(add_table<float>(), on);
  note_calls(add_table<Bf16>(), on);
  note_calls(mul_table(), on);
  note_calls(cast_table(), on);
  note_calls(fill_table(), on);
  note_calls(sum_table(), on);
  note_calls(dropout_table(), on);
  note_calls(prelu_table(), on);
  note_calls(max_pool_table<float>(), on);
  note_calls(max_pool_table<Bf16>(), on);
  note_calls(upsample_table<float>(), on);
  note_calls(upsample_table<Bf16>(), on);
  note_calls(pad_table(), on);
  note_calls(global_avg_pool_table(), on);
  note_calls(cross_entropy_table(), on);
  note_calls(head_cross_entropy_table<float>(), on);
  note_calls(head_cross_entropy_table<Bf16>(), on);
  note_calls(mse_table(), on);
  note_calls(kl_normal_table(), on);
  note_calls(adam_table(), on);
  note_calls(sgd_table(), on);
  note_calls(ema_update_table(), on);
  note_calls(sum_squares_table(), on);
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

void EntryLog::begin(std::string_view op, std::string_view entry, std::string_view row, double flops, double bytes) {
  if (depth_++ > 0) {
    calls_.back().row = row;
    return;
  }
  calls_.push_back({std::string(op), std::string(entry), std::string(row), flops, bytes});
  running_(int(calls_.size()) - 1);
}
void EntryLog::end() {
  if (--depth_ == 0) running_(-1);
}

}  // namespace kern::benchmarks
