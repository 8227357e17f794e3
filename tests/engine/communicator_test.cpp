#include "engine/communicator.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace kern {
namespace {

TEST(Communicator, OneProcessHasAllAndAddsNothing) {
  Communicator& all = communicator();
  EXPECT_TRUE(all.alone() && all.root());
  std::vector<float> v{1, 2, 3};
  all.begin_sum(v);
  all.finish_sums();
  all.sum(std::span(v));
  EXPECT_EQ(v, (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(all.sum(2.5), 2.5);
  EXPECT_EQ(all.gather("mine"), std::vector<std::string>{"mine"});
  EXPECT_EQ(all.share(7), (std::pair<int64_t, int64_t>{0, 7}));
}

struct Launcher {
  explicit Launcher(const char* n) : name(n) {}
  ~Launcher() { ::unsetenv(name); }
  void says(const char* value) const { ::setenv(name, value, 1); }
  const char* name;
};

TEST(Communicator, TheLauncherSaysHowManyRanksThereAre) {
  EXPECT_EQ(ranks_by_launcher(), 1);
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const Launcher launcher(name);
    launcher.says("4");
    EXPECT_EQ(ranks_by_launcher(), 4) << name;
  }
  // A shell in a Slurm job, but not started by srun.
  const Launcher job("SLURM_STEP_NUM_TASKS");
  job.says("8");
  EXPECT_EQ(ranks_by_launcher(), 1);
  const Launcher srun("PMIX_RANK");
  srun.says("0");
  EXPECT_EQ(ranks_by_launcher(), 8);
}

}  // namespace
}  // namespace kern
