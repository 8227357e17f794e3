// The verbs of `kern images`, one file each.
#pragma once
#include "apps/command.h"
#include "apps/images/config.h"

namespace kern::apps {

void run_images_init(const ImagesInitConfig& config, Call& call);
void run_images_inspect(const ImagesTrainConfig& config, Call& call);
void run_images_preview(const ImagesTrainConfig& config, Call& call);
void run_images_train(const ImagesTrainConfig& config, Call& call);
void run_images_evaluate(const ImagesEvaluateConfig& config, Call& call);
void run_images_predict(const ImagesPredictConfig& config, Call& call);

}  // namespace kern::apps
