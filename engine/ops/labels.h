// Class numbers made into targets where they are (formulas in kernels/labels/labels.h). Labels are i32 [N,...], a class or -1
// where a position has none. No gradients.
#pragma once
#include "engine/tensor.h"

namespace kern {

// Every label is `value`; -1 stays.
Tensor relabel(const Tensor& labels, int value, SourceLocation at = SourceLocation::current());

// [N,...,classes]: unit vectors; where there is no label the row of `otherwise` (of that shape), or 0 if it is empty.
Tensor one_hot(const Tensor& labels, int64_t classes, const Tensor& otherwise = {},
               SourceLocation at = SourceLocation::current());

// [N,...,C]: a's row where there is a label, b's elsewhere.
Tensor choose(const Tensor& labels, const Tensor& a, const Tensor& b, SourceLocation at = SourceLocation::current());

// As another view of the same samples shows them: out[n, i] = labels[n, origin[n, i]], -1 where the origin (i32,
// counted row by row within a sample) is; itself where `origin` is empty. Of rows [N,...,C]: 0 where the origin is -1.
Tensor move_labels(const Tensor& labels, const Tensor& origin, SourceLocation at = SourceLocation::current());
Tensor move_rows(const Tensor& rows, const Tensor& origin, SourceLocation at = SourceLocation::current());

// Over the positions that have a label, each [1]; all 0 where none has. x may be empty: its mean is 0 then.
struct LabelledMean {
  Tensor mean;       // of x [N,...,1]
  Tensor count;      // of them
  Tensor expansion;  // positions over labelled ones: makes a mean over all of what is 0 elsewhere one over the labelled
  Tensor mean_and_count;  // [2], in one tensor
};
LabelledMean labelled_mean(const Tensor& x, const Tensor& labels, SourceLocation at = SourceLocation::current());

}  // namespace kern
