// From a model and a path to wells that fit the model, for evaluate and predict.
#pragma once
#include <string>
#include <vector>

#include "apps/wells/wells_model.h"
#include "data/wells.h"

namespace kern::apps {

// How to read wells for a model: its curves, its distance between samples, its codes. label empty: none wanted.
data::WellsOptions options_for(const WellsModel& model, const std::string& path, const std::string& label);

// Of everything that is in the wells, in 16 hexadecimal digits: equal data, equal hash.
std::string hash_of(const std::vector<data::Well>& wells);
std::string hash_of(const std::vector<std::string>& names);

}  // namespace kern::apps
