#include "engine/ops/convolve.h"

#include <algorithm>
#include <optional>

#include "engine/gpu.h"
#include "engine/late_gradients.h"
#include "engine/packed_filters.h"
#include "engine/prepared_filters.h"
#include "engine/trace.h"

namespace kern::detail {

namespace {

// "2x" before the height and width of a volume, nothing before those of an image.
std::string by_depth(const Tensor& x, int depth) { return x.rank() == 5 ? text(depth, "x") : std::string(); }

// A gradient that is 0.
void clear(Tensor& gradient) {
  if (LateGradients* const late = LateGradients::current()) late->clear(gradient);
  else gradient.fill(0);
}

// Scratch, and the filter packed if the step has it so.
class ConvolutionExec {
 public:
  template <class Impl, class Spec>
  ConvolutionExec(const Impl& impl, const Spec& g, const Tensor& w, bool backward_data)
      : scratch_(w.device(), impl.workspace(g)) {
    if (impl.packing) filter_ = PackedFilters::of(w, impl.packing(g, backward_data));
  }
  kernels::Exec exec() const {
    kernels::Exec out = scratch_.exec();
    out.filter = &filter_;
    return out;
  }

 private:
  Workspace scratch_;
  kernels::PackedFilter filter_;
};

// Whether scratch of two calls stays where it is until the end of the pass. Large kernels fill a GPU by themselves.
bool hold_scratch(Device device, size_t bytes) {
  constexpr size_t kMax = size_t{4} << 20;
  LateGradients* const late = LateGradients::current();
  return late && device != Device::cpu && bytes <= kMax && late->make_room(2 * bytes);
}

// dx, with what other ops gave for x before where the row can add it.
template <class T, class Impl, class Spec>
void data_gradient(const Impl& impl, const Spec& g, const kernels::Exec& exec, const Tensor& dy, const Tensor& w,
                   Grads& d) {
  if constexpr (requires { impl.backward_data_added; }) {
    if (const Tensor given = impl.backward_data_added ? d.given(0) : Tensor()) {
      impl.backward_data_added(exec, g, dy.data<T>(), w.data(), given.data<T>(), given.pitch(), d.total(0).mutate<T>());
      return;
    }
  }
  impl.backward_data(exec, g, dy.data<T>(), w.data(), d[0].mutate<T>());
}

// T: what x and y are kept as.
template <class T, class Impl, class Spec>
Tensor recorded(const char* op, const kernels::Registry<Impl>& table, Spec g, const Shape& y_shape, const Tensor& x,
                const Tensor& w, const Tensor& b, bool bias_cancels, const Fold* fold, const Tensor& out,
                SourceLocation at) {
  g.pitch = {.x = x.pitch()};
  const auto& impl = kernels::select(table, x.device(), g, at);
  Tensor y = output_tensor(op, y_shape, x.options(), out, at);
  g.pitch.y = y.pitch();
  if constexpr (std::is_same_v<T, float>) {
    PreparedFilters* const prepared = x.device() == Device::cpu ? PreparedFilters::current() : nullptr;
    if (prepared) {
      prepared->run(impl, g, x, w, b, fold, y);
      return record(op, {x, w, b}, y, {});  // of which nothing but the profile takes note
    }
  }
  internal_check(!fold, "a convolution was given something to fold in where nothing is prepared");
  impl.forward(ConvolutionExec(impl, g, w, false).exec(), g, x.data<T>(), w.data(), b ? b.data() : nullptr,
               y.mutate<T>());
  Trace::note(g);
  return record(op, {x, w, b}, y,
                [op, g, &impl, bias_cancels, x = Saved(x), w = Saved(w)](const Tensor& dy, Grads& d) mutable {
                  g.pitch.dy = dy.pitch();
                  const Device device = dy.device();
                  const size_t scratch = impl.workspace(g);
                  // A GPU may take the parameters' gradients beside the data's, if what scratch they use can be held.
                  const bool beside = d.want(0) && d.want(1) && hold_scratch(device, scratch);
                  const Tensor in = d.want(1) ? x.get(op) : Tensor();  // made again, if need be, before they part
                  std::optional<ConvolutionExec> of_data;
                  if (d.want(0)) of_data.emplace(impl, g, w.get(op), true);
                  const GraphBranch branch(beside);
                  if (d.want(0)) data_gradient<T>(impl, g, of_data->exec(), dy, w.get(op), d);
                  if (!beside) of_data.reset();
                  const GraphBranch::Inside inside(branch);
                  if (d.want(1))
                    impl.backward_weight(LateScratch(device, scratch, LateScratch::Of::chunks).exec(), g, dy.data<T>(),
                                         in.data<T>(), d[1].mutate());
                  if (d.want(2) && bias_cancels) clear(d[2]);
                  else if (d.want(2))
                    impl.backward_bias(LateScratch(device, scratch, LateScratch::Of::chunks).exec(), g, dy.data<T>(),
                                       d[2].mutate());
                });
}

}  // namespace

Tensor convolve(const char* op, kernels::Conv2dSpec g, const Shape& y_shape, const Tensor& x, const Tensor& w,
                const Tensor& b, bool bias_cancels, const Fold* fold, const Tensor& out, SourceLocation at) {
  const Tensor in = cast(x, activation_options(x).dtype);
  if (in.dtype() == DType::bf16)
    return recorded<Bf16>(op, kernels::conv2d_registry<Bf16>(), g, y_shape, in, w, b, bias_cancels, fold, out, at);
  return recorded<float>(op, kernels::conv2d_registry(), g, y_shape, in, w, b, bias_cancels, fold, out, at);
}

void check_convolution(const char* op, const kernels::Conv2dSpec& g, const Tensor& x, const Tensor& w, const Tensor& b,
                       SourceLocation at) {
  check({g.groups >= 1 && g.c % g.groups == 0 && g.k % g.groups == 0, at}, op, ": ", g.groups,
        " groups must divide the ", g.c, " channels in and the ", g.k, " channels out");
  check({w.channels() * g.groups == g.c, at}, op, ": input ", x.shape(), " has ", g.c, " channels, filter ", w.shape(),
        " with ", g.groups, " group(s) expects ", w.channels() * g.groups);
  check({!b || b.shape() == Shape{g.k}, at}, op, ": bias must be [", g.k, "], got ", b ? b.shape() : Shape{});
  check({std::min({g.stride_d, g.stride_h, g.stride_w, g.dil_d, g.dil_h, g.dil_w}) >= 1, at}, op,
        ": stride and dilation must be at least 1");
  check({std::min({g.pad_front, g.pad_back, g.pad_top, g.pad_bottom, g.pad_left, g.pad_right}) >= 0, at}, op,
        ": padding must not be negative; crop instead");
  const int reach_d = g.dil_d * (g.t - 1) + 1, reach_h = g.dil_h * (g.r - 1) + 1, reach_w = g.dil_w * (g.s - 1) + 1;
  check({std::min({g.t, g.r, g.s}) >= 1 && reach_d <= g.d + g.pad_front + g.pad_back &&
             reach_h <= g.h + g.pad_top + g.pad_bottom && reach_w <= g.w + g.pad_left + g.pad_right,
         at},
        op, ": a filter that reaches ", by_depth(x, reach_d), reach_h, "x", reach_w, " does not fit input ", x.shape(),
        "; pad more or use a larger input");
  check({w.dense(), at}, op, ": the filter must be dense");
}

Tensor convolve_transposed(const char* op, kernels::ConvTranspose2dSpec g, const Shape& y_shape, const Tensor& x,
                           const Tensor& w, const Tensor& b, bool bias_cancels, const Fold* fold, const Tensor& out,
                           SourceLocation at) {
  const Tensor in = cast(x, activation_options(x).dtype);
  if (in.dtype() == DType::bf16)
    return recorded<Bf16>(op, kernels::conv_transpose2d_registry<Bf16>(), g, y_shape, in, w, b, bias_cancels, fold, out,
                          at);
  return recorded<float>(op, kernels::conv_transpose2d_registry(), g, y_shape, in, w, b, bias_cancels, fold, out, at);
}

void check_transposed(const char* op, const kernels::ConvTranspose2dSpec& g, const Tensor& x, const Tensor& w,
                      const Tensor& b, SourceLocation at) {
  check({w.dim(0) == g.c, at}, op, ": input ", x.shape(), " has ", g.c, " channels, filter ", w.shape(), " expects ",
        w.dim(0));
  check({g.groups >= 1 && g.c % g.groups == 0, at}, op, ": ", g.groups, " groups must divide the ", g.c,
        " channels in");
  check({!b || b.shape() == Shape{g.k}, at}, op, ": bias must be [", g.k, "], got ", b ? b.shape() : Shape{});
  check({std::min({g.stride_d, g.stride_h, g.stride_w, g.dil_d, g.dil_h, g.dil_w}) >= 1, at}, op,
        ": stride and dilation must be at least 1");
  check({std::min({g.crop_front, g.crop_back, g.crop_top, g.crop_bottom, g.crop_left, g.crop_right}) >= 0, at}, op,
        ": crop must not be negative; pad instead");
  const bool few_planes = g.planes_added >= 0 && g.planes_added < std::max(g.stride_d, g.dil_d);
  const bool few_rows = g.rows_added >= 0 && g.rows_added < std::max(g.stride_h, g.dil_h);
  const bool few_columns = g.columns_added >= 0 && g.columns_added < std::max(g.stride_w, g.dil_w);
  check({few_planes && few_rows && few_columns, at}, op,
        ": output_padding must be from 0 to below the larger of stride and dilation, got ",
        x.rank() == 5 ? text(g.planes_added, ", ") : "", g.rows_added, " and ", g.columns_added);
  check({std::min({g.t, g.r, g.s, g.d, g.h, g.w, g.o(), g.p(), g.q()}) >= 1, at}, op, ": input ", x.shape(),
        " and filter ", w.shape(), " give an output of ", by_depth(x, g.o()), g.p(), "x", g.q(),
        " positions; crop less or use a larger input");
  check({w.dense(), at}, op, ": the filter must be dense");
}

}  // namespace kern::detail
