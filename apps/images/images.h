// The task `images`: segmentation of images.
#pragma once
#include "apps/command.h"

namespace kern::apps {

const Task& images_task();

}  // namespace kern::apps
