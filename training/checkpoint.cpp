#include "training/checkpoint.h"

#include <limits>

#include "engine/json.h"

namespace kern::training {
using nlohmann::json;

std::string to_json(const LoopState& s) {
  json history = json::array();
  for (const EpochRecord& e : s.history) {
    json figures = json::array();
    for (const auto& [name, value] : e.figures) figures.push_back({name, value});
    history.push_back(
        {{"epoch", e.epoch}, {"train_loss", e.train_loss}, {"lr", e.lr}, {"seconds", e.seconds}, {"figures", figures}});
  }
  json j = {{"epoch", s.epoch},       {"index", s.index},           {"step", s.step},
            {"loss_sum", s.loss_sum}, {"loss_count", s.loss_count}, {"best_epoch", s.best_epoch},
            {"seconds", s.seconds},   {"schedule", s.schedule},     {"history", history}};
  for (const FigureSum& f : s.figures) j["figures"].push_back({f.name, f.sum, f.weight});
  if (s.best) j["best"] = *s.best;
  return j.dump();
}

LoopState loop_state_from_json(const std::string& text, const std::string& shown_name) {
  const json j = json::parse(text, nullptr, false);
  LoopState s;
  // A diverged loss is NaN, which JSON writes as null.
  auto number = [](const json& v) { return v.is_null() ? std::numeric_limits<double>::quiet_NaN() : v.get<double>(); };
  try {
    s.epoch = j.at("epoch").get<int>();
    s.index = j.at("index").get<int64_t>();
    s.step = j.at("step").get<int64_t>();
    s.loss_sum = number(j.at("loss_sum"));
    s.loss_count = j.at("loss_count").get<int64_t>();
    s.best_epoch = j.at("best_epoch").get<int>();
    s.seconds = number(j.at("seconds"));
    if (j.contains("figures"))
      for (const json& f : j.at("figures"))
        s.figures.push_back({f.at(0).get<std::string>(), number(f.at(1)), number(f.at(2))});
    for (const json& v : j.at("schedule")) s.schedule.push_back(number(v));
    if (j.contains("best")) s.best = number(j.at("best"));
    for (const json& e : j.at("history")) {
      EpochRecord r{
          e.at("epoch").get<int>(), number(e.at("train_loss")), number(e.at("lr")), number(e.at("seconds")), {}};
      for (const json& f : e.at("figures")) r.figures.emplace_back(f.at(0).get<std::string>(), number(f.at(1)));
      s.history.push_back(std::move(r));
    }
  } catch (const json::exception&) {
    throw Error(shown_name + ": its training state is damaged; begin the run anew");
  }
  return s;
}

namespace {
constexpr const char* kStateKey = "kern.loop_state";
}

void save_checkpoint(const std::filesystem::path& path, const std::vector<FileTensor>& tensors, const LoopState& state,
                     const Metadata& metadata) {
  Metadata all = metadata;
  all[kStateKey] = to_json(state);
  save_tensors(path, tensors, all);
}

Checkpoint load_checkpoint(const std::filesystem::path& path) {
  Checkpoint c{load_tensors(path), {}};
  const auto it = c.file.metadata.find(kStateKey);
  check(it != c.file.metadata.end(), path.string(), " is not a checkpoint of a training");
  c.state = loop_state_from_json(it->second, path.string());
  return c;
}

}  // namespace kern::training
