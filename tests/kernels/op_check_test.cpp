// tests/support/op_check.h finds what it is there for: an op of two lines, and the same op with a fault planted.
#include "tests/support/op_check.h"

#include <gtest/gtest-spi.h>

namespace kern::kernels {
namespace {
using namespace kern::testing;

enum class Fault { none, value, gradient, outside, forgotten, threads, derivative };

struct TwiceSpec {
  int64_t rows = 0, c = 1;
  bool operator==(const TwiceSpec&) const = default;
};

// y = 2 x, dx = 2 dy.
template <Fault fault>
struct Twice {
  static constexpr const char* kName = "twice";
  using Spec = TwiceSpec;
  template <class T>
  struct Forward {
    const T* x;
    T* y;
    void arrays(const Spec& g, auto&& f) { f("x", x, {g.rows, g.c}), f("y", y, {g.rows, g.c}); }
  };
  template <class T>
  struct Backward {
    const T* dy;
    T* dx;
    void arrays(const Spec& g, auto&& f) { f("dy", dy, {g.rows, g.c}), f("dx", dx, {g.rows, g.c}); }
  };
  template <Scalar T>
  static void reference(const Spec& g, const Forward<T>& a) {
    for (int64_t i = 0; i < g.rows * g.c; ++i) a.y[i] = T(2) * a.x[i];
  }
  template <Scalar T>
  static void reference(const Spec& g, const Backward<T>& a) {
    for (int64_t i = 0; i < g.rows * g.c; ++i) a.dx[i] = T(fault == Fault::derivative ? 3 : 2) * a.dy[i];
  }
  static std::string shape(const Spec& g) { return text(g.rows, "x", g.c); }
  static const Registry<Implementation<Twice>>& registry() {
    static const Implementation<Twice> impls[] = {
        {.name = "tested",
         .device = Device::cpu,
         .supports = supports_all,
         .forward =
             [](const Exec&, const Spec& g, const Forward<float>& a) {
               const int64_t n = g.rows * g.c;
               for (int64_t i = 0; i < n; ++i) a.y[i] = 2 * a.x[i];
               if (fault == Fault::value) a.y[n / 2] *= 1.001f;
               if (fault == Fault::outside) a.y[n] = 0;
               if (fault == Fault::forgotten) a.y[0] = std::nanf("");
               if (fault == Fault::threads && thread_count() > 1) a.y[0] *= 1 + 0x1p-22f;  // within the tolerance
             },
         .backward =
             [](const Exec&, const Spec& g, const Backward<float>& a) {
               for (int64_t i = 0; i < g.rows * g.c; ++i)
                 a.dx[i] = (fault == Fault::gradient ? 2.01f : fault == Fault::derivative ? 3 : 2) * a.dy[i];
             }},
        reference_implementation<Twice>()};
    static const Registry<Implementation<Twice>> registry{kName, impls};
    return registry;
  }
};

template <Fault fault>
void check_twice() {
  check_op<Twice<fault>>({{{.rows = 5, .c = 3}}});
}
// What check_op says first; empty where it finds nothing.
template <Fault fault>
std::string first_failure() {
  ::testing::TestPartResultArray results;
  {
    const ::testing::ScopedFakeTestPartResultReporter reporter(
        ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    check_twice<fault>();
  }
  return results.size() > 0 ? results.GetTestPartResult(0).message() : "";
}

TEST(OpCheck, passes_what_is_right_and_finds_planted_faults) {
  EXPECT_EQ(first_failure<Fault::none>(), "");
  EXPECT_NE(first_failure<Fault::value>().find("worst at row 2"), std::string::npos);
  EXPECT_NE(first_failure<Fault::gradient>().find("dx"), std::string::npos);
  EXPECT_NE(first_failure<Fault::outside>().find("outside the array"), std::string::npos);
  EXPECT_NE(first_failure<Fault::forgotten>().find("got nan"), std::string::npos);
  EXPECT_NE(first_failure<Fault::threads>().find("on 3 threads"), std::string::npos);
  EXPECT_NE(first_failure<Fault::derivative>().find("dv->name"), std::string::npos);
}

}  // namespace
}  // namespace kern::kernels
