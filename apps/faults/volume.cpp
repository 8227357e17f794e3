#include "apps/faults/volume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "apps/faults/evaluation.h"
#include "data/fault_sections.h"
#include "data/section_gaps.h"
#include "data/segy_inspect.h"
#include "engine/agreement.h"
#include "engine/atomic_file.h"
#include "engine/communicator.h"
#include "engine/json.h"
#include "kernels/common/error.h"
#include "training/shared_work.h"
#include "training/task_model.h"
#include "training/volume_inference.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;
using data::SegySection;

constexpr int64_t kBytesPerSectionSample = 32;  // of a section on its way: input, sums, weights, answers
constexpr int64_t kBytesPerBlockSample = 96;    // of a block: gradients and their products
constexpr int64_t kMargin = 16;                 // samples round a block that its normals and thinning look at
constexpr int64_t kNarrow = 16;                 // fewer traces show a network little
constexpr int64_t kAligned = 16;  // tiles begin at multiples of what networks halve, so that all halve alike
constexpr int64_t kEdge = 2;      // lines at a survey's edge have too few neighbours to tell a fault by
constexpr int64_t kThinnest = 8;  // fewer lines are no cube to one that looks in three directions

// Of so many lines or traces; fewer than kNarrow are all edge.
bool at_edge(int64_t index, int64_t count) { return count >= kNarrow && (index < kEdge || index >= count - kEdge); }

}  // namespace

bool takes_cubes(const data::SegyGeometry& geometry) {
  return geometry.kind() == data::SegyKind::cube && int64_t(geometry.inlines().size()) >= kThinnest &&
         int64_t(geometry.crosslines().size()) >= kThinnest;
}

VolumePrediction::VolumePrediction(const FaultsModel& model, const data::SegyFile& file,
                                   const data::SegyGeometry& geometry, const VolumeOptions& options, fs::path parts)
    : model_(model),
      file_(file),
      geometry_(geometry),
      options_(options),
      parts_(std::move(parts)),
      map_(file, geometry) {
  check(geometry.kind() != data::SegyKind::prestack, file.name(),
        " is prestack, several traces of different offsets at a place: stack it first, faults are sought in stacked "
        "sections");
  const data::SegyLayout& l = file.layout();
  if (options.agc > 0)
    gain_ = std::max<int64_t>(3, int64_t(std::lround(l.interval > 0 ? options.agc * 1000 / l.interval : options.agc)));
  scale_ = data::amplitude_scale_of(file, gain_);

  if (model.dimensions == 3) plan_cubes();
  else plan_lines();
  if (options.thin || options.dip || options.azimuth || options.sticks > 0)
    blocks_ = data::block_tiles(whole(), kMargin, options.memory / kBytesPerBlockSample);

  if (options.dip || options.azimuth) {
    const data::SegySummary summary = data::inspect_segy(file, geometry);
    const auto or_trace = [](double metres) { return metres > 0 ? metres : 25.0; };
    spacing_ = {or_trace(summary.inline_spacing), or_trace(summary.crossline_spacing),
                l.interval == 0 ? 1.0
                : l.depth       ? l.interval / 1000
                                : options.velocity * l.interval / 2e6};
  }

  identity_ = describe();
  if (communicator().root()) take_over();
  const std::string state = agree(fmt::format("{}\n{}", done_, identity_))[0];
  check(state.substr(state.find('\n') + 1) == identity_, file.name(),
        ": what is to be predicted is not what rank 0 is to predict. All ranks must see the same file and the same "
        "model");
  done_ = std::stoll(state);
  resumed_ = done_ > 0;
  check_shared(parts_, true);
  for (const char* name : {"inlines.f32", "crosslines.f32"}) along_.emplace_back(parts_ / name, file.samples());
  for (const char* name : {"thinned.f32", "dip.f32", "azimuth.f32"})
    surfaces_.emplace_back(parts_ / name, file.samples());
}

// What stands there is taken over if it is of the very same work; else it goes.
void VolumePrediction::take_over() {
  make_folder(parts_);
  const fs::path state = parts_ / "progress.json";
  try {
    if (fs::exists(state)) {
      const auto j = nlohmann::json::parse(read_file(state));
      if (j.at("identity").get<std::string>() == identity_) done_ = j.at("done").get<int64_t>();
    }
  } catch (const nlohmann::json::exception&) {
    done_ = 0;  // damaged: from the start
  }
  if (done_ == 0)
    for (const auto& entry : fs::directory_iterator(parts_)) fs::remove(entry.path());
}

