#include "apps/faults/volume.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "data/fault_sections.h"
#include "data/section_gaps.h"
#include "data/segy_inspect.h"
#include "engine/atomic_file.h"
#include "engine/json.h"
#include "kernels/common/error.h"
#include "training/section_inference.h"
#include "training/stop.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;
using data::SegySection;

constexpr int64_t kBytesPerSectionSample = 32;  // of a section on its way: input, sums, weights, answers
constexpr int64_t kBytesPerBlockSample = 96;    // of a block: gradients and their products
constexpr int64_t kMargin = 16;                 // samples round a block that its normals and thinning look at
constexpr int64_t kNarrow = 16;                 // fewer traces show a network little

}  // namespace

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

  const auto rows = int64_t(geometry.inlines().size()), columns = int64_t(geometry.crosslines().size());
  inlines_ = options.passes != Passes::crosslines, crosslines_ = options.passes != Passes::inlines;
  if (options.passes == Passes::automatic) {
    inlines_ = columns >= kNarrow || columns >= rows;
    crosslines_ = !inlines_ || (rows >= kNarrow && geometry.kind() == data::SegyKind::cube);
  }
  if (inlines_)
    for (const int n : geometry.inlines()) lines_.push_back({true, n});
  if (crosslines_)
    for (const int n : geometry.crosslines()) lines_.push_back({false, n});

  if (options.thin || options.dip || options.azimuth || options.sticks > 0) {
    std::array<int64_t, 3> size{rows, columns, file.samples()}, core = size;
    const auto with_margins = [&] {
      int64_t n = 1;
      for (int d = 0; d < 3; ++d) n *= std::min(size[size_t(d)], core[size_t(d)] + 2 * kMargin);
      return n;
    };
    while (with_margins() > options.memory / kBytesPerBlockSample) {
      auto& longest = *std::max_element(core.begin(), core.end());
      if (longest <= kMargin) break;
      longest = (longest + 1) / 2;
    }
    for (int64_t i = 0; i < size[0]; i += core[0])
      for (int64_t x = 0; x < size[1]; x += core[1])
        for (int64_t z = 0; z < size[2]; z += core[2])
          blocks_.push_back(
              {{i, x, z},
               {std::min(i + core[0], size[0]), std::min(x + core[1], size[1]), std::min(z + core[2], size[2])}});
  }

  if (options.dip || options.azimuth) {
    const data::SegySummary summary = data::inspect_segy(file, geometry);
    const auto or_trace = [](double metres) { return metres > 0 ? metres : 25.0; };
    spacing_ = {or_trace(summary.inline_spacing), or_trace(summary.crossline_spacing),
                l.interval == 0 ? 1.0
                : l.depth       ? l.interval / 1000
                                : options.velocity * l.interval / 2e6};
  }

  // What stands there is taken over if it is of the very same work.
  make_folder(parts_);
  identity_ = describe();
  const fs::path state = parts_ / "progress.json";
  try {
    if (fs::exists(state)) {
      const auto j = nlohmann::json::parse(read_file(state));
      if (j.at("identity").get<std::string>() == identity_) done_ = j.at("done").get<int64_t>();
    }
  } catch (const nlohmann::json::exception&) {
    done_ = 0;  // damaged: from the start
  }
  resumed_ = done_ > 0;
  if (!resumed_)
    for (const auto& entry : fs::directory_iterator(parts_)) fs::remove(entry.path());
  for (const char* name : {"inlines.f32", "crosslines.f32"}) along_.emplace_back(parts_ / name, file.samples());
  for (const char* name : {"thinned.f32", "dip.f32", "azimuth.f32"})
    surfaces_.emplace_back(parts_ / name, file.samples());
}

std::string VolumePrediction::describe() const {
  uint64_t weights = 1469598103934665603u;  // FNV-1a
  for (const FileTensor& t : training::file_tensors(model_.module)) {
    for (const float v : t.tensor.to(Device::cpu).values())
      weights = (weights ^ std::bit_cast<uint32_t>(v)) * 1099511628211u;
  }
  return fmt::format(
      "{} {} traces {} samples scale {} model {} {:x} tile {} passes {}{} flips {} agc {} threshold {} "
      "memory {} thin {} dip {} azimuth {} sticks {} {} velocity {} depth {}",
      file_.bytes(), file_.traces(), file_.samples(), scale_, model_.architecture, weights, model_.tile, inlines_,
      crosslines_, options_.flips, gain_, options_.threshold, options_.memory, options_.thin, options_.dip,
      options_.azimuth, options_.sticks, options_.least_piece, options_.velocity, file_.layout().depth);
}

