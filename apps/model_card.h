// What a model file says of itself: `kern info model=FILE`.
#pragma once
#include <filesystem>

#include "apps/command.h"

namespace kern::apps {

// Puts what a training found out into its model file: the version and those of the figures that no other run of the same
// training would find different (no seconds, bytes or paths).
void write_card(const std::filesystem::path& model, const Figures& figures);

// Task, network, classes, data, and the figures of the training where it came to its end.
Figures model_card(const std::filesystem::path& model);
// The same for a person.
void show_model(const Figures& card);

}  // namespace kern::apps
