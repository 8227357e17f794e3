// Scores of many items (images, wells, sections) that ranks (engine/communicator.h) share: each is found on one rank, and all ranks get all
// of them in the order of the items, so that what is added up has the bits of one process.
//
//   score_together(images.size(),
//                  [&](int64_t i) { return Parcel::of(loss_of(images[i])); },
//                  [&](int64_t i, Parcel p) { loss += p.one<double>(); });
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "kernels/common/error.h"
#include "training/metrics.h"

namespace kern::training {

// Values on their way to other ranks of the same program: they come out in the order in which they went in.
class Parcel {
 public:
  Parcel() = default;
  explicit Parcel(std::string bytes) : bytes_(std::move(bytes)) {}
  template <class... T>
  static Parcel of(const T&... values) {
    Parcel p;
    (p.put(values), ...);
    return p;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T> Parcel& put(const std::vector<T>& values) {
    put(int64_t(values.size()));
    return append(values.data(), values.size() * sizeof(T));
  }
  template <class T>
  requires std::is_arithmetic_v<T> Parcel& put(T value) { return append(&value, sizeof value); }
  Parcel& put(const ConfusionMatrix& matrix);
  template <class T>
  T one() {
    T value{};
    take(&value, sizeof value);
    return value;
  }
  template <class T>
  std::vector<T> many() {
    std::vector<T> values(size_t(one<int64_t>()));
    take(values.data(), values.size() * sizeof(T));
    return values;
  }
  ConfusionMatrix matrix(const ClassList& classes);
  const std::string& bytes() const { return bytes_; }

 private:
  Parcel& append(const void* from, size_t n) {
    bytes_.append(static_cast<const char*>(from), n);
    return *this;
  }
  void take(void* to, size_t n) {
    internal_check(at_ + n <= bytes_.size(), "a parcel holds less than is taken out");
    if (n > 0) std::memcpy(to, bytes_.data() + at_, n);
    at_ += n;
  }
  std::string bytes_;
  size_t at_ = 0;
};

// score(i) on one rank for each of n items, take(i, of it) on all ranks and in order. All ranks call it; an Error of one is
// everyone's. One process does all by itself. False: a rank wanted to leave before the end, asked after every item; it goes
// to the end, whatever signals come, where `leave` is empty. large: what is found of an item is not to be kept in numbers.
bool score_together(int64_t n, const std::function<Parcel(int64_t item)>& score,
                    const std::function<void(int64_t item, Parcel found)>& take,
                    const std::function<bool()>& leave = {}, bool large = false);

}  // namespace kern::training
