#include "engine/ops/dropout.h"

#include "engine/ops/op.h"
#include "engine/ops/reshape.h"
#include "kernels/elementwise/dropout.h"

namespace kern {
namespace {

// One mask for every `span` rows and channel.
Tensor drop(const char* op, const Tensor& x, float p, int64_t span, Generator& generator, const Tensor& out,
            SourceLocation at) {
  check({p >= 0 && p <= 1, at}, op, ": the probability to drop must be from 0 to 1, got ", p);
  if (x.dtype() == DType::bf16)
    return through_float(x, out, [&](const Tensor& v) { return drop(op, v, p, span, generator, {}, at); });
  const Generator::Draw draw = generator.draw(RandomStream::dropout);
  kernels::DropoutSpec g{.rows = x.rows(), .c = x.channels(), .span = span, .p = p, .key = draw.key, .call = draw.call};
  check({g.masks() <= kernels::kMaxDropoutMasks, at}, op, ": ", x.shape(),
        " has more values than masks can be counted for; split the batch");
  const auto& impl = kernels::select(kernels::dropout_registry(), x.device(), g, at);
  Tensor y = output_tensor(op, x.shape(), x.options(), out, at);
  g.pitch = {.x = x.pitch(), .y = y.pitch()};
  impl.forward({}, g, draw.step_on(x.device(), at), x.data(), y.mutate());
  return record(op, {x}, y, [g, &impl, draw](const Tensor& dy, Grads& d) mutable {
    if (!d.want(0)) return;
    g.pitch = {.x = dy.pitch()};
    impl.forward({}, g, draw.step_on(dy.device()), dy.data(), d[0].mutate());
  });
}

}  // namespace

Tensor dropout(const Tensor& x, float p, Generator& generator, const Tensor& out, SourceLocation at) {
  return drop("dropout", x, p, 1, generator, out, at);
}

Tensor channel_dropout(const Tensor& x, float p, Generator& generator, const Tensor& out, SourceLocation at) {
  check({x.rank() >= 2, at}, "channel_dropout: input must be [N,...,C], got ", x.shape());
  return drop("channel_dropout", x, p, std::max<int64_t>(1, x.dim(0) > 0 ? x.rows() / x.dim(0) : 1), generator, out,
              at);
}

Tensor sample_dropout(const Tensor& x, float p, Generator& generator, SourceLocation at) {
  check({x.rank() >= 1, at}, "sample_dropout: input must be [N,...], got ", x.shape());
  const int64_t span = x.dim(0) > 0 ? x.size() / x.dim(0) : 1;
  const Tensor values = reshape(x, {x.size(), 1}, at);
  return reshape(drop("sample_dropout", values, p, std::max<int64_t>(1, span), generator, {}, at), x.shape(), at);
}

}  // namespace kern
