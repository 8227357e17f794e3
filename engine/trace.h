// What a function of tensors computes, as a list of ops in the order in which they ran. The function's own code is
// followed, so a layer that is added to a network is in the list by itself.
//
//   Trace trace;                    // this thread, until the end of the scope
//   const Tensor y = network(x);
//   for (const TracedOp& op : trace.ops()) ...
//
// Every op that calls record() is in it. One whose result does not follow from its inputs alone says before that what
// else it knows: Trace::note(spec, further tensors). Within a dry run (engine/dry_run.h) nothing is computed meanwhile.
#pragma once
#include <any>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace kern {

struct TracedOp {
  std::string name;            // as record() was told
  std::vector<Tensor> inputs;  // empty where an optional one is absent
  Tensor output;
  std::any spec;             // what the op noted, of the type of its kernel's spec; empty where it noted nothing
  std::vector<Tensor> more;  // that it reads besides its inputs: running statistics, indices
};

class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  const std::vector<TracedOp>& ops() const { return ops_; }

  static Trace* current();  // of this thread; null outside
  // For ops.
  template <class Spec>
  static void note(const Spec& spec, std::initializer_list<Tensor> more = {}) {
    if (Trace* const t = current()) t->spec_ = spec, t->more_ = more;
  }
  void add(const char* op, const std::vector<Tensor>& inputs, const Tensor& y);

 private:
  Trace* before_;
  std::vector<TracedOp> ops_;
  std::any spec_;  // of the op that will be added next
  std::vector<Tensor> more_;
};

}  // namespace kern
