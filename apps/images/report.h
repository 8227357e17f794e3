// The report of a training or evaluation of pictures.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "apps/command.h"
#include "apps/images/judge.h"
#include "training/checkpoint.h"
#include "training/run_folder.h"
#include "training/step_memory.h"

namespace kern::apps {

struct ImagesReport {
  std::string title, config;
  const ImagesModel* model;
  const data::ImageStore* store;
  std::vector<int64_t> training, validation;  // of the store; training is empty in an evaluation
  const ImagesJudgement* judgement;           // of `validation`
  std::vector<training::EpochRecord> history;
  int best_epoch = 0;
  std::vector<data::Problem> skipped;
  double seconds = 0;
  training::StepMemory foreseen = {};
  Passing passing;
  int pictures = 12;
};
void write_report(const training::RunFolder& run, const ImagesReport& input);

// A row a picture: input, truth, prediction, in one palette. Written after every epoch, and shown by the report.
std::string panel_png(const ImagesModel& model, const data::ImageStore& store, std::span<const int64_t> which,
                      const Passing& passing = {});
std::string panel_name(int epoch);  // panels/epoch_0003.png

// What always answering the commonest class of `truth` would score.
training::ConfusionMatrix majority_baseline(const training::ConfusionMatrix& truth, int64_t commonest);

void add_figures(Figures& figures, const ImagesJudgement& judgement);

}  // namespace kern::apps