void VolumePrediction::plan_lines() {
  check(!options_.looks.scales.empty(),
        "scales= names no size at which a section is looked at: give at least one, 1 for its own");
  const auto rows = int64_t(geometry_.inlines().size()), columns = int64_t(geometry_.crosslines().size());
  check(model_.lines == 1 || (rows >= model_.lines && columns >= model_.lines), file_.name(), " has ", rows,
        " inlines and ", columns, " crosslines: model ", model_.architecture, " looks at ", model_.lines,
        " neighbouring lines; use a model for single sections");
  inlines_ = options_.passes != Passes::crosslines, crosslines_ = options_.passes != Passes::inlines;
  if (options_.passes == Passes::automatic) {
    inlines_ = columns >= kNarrow || columns >= rows;
    crosslines_ = !inlines_ || (rows >= kNarrow && geometry_.kind() == data::SegyKind::cube);
  }
  if (inlines_)
    for (int64_t i = 0; i < rows; ++i) lines_.push_back({true, i});
  if (crosslines_)
    for (int64_t x = 0; x < columns; ++x) lines_.push_back({false, x});
}

void VolumePrediction::plan_cubes() {
  check(takes_cubes(geometry_), file_.name(), " has ", geometry_.inlines().size(), " inlines and ",
        geometry_.crosslines().size(), " crosslines: a network for cubes needs at least ", kThinnest,
        " of both; use a model for sections (the one that comes with Kern, or of 'kern faults train model=unet')");
  inlines_ = true;  // all of the probability stands in one store
  const auto most =
      int64_t(double(options_.memory) / training::bytes_per_sample(model_.module, {.two_scales = options_.two_scales}));
  cubes_ = data::block_tiles(whole(), options_.margin, most, kAligned, options_.tile);
}

data::Block VolumePrediction::whole() const {
  return {int64_t(geometry_.inlines().size()), int64_t(geometry_.crosslines().size()), file_.samples()};
}

std::string VolumePrediction::describe() const {
  uint64_t weights = 1469598103934665603u;  // FNV-1a
  for (const FileTensor& t : training::file_tensors(model_.module)) {
    for (const float v : t.tensor.to(Device::cpu).values())
      weights = (weights ^ std::bit_cast<uint32_t>(v)) * 1099511628211u;
  }
  return fmt::format(
      "{} {} traces {} samples scale {} model {} {:x} tile {} passes {}{} flips {} scales {} two {} tile {} margin {} "
      "agc {} "
      "threshold {} memory {} thin {} dip {} azimuth {} sticks {} {} velocity {} depth {}",
      file_.bytes(), file_.traces(), file_.samples(), scale_, model_.architecture, weights, model_.tile, inlines_,
      crosslines_, options_.looks.flips, fmt::join(options_.looks.scales, ","), options_.two_scales, options_.tile,
      options_.margin, gain_, options_.threshold, options_.memory, options_.thin, options_.dip, options_.azimuth,
      options_.sticks, options_.least_piece, options_.velocity, file_.layout().depth);
}

void VolumePrediction::save_progress() {
  write_file(parts_ / "progress.json", nlohmann::json{{"identity", identity_}, {"done", done_}}.dump() + "\n");
}

bool VolumePrediction::run(training::ProgressBar& progress) {
  const auto looked = int64_t(lines_.size() + cubes_.size());  // at by the network
  const int64_t all = looked + int64_t(blocks_.size());
  progress.begin(all, 1, done_);
  int64_t shown = done_;  // units that the bar knows of
  const training::SharedWork work{.unit =
                                      [&](int64_t i) {
                                        if (i >= looked) treat_block(i - looked);
                                        else if (cubes_.empty()) predict_line(lines_[size_t(i)]);
                                        else predict_cube(cubes_[size_t(i)]);
                                        progress.advance(1), ++shown;
                                        return std::string();
                                      },
                                  .told = {},
                                  // What is said to be done must be on the disk, should the machine fail.
                                  .flush =
                                      [&] {
                                        for (auto* stores : {&along_, &surfaces_})
                                          for (data::TraceStore& store : *stores) store.sync();
                                      },
                                  .after_round =
                                      [&](int64_t done) {
                                        done_ = done;
                                        if (done > shown)
                                          progress.advance(done - shown), shown = done;  // what other ranks did
                                        if (communicator().root()) save_progress();
                                      }};
  // Blocks look at what the network says beyond their own place.
  for (const int64_t end : {looked, all})
    if (done_ < end && training::share_work(done_, end, work) < end) return false;
  progress.end();
  return true;
}

int64_t VolumePrediction::left_out() const { return file_.traces() - geometry_.positions(); }

std::vector<float> VolumePrediction::amplitudes(std::span<const int64_t> traces) const {
  const auto n = size_t(file_.samples());
  std::vector<float> v(traces.size() * n);
  file_.read_traces(traces, v);
  if (gain_ > 0)
    for (size_t t = 0; t < traces.size(); ++t) data::gain_control(std::span(v).subspan(t * n, n), gain_);
  data::scale_amplitudes(v, scale_);
  return v;
}

