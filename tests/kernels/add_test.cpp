#include "kernels/elementwise/add.h"

#include "kernels/common/parallel.h"
#include "tests/support/kernel_check.h"

namespace kern::kernels {
namespace {
using namespace kern::testing;

static_assert(BinarySpec{.rows = 4, .c = 3, .vector = true}.b_step() == 0);
static_assert(BinarySpec{.rows = 4, .c = 3, .b_pitch = 5}.b_step() == 5);

const BinarySpec kAddCases[] = {{.rows = 37, .c = 5},
                                {.rows = 0, .c = 3},
                                {.rows = 6000, .c = 7},
                                {.rows = 9, .c = 1},
                                {.rows = 9, .c = 4, .b_pitch = 5, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}},
                                {.rows = 9, .c = 4, .vector = true, .pitch = {.x = 6, .y = 7, .dx = 5, .dy = 8}},
                                {.rows = 70000, .c = 1, .vector = true},
                                {.rows = 0, .c = 3, .vector = true},
                                {.rows = 3001, .c = 19, .vector = true}};

TEST(AddKernel, rows_equal_the_reference_for_any_number_of_threads) {
  const int before = thread_count();
  for (const BinarySpec& g : kAddCases) {
    const auto a = Array<>::integers(g.rows, g.c, g.pitch.x, 1), dy = Array<>::integers(g.rows, g.c, g.pitch.dy, 3);
    const auto b = Array<>::integers(g.vector ? 1 : g.rows, g.c, g.vector ? 0 : g.b_pitch, 2);
    Array<> y0(g.rows, g.c, g.pitch.y), db0(1, g.c);
    add_forward_reference(g, a.data(), b.data(), y0.data());
    add_backward_vector_reference(g, dy.data(), db0.data());
    for_each_impl(add_registry(), g, [&](const AddImpl& impl, const Exec& exec) {
      for (int threads : {1, 3, 3}) {
        set_thread_count(threads);
        Array<> y(g.rows, g.c, g.pitch.y), db(1, g.c);
        impl.forward(exec, g, a.data(), b.data(), y.data());
        EXPECT_TRUE(close(y, y0));
        impl.backward_vector(exec, g, dy.data(), db.data());
        EXPECT_TRUE(close(db, db0));
      }
    });
  }
  set_thread_count(before);
}

TEST(AddKernel, the_sum_over_rows_is_stable_and_the_same_bits_for_any_number_of_threads) {
  const int before = thread_count();
  const BinarySpec g{.rows = 40000, .c = 3, .vector = true};
  const auto dy = Array<>::uniform(g.rows, g.c, 0, 5, 999, 1001);
  Array<double> db0(1, g.c);
  add_backward_vector_reference(g, dy.as<double>().data(), db0.data());
  for_each_impl(add_registry(), g, [&](const AddImpl& impl, const Exec& exec) {
    if (std::string_view(impl.name) == "reference") return;  // plain float sums
    Array<> db[] = {Array<>(1, g.c), Array<>(1, g.c)};
    for (int n : {0, 1}) {
      set_thread_count(n ? 3 : 1);
      impl.backward_vector(exec, g, dy.data(), db[n].data());
      EXPECT_TRUE(close(db[n], db0, {.relative = 1e-7}));
    }
    EXPECT_TRUE(close(db[1], db[0]));
  });
  set_thread_count(before);
}

TEST(AddReference, is_its_own_derivative) {
  const BinarySpec g{.rows = 6, .c = 3, .vector = true};
  auto a = Array<Complex>::integers(g.rows, g.c, 0, 1), b = Array<Complex>::integers(1, g.c, 0, 2);
  const auto dy = Array<double>::integers(g.rows, g.c, 0, 3);
  auto loss = [&] {
    Array<Complex> y(g.rows, g.c);
    add_forward_reference(g, a.data(), b.data(), y.data());
    return weighted_sum(dy, y);
  };
  Array<double> db(1, g.c);
  add_backward_vector_reference(g, dy.data(), db.data());
  EXPECT_TRUE(close(complex_step(a, loss), dy));
  EXPECT_TRUE(close(complex_step(b, loss), db));
}

}  // namespace
}  // namespace kern::kernels
