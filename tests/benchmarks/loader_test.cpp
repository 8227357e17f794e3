#include "benchmarks/loader.h"

#include <gtest/gtest.h>

#include "benchmarks/steps.h"
#include "kernels/common/parallel.h"
#include "kernels/common/sanitizer.h"
#include "tests/support/error_of.h"

namespace kern::benchmarks {
namespace {

TEST(Loader, GivesTheSameValuesToAnyNumberOfThreads) {
  const int before = thread_count();
  for (const char* id : {"wells", "wells_strong", "images_binary", "anomalies_blur", "faults"}) {
    SCOPED_TRACE(id);
    if (kAddressSanitizer && id == std::string("faults")) continue;  // minutes
    set_thread_count(1);
    const LoaderResult one = time_loader(loader_of(id), {.seconds = 0.01});
    set_thread_count(4);
    const LoaderResult four = time_loader(loader_of(id), {.seconds = 0.01});
    EXPECT_GT(one.samples_per_second, 0);
    EXPECT_GT(four.samples_per_second, 0);
    EXPECT_EQ(one.hash, four.hash);
  }
  set_thread_count(before);
}

TEST(Loader, EachHasAStepThatConsumesItsBatches) {
  for (const LoaderCase& loader : loaders()) {
    SCOPED_TRACE(loader.id);
    EXPECT_GE(loader.batch, 1);
    if (std::string(loader.id) != "wells" && std::string(loader.id) != "anomalies") continue;  // the others take long
    EXPECT_GT(time_steps(loader.step, {.batch = 2, .warmup = 2, .repeats = 1}).loss, 0);
  }
  testing::expect_words(testing::error_of([] { loader_of("images"); }), {"no loader 'images'", "images_binary"});
}

}  // namespace
}  // namespace kern::benchmarks