// Long lines go in stretches that overlap by as far as an answer looks.
void VolumePrediction::predict_line(const Line& line) {
  const std::vector<int>& all = line.along_inline ? geometry_.inlines() : geometry_.crosslines();
  std::vector<SegySection> sections;  // the line, between its neighbours where the network looks at them
  for (const int64_t k : lines_beside(model_, line.index, int64_t(all.size())))
    sections.push_back(line.along_inline ? geometry_.inline_section(all[size_t(k)])
                                         : geometry_.crossline_section(all[size_t(k)]));
  const SegySection& s = sections[sections.size() / 2];
  const auto n = size_t(file_.samples());
  const std::vector<double>& scales = options_.looks.scales;
  const auto [low, high] = std::minmax_element(scales.begin(), scales.end());
  const double least = std::min(1.0, *low), most_scaled = std::max(1.0, *high);
  const auto count = int64_t(s.traces.size()),
             context = int64_t(double(std::max<int64_t>(model_.reach, model_.tile / 2)) / least),
             most = std::max(4 * context, int64_t(double(options_.memory) / (most_scaled * most_scaled) /
                                                  double(kBytesPerSectionSample * file_.samples() * model_.lines)));
  data::TraceStore& to = along_[line.along_inline ? 0 : 1];
  const int64_t step = count <= most ? count : most - 2 * context;
  for (int64_t first = 0; first < count; first += step) {
    const int64_t last = std::min(first + step, count);  // of what is kept
    const int64_t from = count <= most ? 0 : std::max<int64_t>(0, first - context),
                  until = count <= most ? count : std::min(count, last + context);
    std::vector<std::vector<float>> in;
    for (const SegySection& beside : sections)
      in.push_back(amplitudes(std::span(beside.traces).subspan(size_t(from), size_t(until - from))));
    const std::vector<float> p = section_faults(model_, in, until - from, int64_t(n), options_.looks);
    for (int64_t k = first; k < last; ++k)
      if (s.traces[size_t(k)] >= 0 && !at_edge(k, count))
        to.write(s.traces[size_t(k)], std::span(p).subspan(size_t(k - from) * n, n));
  }
}

// The traces of a box, row by row; -1 where there is none.
std::vector<int64_t> VolumePrediction::traces_of(const data::Box& box) const {
  std::vector<int64_t> traces;
  for (int64_t i = box.from[0]; i < box.to[0]; ++i) {
    const SegySection s = geometry_.inline_section(geometry_.inlines()[size_t(i)]);
    traces.insert(traces.end(), s.traces.begin() + box.from[1], s.traces.begin() + box.to[1]);
  }
  return traces;
}

void VolumePrediction::predict_cube(const data::BlockTile& tile) {
  const data::Block seen = tile.seen.block(), all = whole();
  const std::vector<int64_t> traces = traces_of(tile.seen);
  const auto n = size_t(file_.samples());
  std::vector<float> cube(size_t(seen.size())), measured(cube.size());
  std::vector<bool> live;
  // Line by line: gaps, mutes and gain are of whole traces. Then what the tile sees of them.
  for (int64_t i = 0; i < seen.inlines; ++i) {
    std::vector<float> line =
        amplitudes(std::span(traces).subspan(size_t(i * seen.crosslines), size_t(seen.crosslines)));
    const std::vector<bool> there = data::mirror_gaps(line, int64_t(n));
    live.insert(live.end(), there.begin(), there.end());
    std::vector<float> kept(line.size(), 1.0f);  // 0 in a mute
    data::clear_mutes(line, int64_t(n), kept);
    for (int64_t x = 0; x < seen.crosslines; ++x) {
      const int64_t from = x * int64_t(n) + tile.seen.from[2], to = seen.index(i, x, 0);
      std::copy_n(line.begin() + from, seen.samples, cube.begin() + to);
      std::copy_n(kept.begin() + from, seen.samples, measured.begin() + to);
    }
  }
  if (std::find(live.begin(), live.end(), true) == live.end()) return;
  std::vector<float> p = training::cube_probability(model_.module, cube, seen,
                                                    {.flips = options_.looks.flips, .two_scales = options_.two_scales});
  for (size_t k = 0; k < p.size(); ++k) p[k] *= measured[k];
  for (int64_t i = tile.core.from[0]; i < tile.core.to[0]; ++i)
    for (int64_t x = tile.core.from[1]; x < tile.core.to[1]; ++x) {
      const int64_t row = i - tile.seen.from[0], column = x - tile.seen.from[1];
      const auto k = size_t(row * seen.crosslines + column);
      if (traces[k] < 0 || !live[k] || at_edge(i, all.inlines) || at_edge(x, all.crosslines)) continue;
      const auto at = size_t(seen.index(row, column, tile.core.from[2] - tile.seen.from[2]));
      along_[0].write(traces[k], std::span(p).subspan(at, size_t(tile.core.block().samples)), tile.core.from[2]);
    }
}

