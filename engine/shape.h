#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "kernels/common/error.h"

namespace kern {

// Up to six sizes, channels last: [N,H,W,C], [N,L,C], [K,R,S,C], [N,F], [K]. A scalar is [1].
class Shape {
 public:
  static constexpr int kMaxRank = 6;
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims, SourceLocation at = SourceLocation::current()) {
    for (int64_t d : dims) push_back(d, at);
  }
  int rank() const { return rank_; }
  // Negative indices count from the end: dim(-1) is the channels.
  int64_t operator[](int i) const { return dims_[size_t(i < 0 ? i + rank_ : i)]; }
  int64_t& operator[](int i) { return dims_[size_t(i < 0 ? i + rank_ : i)]; }
  void push_back(int64_t d, SourceLocation at = SourceLocation::current()) {
    check({rank_ < kMaxRank, at}, "a shape has at most ", kMaxRank, " sizes");
    check({d >= 0, at}, "a shape's sizes are not negative, got ", d);
    dims_[size_t(rank_++)] = d;
  }
  int64_t size() const {
    int64_t n = 1;
    for (int64_t d : *this) n *= d;
    return n;
  }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  bool operator==(const Shape& o) const { return std::equal(begin(), end(), o.begin(), o.end()); }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

std::string to_string(const Shape& s);

}  // namespace kern
