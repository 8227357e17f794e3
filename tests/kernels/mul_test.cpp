#include "kernels/elementwise/mul.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

const BinarySpec kMulCases[] = {{.rows = 37, .c = 5},
                                {.rows = 0, .c = 3},
                                {.rows = 6000, .c = 7},
                                {.rows = 9, .c = 1},
                                {.rows = 9, .c = 4, .b_pitch = 5, .pitch = {.x = 6, .y = 7, .dy = 8}},
                                {.rows = 9, .c = 4, .vector = true, .pitch = {.x = 6, .y = 7, .dy = 8}},
                                {.rows = 40000, .c = 1, .vector = true},
                                {.rows = 0, .c = 3, .vector = true},
                                {.rows = 3001, .c = 19, .vector = true}};

TEST(MulKernel, rows_equal_the_reference_for_any_number_of_threads) {
  const int before = thread_count();
  for (const BinarySpec& g : kMulCases) {
    const auto a = Array<>::integers(g.rows, g.c, g.pitch.x, 1), dy = Array<>::integers(g.rows, g.c, g.pitch.dy, 3);
    const auto b = Array<>::integers(g.vector ? 1 : g.rows, g.c, g.vector ? 0 : g.b_pitch, 2);
    Array<> y0(g.rows, g.c, g.pitch.y), db0(1, g.c);
    mul_forward_reference(g, a.data(), b.data(), y0.data());
    mul_backward_vector_reference(g, dy.data(), a.data(), db0.data());
    for_each_impl(mul_registry(), g, [&](const MulImpl& impl, const Exec& exec) {
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> y(g.rows, g.c, g.pitch.y), db(1, g.c);
        impl.forward(exec, g, a.data(), b.data(), y.data());
        EXPECT_TRUE(close(y, y0));
        impl.backward_vector(exec, g, dy.data(), a.data(), db.data());
        EXPECT_TRUE(close(db, db0));
      }
    });
  }
  set_thread_count(before);
}

TEST(MulReference, is_its_own_derivative) {
  for (const bool vector : {false, true}) {
    const BinarySpec g{.rows = 6, .c = 3, .vector = vector};
    const int64_t b_rows = vector ? 1 : g.rows;
    auto a = Array<Complex>::integers(g.rows, g.c, 0, 1), b = Array<Complex>::integers(b_rows, g.c, 0, 2);
    const auto ad = Array<double>::integers(g.rows, g.c, 0, 1), bd = Array<double>::integers(b_rows, g.c, 0, 2),
               dy = Array<double>::integers(g.rows, g.c, 0, 3);
    auto loss = [&] {
      Array<Complex> y(g.rows, g.c);
      mul_forward_reference(g, a.data(), b.data(), y.data());
      return weighted_sum(dy, y);
    };
    Array<double> da(g.rows, g.c), db(b_rows, g.c);
    mul_forward_reference(g, dy.data(), bd.data(), da.data());
    if (vector) mul_backward_vector_reference(g, dy.data(), ad.data(), db.data());
    else mul_forward_reference(g, dy.data(), ad.data(), db.data());
    EXPECT_TRUE(close(complex_step(a, loss), da));
    EXPECT_TRUE(close(complex_step(b, loss), db));
  }
}

}  // namespace
}  // namespace kern::kernels