void VolumePrediction::treat_block(int64_t index) {
  const data::Box &core = blocks_[size_t(index)].core, &seen = blocks_[size_t(index)].seen;
  const std::array<int64_t, 3>& from = seen.from;
  const data::Block block = seen.block();
  std::vector<float> p(size_t(block.size()), 0.0f);
  std::vector<float> column(static_cast<size_t>(file_.samples()));
  const std::vector<int64_t> traces = traces_of(seen);
  for (size_t t = 0; t < traces.size(); ++t) {
    if (traces[t] < 0) continue;
    read(What::probability, traces[t], column);
    std::copy_n(column.begin() + from[2], block.samples, p.begin() + int64_t(t) * block.samples);
  }
  if (std::all_of(p.begin(), p.end(), [](float v) { return v == 0; })) return;
  const std::vector<data::Normal> normals = data::fault_normals(p, block);
  std::vector<float> thinned = data::thin_faults(p, block, normals, float(options_.threshold));
  const auto each_core_trace = [&](const auto& f) {
    for (int64_t i = core.from[0]; i < core.to[0]; ++i)
      for (int64_t x = core.from[1]; x < core.to[1]; ++x) {
        const int64_t trace = traces[size_t((i - from[0]) * block.crosslines + x - from[1])];
        if (trace >= 0) f(trace, size_t(block.index(i - from[0], x - from[1], core.from[2] - from[2])));
      }
  };
  const auto depth = size_t(core.to[2] - core.from[2]);
  if (options_.thin)
    each_core_trace([&](int64_t trace, size_t at) {
      surfaces_[0].write(trace, std::span(thinned).subspan(at, depth), core.from[2]);
    });
  std::vector<float> values(depth);
  const auto write_angle = [&](data::TraceStore& store, const auto& angle) {
    each_core_trace([&](int64_t trace, size_t at) {
      for (size_t k = 0; k < depth; ++k) {
        const double a = p[at + k] >= float(options_.threshold) ? angle(normals[at + k]) : 0.0;
        values[k] = std::isfinite(a) ? float(a) : 0.0f;
      }
      store.write(trace, values, core.from[2]);
    });
  };
  if (options_.dip) write_angle(surfaces_[1], [&](const data::Normal& n) { return data::dip_of(n, spacing_); });
  if (options_.azimuth) write_angle(surfaces_[2], [&](const data::Normal& n) { return data::azimuth_of(n, spacing_); });
  if (options_.sticks <= 0) return;
  // Of the core alone: what lies in the margin is another block's.
  for (int64_t i = 0; i < block.inlines; ++i)
    for (int64_t x = 0; x < block.crosslines; ++x)
      for (int64_t z = 0; z < block.samples; ++z) {
        const std::array<int64_t, 3> at{i + from[0], x + from[1], z + from[2]};
        bool inside = true;
        for (size_t d = 0; d < 3; ++d) inside = inside && at[d] >= core.from[d] && at[d] < core.to[d];
        if (!inside) thinned[size_t(block.index(i, x, z))] = 0;
      }
  const auto pieces = data::fault_pieces(thinned, block, options_.least_piece);
  const auto sticks = data::fault_sticks(pieces, block, normals, options_.sticks);
  data::write_fault_sticks(
      parts_ / fmt::format("sticks_{:06}.txt", index), sticks, [&](const std::array<double, 3>& place) {
        return map_({place[0] + double(from[0]), place[1] + double(from[1]), place[2] + double(from[2])});
      });
}

void VolumePrediction::read(What what, int64_t trace, std::span<float> values) const {
  if (what != What::probability) return surfaces_[size_t(what) - 1].read(trace, values);
  along_[inlines_ ? 0 : 1].read(trace, values);
  if (!inlines_ || !crosslines_) return;
  std::vector<float> other(values.size());
  along_[1].read(trace, other);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.5f * (values[i] + other[i]);
}

std::string VolumePrediction::sticks() const {
  std::string all;
  int64_t before = 0;
  for (size_t b = 0; b < blocks_.size(); ++b) {
    const fs::path path = parts_ / fmt::format("sticks_{:06}.txt", b);
    if (!fs::exists(path)) continue;
    const std::string text = read_file(path);
    int64_t most = 0;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      at = end + 1;
      const size_t blank = line.rfind(' ');
      if (blank == std::string::npos) continue;
      const int64_t stick = std::stoll(line.substr(blank + 1));
      most = std::max(most, stick);
      all += line.substr(0, blank + 1) + std::to_string(before + stick) + "\n";
    }
    before += most;
  }
  return all;
}

}  // namespace kern::apps
