// What a wrong class costs where not all mistakes are equal: a matrix, the mean of it over predictions, and the decision
// that expects the least of it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "training/metrics.h"

namespace kern::training {

struct PenaltyMatrix {
  int64_t classes = 0;
  std::vector<double> costs;  // [truth, answer], 0 where they are equal
  double cost(int64_t truth, int64_t answer) const { return costs[size_t(truth * classes + answer)]; }
  bool operator==(const PenaltyMatrix&) const = default;
};

// The one of the FORCE 2020 contest (Bormann et al. 2020), for classes given by their codes in the order of the classes:
// "65000" is shale, "30000" sandstone, and so on. Error for a code that it does not know.
PenaltyMatrix force2020_penalty(std::span<const std::string> codes);
// A line of comma separated numbers for each class, truth by line, answer by column. Errors: another number of lines or
// columns than classes, what is no number, negative or not finite, a cost above 0 for the right answer.
PenaltyMatrix read_penalty(const std::filesystem::path& csv, int64_t classes);
void check_penalty(const PenaltyMatrix& matrix, int64_t classes);

// Minus the mean cost: 0 is perfect, as the contest counts. 0 with nothing counted.
double penalty_score(const PenaltyMatrix& matrix, const ConfusionMatrix& counts);
// argmin over answers of sum over truths p(truth) cost(truth, answer), of equal ones the first. probabilities [L, K].
std::vector<int> least_penalty(const PenaltyMatrix& matrix, std::span<const float> probabilities);

}  // namespace kern::training
