#include "training/epochs_to.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

// The finite values of a column with their epochs.
std::vector<std::pair<double, double>> points_of(const CsvTable& metrics, const std::string& figure) {
  const size_t column = size_t(std::ranges::find(metrics.columns, figure) - metrics.columns.begin());
  std::vector<std::pair<double, double>> points;
  for (const auto& row : metrics.rows)
    if (column < row.size() && std::isfinite(row[column])) points.emplace_back(row[0], row[column]);
  return points;
}

}  // namespace

bool falls(const std::string& figure) { return figure.starts_with("loss") || figure.ends_with("loss"); }

std::string aim_in_words(const std::string& figure, double value) {
  return fmt::format("{} {} {:.4g}", figure, falls(figure) ? "<=" : ">=", value);
}

void describe_epochs_to(Schema& keys, Aims& aims, const std::string& figures) {
  keys.key("epochs_to", aims,
           "counts the epochs until a validation figure reaches a value, a loss by falling: {mean_iou: 0.5, val_loss: "
           "0.7}; of " +
               figures)
      .formerly("reach");
}

void check_aims(const Aims& aims, const std::vector<std::string>& figures) {
  for (const auto& [figure, value] : aims) {
    if (std::ranges::find(figures, figure) != figures.end()) continue;
    std::string known;
    for (const std::string& f : figures) known += (known.empty() ? "" : ", ") + f;
    const std::string near = nearest_word(figure, figures);
    throw Error(text("reach names the figure '", figure, "', which is not measured here",
                     near.empty() ? std::string() : text("; did you mean ", near, "?"), " There are ", known));
  }
}

std::optional<int64_t> epochs_until(const CsvTable& metrics, const std::string& figure, double value) {
  for (const auto& [epoch, v] : points_of(metrics, figure))
    if (falls(figure) ? v <= value : v >= value) return int64_t(epoch);
  return {};
}

std::vector<std::pair<std::string, double>> epochs_until(const std::vector<EpochRecord>& history, const Aims& aims) {
  const CsvTable metrics = table_of(history);
  std::vector<std::pair<std::string, double>> out;
  for (const auto& [figure, value] : aims) {
    const std::optional<int64_t> epoch = epochs_until(metrics, figure, value);
    out.emplace_back(aim_in_words(figure, value), epoch ? double(*epoch) : NAN);
  }
  return out;
}

std::optional<double> best_of(const CsvTable& metrics, const std::string& figure) {
  std::optional<double> best;
  for (const auto& [epoch, v] : points_of(metrics, figure))
    if (!best || (falls(figure) ? v < *best : v > *best)) best = v;
  return best;
}

CsvTable table_of(const std::vector<EpochRecord>& history) {
  CsvTable t;
  for (const EpochRecord& e : history) {
    t.columns = {"epoch"};
    t.rows.push_back({double(e.epoch)});
    for (const auto& [name, value] : e.figures) t.columns.push_back(name), t.rows.back().push_back(value);
  }
  return t;
}

}  // namespace kern::training
