// Figures of a segmentation from one K x K table of counts: accuracy, precision, recall, F1, IoU, and their means.
//
// Nothing here is ever NaN. A class that occurs neither in the truth nor in the predictions is absent: its figures are
// 0 and it takes no part in the means. A present class that was never predicted has precision 0, one that never occurs
// recall 0. With nothing counted at all every figure is 0. (scikit-learn: labels = the present classes, zero_division =
// 0.)
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "training/classes.h"

namespace kern::training {

inline constexpr int kIgnored = -1;  // a truth of this value is not counted (data::kUnlabelled)

class ConfusionMatrix {
 public:
  // Error when the class list is not sound (check_classes).
  explicit ConfusionMatrix(ClassList classes);

  // Counts one sample, or many. Error when a truth is neither kIgnored nor a class, or a prediction is not a class.
  void add(int truth, int prediction);
  void add(std::span<const int> truth, std::span<const int> prediction);
  void add_counts(std::span<const int32_t> counts);  // [K x K], row = truth
  void add_counts(std::span<const int64_t> counts);
  void merge(const ConfusionMatrix& other);  // Error when the numbers of classes differ
  void clear();

  const ClassList& classes() const { return classes_; }
  int64_t class_count() const { return int64_t(classes_.size()); }
  int64_t count(int64_t truth, int64_t prediction) const { return counts_[size_t(truth * class_count() + prediction)]; }
  int64_t total() const;
  int64_t correct() const;
  int64_t support(int64_t c) const;    // samples whose truth is c
  int64_t predicted(int64_t c) const;  // samples predicted as c
  bool present(int64_t c) const { return support(c) + predicted(c) > 0; }

  double accuracy() const;            // correct / total
  double precision(int64_t c) const;  // TP / (TP + FP)
  double recall(int64_t c) const;     // TP / (TP + FN)
  double f1(int64_t c) const;         // 2 TP / (2 TP + FP + FN)
  double iou(int64_t c) const;        // TP / (TP + FP + FN)
  double macro_f1() const;            // mean of f1 over the present classes
  double mean_iou() const;            // mean of iou over the present classes
  double balanced_accuracy() const;   // mean of recall over the classes that occur in the truth
  double majority_accuracy() const;   // what always answering the commonest true class would score

  // [K x K], row = truth: the share of the row's samples; a row without samples is all 0.
  std::vector<double> row_shares() const;

  std::string counts_csv() const;     // truth by row, prediction by column
  std::string per_class_csv() const;  // class,support,predicted,precision,recall,f1,iou
  // {"accuracy":…,"macro_f1":…,"mean_iou":…,…,"classes":[{"name","colour","support",…}],"counts":[[…]]}
  std::string json() const;

 private:
  double mean_over(double (ConfusionMatrix::*figure)(int64_t) const) const;
  ClassList classes_;
  std::vector<int64_t> counts_;  // [K x K], row = truth
};

// What always answering one class would score where `truth` was counted.
ConfusionMatrix majority_baseline(const ConfusionMatrix& truth, int64_t commonest);

// A field of a CSV file: quoted where it holds a comma, a quote or a line break; with an apostrophe before it where a
// spreadsheet would take it for a formula.
std::string csv_field(std::string field);

}  // namespace kern::training