void VolumePrediction::save_progress() {
  write_file(parts_ / "progress.json", nlohmann::json{{"identity", identity_}, {"done", done_}}.dump() + "\n");
  saved_ = std::chrono::steady_clock::now();
}

bool VolumePrediction::run(training::ProgressBar& progress) {
  const auto all = int64_t(lines_.size() + blocks_.size());
  progress.begin(all, 1, done_);
  for (int64_t i = done_; i < all; ++i) {
    if (i < int64_t(lines_.size())) predict_line(lines_[size_t(i)]);
    else treat_block(i - int64_t(lines_.size()));
    progress.advance(1);
    done_ = i + 1;
    const bool leave = training::SignalWatch::asked() && done_ < all;
    // What a kill loses is done again, with the same result: twice a second is often enough.
    if (leave || std::chrono::steady_clock::now() - saved_ > std::chrono::milliseconds(500)) save_progress();
    if (leave) return false;
  }
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
  const SegySection s =
      line.along_inline ? geometry_.inline_section(line.number) : geometry_.crossline_section(line.number);
  const auto n = size_t(file_.samples());
  const auto count = int64_t(s.traces.size()), context = std::max<int64_t>(model_.reach, model_.tile / 2);
  const int64_t most = std::max(4 * context, options_.memory / (kBytesPerSectionSample * file_.samples()));
  data::TraceStore& to = along_[line.along_inline ? 0 : 1];
  const int64_t step = count <= most ? count : most - 2 * context;
  for (int64_t first = 0; first < count; first += step) {
    const int64_t last = std::min(first + step, count);  // of what is kept
    const int64_t from = count <= most ? 0 : std::max<int64_t>(0, first - context),
                  until = count <= most ? count : std::min(count, last + context);
    const std::span<const int64_t> traces = std::span(s.traces).subspan(size_t(from), size_t(until - from));
    std::vector<float> in = amplitudes(traces);
    const std::vector<bool> live = data::mirror_gaps(in, int64_t(n));
    if (std::find(live.begin(), live.end(), true) == live.end()) continue;
    std::vector<float> p = training::section_probability(model_.module, in, until - from, int64_t(n),
                                                         {.tile = model_.tile, .flips = options_.flips});
    data::clear_mutes(in, int64_t(n), p);
    for (int64_t k = first; k < last; ++k) {
      if (s.traces[size_t(k)] < 0) continue;
      if (live[size_t(k - from)]) to.write(s.traces[size_t(k)], std::span(p).subspan(size_t(k - from) * n, n));
    }
  }
}

void VolumePrediction::treat_block(int64_t index) {
  const Cut& core = blocks_[size_t(index)];
  const std::array<int64_t, 3> size{int64_t(geometry_.inlines().size()), int64_t(geometry_.crosslines().size()),
                                    file_.samples()};
  std::array<int64_t, 3> from, to;
  for (size_t d = 0; d < 3; ++d)
    from[d] = std::max<int64_t>(0, core.from[d] - kMargin), to[d] = std::min(size[d], core.to[d] + kMargin);
  const data::Block block{to[0] - from[0], to[1] - from[1], to[2] - from[2]};
  std::vector<float> p(size_t(block.size()), 0.0f);
  std::vector<float> whole(static_cast<size_t>(file_.samples()));
  std::vector<int64_t> traces;  // of the block, row by row
  for (int64_t i = from[0]; i < to[0]; ++i) {
    const SegySection s = geometry_.inline_section(geometry_.inlines()[size_t(i)]);
    for (int64_t x = from[1]; x < to[1]; ++x) {
      traces.push_back(s.traces[size_t(x)]);
      if (traces.back() < 0) continue;
      read(What::probability, traces.back(), whole);
      std::copy_n(whole.begin() + from[2], block.samples, p.begin() + block.index(i - from[0], x - from[1], 0));
    }
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
