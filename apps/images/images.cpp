#include "apps/images/images.h"

#include "apps/images/compare.h"
#include "apps/images/verbs.h"

namespace kern::apps {

const Task& images_task() {
  static const Task task{
      "images",
      "segmentation of images: folders of images and masks in, masks out",
      {
          verb<ImagesInitConfig>("init", "write a configuration for the data at hand, which trains as it stands",
                                 describe_images_init, run_images_init)
              .taking_one("data"),
          verb<ImagesTrainConfig>("inspect", "say what the data hold and what would break a training",
                                  describe_images_inspect, run_images_inspect),
          verb<ImagesTrainConfig>("preview", "draw training images as the augmentation changes them",
                                  describe_images_preview, run_images_preview),
          verb<ImagesTrainConfig>("train", "train a network; writes a run folder with a report", describe_images_train,
                                  run_images_train)
              .on_ranks(),
          verb<ImagesEvaluateConfig>("evaluate", "evaluate a model on images with masks; writes a report",
                                     describe_images_evaluate, run_images_evaluate)
              .on_ranks(),
          verb<ImagesPredictConfig>("predict", "write the mask of an image, or of every image of a folder",
                                    describe_images_predict, run_images_predict)
              .on_ranks(),
          verb<CompareConfig>("compare", "hold finished trainings side by side; writes a report",
                              describe_images_compare, run_images_compare)
              .taking("runs"),
          verb<StudyConfig>("study", "train every combination of lists of values; one table, one comparison",
                            describe_study, run_images_study)
              .on_ranks(),
      }};
  return task;
}

}  // namespace kern::apps
