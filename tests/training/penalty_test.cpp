#include "training/penalty.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

ClassList classes_of(int n) {
  ClassList list;
  for (int i = 0; i < n; ++i) list.push_back({"c" + std::to_string(i), default_colour(i)});
  return list;
}

TEST(Penalty, TheContestsMatrixByCodes) {
  const std::vector<std::string> codes{"65000", "30000", "70000", "70032"};
  const PenaltyMatrix m = force2020_penalty(codes);
  EXPECT_EQ(m.cost(0, 1), 3.5);    // shale called sandstone
  EXPECT_EQ(m.cost(2, 3), 1.375);  // limestone called chalk
  check_penalty(m, 4);
  const std::vector<std::string> all{"30000", "65030", "65000", "80000", "74000", "70000",
                                     "70032", "88000", "86000", "99000", "90000", "93000"};
  const PenaltyMatrix whole = force2020_penalty(all);
  double sum = 0;
  for (int64_t t = 0; t < 12; ++t)
    for (int64_t a = 0; a < 12; ++a) {
      EXPECT_EQ(whole.cost(t, a), whole.cost(a, t)) << t << " " << a;
      sum += whole.cost(t, a);
    }
  EXPECT_EQ(sum, 447.75);
  try {
    force2020_penalty(std::vector<std::string>{"65000", "7"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("no class of the code '7'"), std::string::npos);
  }
}

TEST(Penalty, TheScoreIsMinusTheMeanCost) {
  const PenaltyMatrix m = force2020_penalty(std::vector<std::string>{"65000", "30000"});
  ConfusionMatrix counts(classes_of(2));
  EXPECT_EQ(penalty_score(m, counts), 0);
  counts.add(0, 0), counts.add(0, 1), counts.add(1, 1), counts.add(1, 1);
  EXPECT_EQ(penalty_score(m, counts), -3.5 / 4);
}

TEST(Penalty, TheDecisionExpectsTheLeast) {
  // Class 1 is most probable, but answering 0 where 1 is true costs little, and 1 where 0 is true much.
  const PenaltyMatrix m{3, {0, 5, 2, 1, 0, 2, 2, 2, 0}};
  EXPECT_EQ(least_penalty(m, std::vector<float>{0.4f, 0.6f, 0}), std::vector<int>{0});
  EXPECT_EQ(least_penalty(m, std::vector<float>{0.05f, 0.9f, 0.05f}), std::vector<int>{1});
  // With equal costs it is the most probable class.
  const PenaltyMatrix equal{3, {0, 1, 1, 1, 0, 1, 1, 1, 0}};
  EXPECT_EQ(least_penalty(equal, std::vector<float>{0.3f, 0.3f, 0.4f, 0.5f, 0.3f, 0.2f}), (std::vector<int>{2, 0}));
}

TEST(Penalty, FilesAreRead) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("kern_penalty_" + std::to_string(::getpid()) + ".csv");
  const auto reads = [&](const std::string& text) -> std::string {
    write_file(file, text);
    try {
      const PenaltyMatrix m = read_penalty(file, 2);
      return "cost " + std::to_string(m.cost(0, 1));
    } catch (const Error& e) {
      return e.what();
    }
  };
  EXPECT_EQ(reads("# two classes\n0, 1.5\r\n2, 0\n"), "cost 1.500000");
  EXPECT_NE(reads("0,1\n").find("has 1 lines for 2 classes"), std::string::npos);
  EXPECT_NE(reads("0,1,2\n1,0,2\n").find("line 1 has 3 numbers for 2 classes"), std::string::npos);
  EXPECT_NE(reads("0,x\n1,0\n").find("'x' is no number"), std::string::npos);
  EXPECT_NE(reads("0,-1\n1,0\n").find("must not be negative"), std::string::npos);
  EXPECT_NE(reads("1,1\n1,0\n").find("0 for the right answer"), std::string::npos);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace kern::training
