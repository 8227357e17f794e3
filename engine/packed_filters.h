// Filters of a training step that are packed by one kernel at its beginning (kernels/conv/filter_packing.h). A step that
// will be recorded (engine/capture.h) has one of these:
//
//   PackedFilters filters;
//   { const PackedFilters::Scope scope(filters); step(); }                                  // notes what is asked for
//   filters.allocate();
//   record([&] { const PackedFilters::Scope scope(filters); filters.pack(); step(); });  // and gives it from now on
//
// A convolution asks of(w, packing). It gets what pack() made, unless w has been written to since (an update in the
// middle of the step), or was not met before, or there is no such scope: then its kernel packs w itself.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/tensor.h"
#include "kernels/conv/filter_packing.h"

namespace kern {

class PackedFilters {
 public:
  class Scope {
   public:
    explicit Scope(PackedFilters& filters);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    PackedFilters* before_;
  };
  // Of this thread's innermost scope. Without data: the kernel is to pack it.
  static kernels::PackedFilter of(const Tensor& w, const kernels::FilterPacking& packing);

  void allocate();  // memory for what was asked for
  void pack();      // all that has memory

 private:
  struct One {
    Tensor w;  // a leaf: it stays where it is
    kernels::FilterPacking packing;
    std::unique_ptr<Storage> memory;
    uint64_t version = 0;  // of w, when it was packed
  };
  std::vector<One> all_;
  bool packed_ = false;
};

}  // namespace kern
