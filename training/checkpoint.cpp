#include "training/checkpoint.h"

#include <limits>

#include "engine/json.h"

namespace kern::training {
using nlohmann::json;

std::string to_json(const LoopState& s) {
  json j = {{"epoch", s.epoch},       {"index", s.index},           {"step", s.step},
            {"loss_sum", s.loss_sum}, {"loss_count", s.loss_count}, {"best_epoch", s.best_epoch},
            {"seconds", s.seconds},   {"schedule", s.schedule}};
  for (const FigureSum& f : s.figures) j["figures"].push_back({f.name, f.sum, f.weight});
  if (s.best) j["best"] = *s.best;
  return j.dump();
}

LoopState loop_state_from_json(const std::string& text, const std::string& shown_name) {
  const json j = json::parse(text, nullptr, false);
  LoopState s;
  // A diverged loss is NaN, which JSON writes as null.
  auto number = [](const json& v) { return v.is_null() ? std::numeric_limits<double>::quiet_NaN() : v.get<double>(); };
  constexpr int64_t kMaxEpochs = 1'000'000, kMaxSteps = int64_t{1} << 53;
  // A whole number from 0 to most: what is neither is damage, whatever it would be converted to.
  auto whole = [&](const char* key, int64_t most) {
    const json& v = j.at(key);
    const bool fits = v.is_number_unsigned() && v.get<uint64_t>() <= uint64_t(most);
    check(fits, shown_name, ": its training state is damaged (", key, " is ", v.dump(), "); begin the run anew");
    return v.get<int64_t>();
  };
  try {
    s.epoch = int(whole("epoch", kMaxEpochs));
    s.index = whole("index", kMaxSteps);
    s.step = whole("step", kMaxSteps);
    s.loss_sum = number(j.at("loss_sum"));
    s.loss_count = whole("loss_count", kMaxSteps);
    s.best_epoch = int(whole("best_epoch", s.epoch));
    s.seconds = number(j.at("seconds"));
    if (j.contains("figures"))
      for (const json& f : j.at("figures"))
        s.figures.push_back({f.at(0).get<std::string>(), number(f.at(1)), number(f.at(2))});
    for (const json& v : j.at("schedule")) s.schedule.push_back(number(v));
    if (j.contains("best")) s.best = number(j.at("best"));
    for (const json& e : j.value("history", json::array())) {  // older checkpoints had it
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
