// The report of a training or evaluation of images.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/images/evaluation.h"
#include "training/checkpoint.h"
#include "training/report/svg.h"
#include "training/run_folder.h"
#include "training/segmentation_loss.h"
#include "training/step_memory.h"

namespace kern::apps {

struct ImagesReport {
  std::string title, config;
  std::string method;
  const ImagesModel* model;
  const data::ImageStore* store;
  // Of the store; the first two are empty in an evaluation.
  std::vector<int64_t> training, unlabelled, validation;
  const ImagesEvaluation* evaluation;  // of `validation`
  std::vector<training::EpochRecord> history;
  std::string loss = training::kCrossEntropy;  // that the history's training minimised
  int best_epoch = 0;
  training::Aims reach = {};
  std::vector<data::Problem> skipped;
  double seconds = 0;
  training::StepMemory foreseen = {};
  InferenceOptions inference;
  int images = 12;
};
void write_report(const training::RunFolder& run, const ImagesReport& input);

// An image as a model is given it: the models of several runs may read it differently.
struct Opinion {
  const ImagesModel* model;
  const data::ImageStore* store;
  int64_t image;
};
// A PNG of one row: the image, its truth, and what each model says, in the palette of the first.
std::string opinions_png(std::span<const Opinion> opinions, const InferenceOptions& inference = {});
// A row an image: image, truth, prediction. Written after every epoch, and shown by the report.
std::string panel_png(const ImagesModel& model, const data::ImageStore& store, std::span<const int64_t> which,
                      const InferenceOptions& inference = {});
std::string panel_name(int epoch);  // panels/epoch_0003.png

void add_figures(Figures& figures, const ImagesEvaluation& evaluation);
// "mean IoU 0.8123, accuracy 0.9512, macro-F1 0.8890", of two classes with the second one's IoU before it.
std::string figures_in_words(const ImagesEvaluation& evaluation);

}  // namespace kern::apps
