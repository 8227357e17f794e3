#include "training/penalty.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "data/number.h"
#include "engine/atomic_file.h"
#include "kernels/common/error.h"

namespace kern::training {
namespace {

constexpr std::array<const char*, 12> kCodes = {"30000", "65030", "65000", "80000", "74000", "70000",
                                                "70032", "88000", "86000", "99000", "90000", "93000"};
// Sandstone, sandstone/shale, shale, marl, dolomite, limestone, chalk, halite, anhydrite, tuff, coal, basement.
constexpr double kForce2020[12][12] = {{0, 2, 3.5, 3, 3.75, 3.5, 3.5, 4, 4, 2.5, 3.875, 3.25},
                                       {2, 0, 2.375, 2.75, 4, 3.75, 3.75, 3.875, 4, 3, 3.75, 3},
                                       {3.5, 2.375, 0, 2, 3.5, 3.5, 3.75, 4, 4, 2.75, 3.25, 3},
                                       {3, 2.75, 2, 0, 2.5, 2, 2.25, 4, 4, 3.375, 3.75, 3.25},
                                       {3.75, 4, 3.5, 2.5, 0, 2.625, 2.875, 3.75, 3.25, 3, 4, 3.625},
                                       {3.5, 3.75, 3.5, 2, 2.625, 0, 1.375, 4, 3.75, 3.5, 4, 3.625},
                                       {3.5, 3.75, 3.75, 2.25, 2.875, 1.375, 0, 4, 3.75, 3.125, 4, 3.75},
                                       {4, 3.875, 4, 4, 3.75, 4, 4, 0, 2.75, 3.75, 3.75, 4},
                                       {4, 4, 4, 4, 3.25, 3.75, 3.75, 2.75, 0, 4, 4, 3.875},
                                       {2.5, 3, 2.75, 3.375, 3, 3.5, 3.125, 3.75, 4, 0, 2.5, 3.25},
                                       {3.875, 3.75, 3.25, 3.75, 4, 4, 4, 3.75, 4, 2.5, 0, 4},
                                       {3.25, 3, 3, 3.25, 3.625, 3.625, 3.75, 4, 3.875, 3.25, 4, 0}};

}  // namespace

PenaltyMatrix force2020_penalty(std::span<const std::string> codes) {
  std::vector<size_t> places;
  for (const std::string& code : codes) {
    const auto it = std::find(kCodes.begin(), kCodes.end(), code);
    check(it != kCodes.end(), "the penalty matrix of FORCE 2020 has no class of the code '", code,
          "': it knows 30000 (sandstone), 65030, 65000 (shale), 80000, 74000, 70000, 70032, 88000, 86000, 99000, 90000 "
          "and 93000. Give a matrix of your own: penalty=FILE.csv");
    places.push_back(size_t(it - kCodes.begin()));
  }
  PenaltyMatrix m{int64_t(codes.size()), {}};
  for (const size_t truth : places)
    for (const size_t answer : places) m.costs.push_back(kForce2020[truth][answer]);
  return m;
}

void check_penalty(const PenaltyMatrix& m, int64_t classes) {
  check(m.classes == classes && int64_t(m.costs.size()) == classes * classes, "a penalty matrix of ", m.classes,
        " classes does not fit ", classes);
  for (int64_t t = 0; t < classes; ++t)
    for (int64_t a = 0; a < classes; ++a)
      check(std::isfinite(m.cost(t, a)) && m.cost(t, a) >= 0 && (t != a || m.cost(t, a) == 0),
            "the penalty for answering class ", a, " where class ", t, " is true is ", m.cost(t, a),
            ": it must not be negative, and 0 for the right answer");
}

PenaltyMatrix read_penalty(const std::filesystem::path& csv, int64_t classes) {
  PenaltyMatrix m{classes, {}};
  std::istringstream lines(read_file(csv));
  std::string line;
  int64_t rows = 0;
  while (std::getline(lines, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    ++rows;
    int64_t columns = 0;
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, ','); ++columns) {
      double value = 0;
      field.erase(0, field.find_first_not_of(' ')).erase(field.find_last_not_of(' ') + 1);
      check(data::parse_number(field, value), csv.string(), " line ", rows, ": '", field, "' is no number");
      m.costs.push_back(value);
    }
    check(columns == classes, csv.string(), " line ", rows, " has ", columns, " numbers for ", classes, " classes");
  }
  check(rows == classes, csv.string(), " has ", rows, " lines for ", classes, " classes");
  check_penalty(m, classes);
  return m;
}

double penalty_score(const PenaltyMatrix& m, const ConfusionMatrix& counts) {
  double sum = 0;
  for (int64_t t = 0; t < m.classes; ++t)
    for (int64_t a = 0; a < m.classes; ++a) sum += m.cost(t, a) * double(counts.count(t, a));
  const int64_t total = counts.total();
  return total > 0 ? -sum / double(total) : 0;
}

std::vector<int> least_penalty(const PenaltyMatrix& m, std::span<const float> probabilities) {
  const auto K = size_t(m.classes);
  std::vector<int> labels(probabilities.size() / K);
  for (size_t i = 0; i < labels.size(); ++i) {
    double least = HUGE_VAL;
    for (size_t a = 0; a < K; ++a) {
      double expected = 0;
      for (size_t t = 0; t < K; ++t) expected += double(probabilities[i * K + t]) * m.costs[t * K + a];
      if (expected < least) least = expected, labels[i] = int(a);
    }
  }
  return labels;
}

}  // namespace kern::training
