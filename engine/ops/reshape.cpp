#include "engine/ops/reshape.h"

#include "engine/ops/op.h"

namespace kern {

Tensor reshape(const Tensor& x, std::initializer_list<int64_t> sizes, SourceLocation at) {
  int64_t known = 1, open = 0;
  for (int64_t s : sizes) {
    check({s >= -1, at}, "reshape: a size must be at least 0, or -1 for what is left, got ", s);
    if (s == -1) ++open;
    else known *= s;
  }
  check({open == 0 || (open == 1 && known > 0 && x.size() % known == 0), at}, "reshape: the size -1 has no answer for ",
        x.shape());
  Shape shape;
  for (int64_t s : sizes) shape.push_back(s == -1 ? x.size() / known : s, at);
  return reshape(x, shape, at);
}

Tensor reshape(const Tensor& x, const Shape& shape, SourceLocation at) {
  check({shape.size() == x.size(), at}, "reshape: ", x.shape(), " has ", x.size(), " values, ", shape, " has ",
        shape.size());
  return record("reshape", {x}, dense(x).reshaped(shape, at), [from = x.shape()](const Tensor& dy, Grads& d) {
    if (d.want(0)) d.set(0, dense(dy).reshaped(from));
  });
}

}  // namespace kern
