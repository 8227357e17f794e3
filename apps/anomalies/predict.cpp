#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "apps/anomalies/evaluation.h"
#include "apps/anomalies/verbs.h"
#include "data/anomaly_set.h"
#include "data/image_folder.h"
#include "engine/agreement.h"
#include "engine/atomic_file.h"
#include "engine/communicator.h"
#include "kernels/common/log.h"
#include "training/metrics.h"
#include "training/shared_work.h"
#include "training/stop.h"
#include "training/task_model.h"

namespace kern::apps {
namespace {
namespace fs = std::filesystem;

bool lies_in(const fs::path& inner, const fs::path& outer) {
  const fs::path below = fs::weakly_canonical(inner).lexically_relative(fs::weakly_canonical(outer));
  return !below.empty() && *below.begin() != "..";
}

// The time now in UTC, as ISO 8601 writes it: 2026-11-23T17:34:15Z.
std::string time_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char out[32];
  return {out, std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

// A table that grows by whole lines, so that whoever reads it meanwhile sees no half one. Continued where it is there.
class VerdictTable {
  static constexpr std::string_view kColumns = "file,score,threshold,verdict,margin,time";

 public:
  explicit VerdictTable(const std::string& path) : path_(path) {
    if (path.empty() || !communicator().root()) return;
    const fs::path folder = fs::path(path).parent_path();
    if (!folder.empty()) make_folder(folder);
    std::error_code missing;
    const bool fresh = !fs::is_regular_file(path, missing) || fs::file_size(path, missing) == 0;
    if (!fresh) {
      std::string columns;
      std::getline(std::ifstream(path) >> std::ws, columns);
      check(columns == kColumns, path, " is there and does not begin with the columns ", kColumns,
            ": choose another file with csv=");
    }
    file_ = std::fopen(path.c_str(), "a");
    check(file_, "cannot write ", path, ": look at csv=");
    if (fresh) write(std::string(kColumns) + "\n");
  }
  ~VerdictTable() {
    if (file_) std::fclose(file_);
  }
  VerdictTable(const VerdictTable&) = delete;
  VerdictTable& operator=(const VerdictTable&) = delete;
  // Without its last column, the time.
  void line(const std::string& evaluated) {
    if (file_) write(evaluated + "," + time_now() + "\n");
  }

 private:
  void write(const std::string& text) {
    check(std::fwrite(text.data(), 1, text.size(), file_) == text.size() && std::fflush(file_) == 0, "cannot write ",
          path_, ": is the disk full?");
  }
  std::string path_;
  std::FILE* file_ = nullptr;
};

class Scorer {
 public:
  Scorer(const AnomaliesPredictConfig& c, const AnomaliesModel& model, double threshold, fs::path root)
      : c_(c), model_(model), threshold_(threshold), root_(std::move(root)), table_(c.csv) {}

  // Evaluates the files, the first of which is so many-th of all, writes their heat maps, and returns what tell() takes.
  std::string score(std::span<const fs::path> files, int64_t first) {
    std::vector<std::string> found(files.size());
    std::vector<size_t> read;
    std::vector<data::Image> decoded;
    for (size_t i = 0; i < files.size(); ++i) {
      std::string why;
      if (auto image = try_read(files[i], why)) {
        read.push_back(i);
        decoded.push_back(std::move(*image));
      } else {
        found[i] = kRefused + why;
      }
    }
    const double begun = training::steady_seconds();
    const std::vector<ScoredImage> scored = score_images(model_, decoded, true, first);
    std::string all = fmt::format("{}", training::steady_seconds() - begun);
    for (size_t k = 0; k < scored.size(); ++k) found[read[k]] = give(files[read[k]], decoded[k], scored[k]);
    for (const std::string& one : found) all += '\0' + one;  // which no file's name holds
    return all;
  }
  // One line for each of the files, or one on stderr for what cannot be used.
  void tell(std::span<const fs::path> files, const std::string& found, const training::UnitDone& by = {}) {
    size_t at = found.find('\0');
    seconds_.resize(std::max(seconds_.size(), size_t(by.rank) + 1));
    seconds_[size_t(by.rank)] += std::stod(found.substr(0, at));
    for (const fs::path& file : files) {
      const size_t begin = at + 1;
      at = std::min(found.find('\0', begin), found.size());
      const std::string one = found.substr(begin, at - begin);
      if (one[0] == kRefused) refuse(file, training::of_rank(by) + one.substr(1));
      else say(file, std::stod(one));
    }
    std::fflush(stdout);
  }
  double images_per_second() const {
    const double longest = seconds_.empty() ? 0 : *std::max_element(seconds_.begin(), seconds_.end());
    return longest > 0 ? double(images) / longest : 0;
  }
  // The image, if it can be evaluated; else why not.
  std::optional<data::Image> try_read(const fs::path& file, std::string& why) const {
    try {
      data::Image image = data::read_image(file, model_.chain.channels);
      check(data::prepared_size({image.H, image.W}, model_.chain) == model_.size(), file.string(), " is ", image.W,
            " x ", image.H, ": this model was trained on images of one other size");
      return image;
    } catch (const InternalError&) {
      throw;
    } catch (const Error& e) {
      why = e.sentence();
      return {};
    }
  }
  void refuse(const fs::path& file, const std::string& why) {
    warn("not evaluated: ", why);
    table_.line(fmt::format("{},,{},unreadable,", training::csv_field(file.string()), threshold_));
    ++unreadable;
  }
  int64_t images = 0, anomalies = 0, unreadable = 0;

 private:
  static constexpr char kRefused = '!';

  // The score, or why there is none.
  std::string give(const fs::path& file, const data::Image& image, const ScoredImage& p) {
    if (!std::isfinite(p.score))
      return kRefused + text(file.string(),
                             " has a score that is no number: what the model computes is too large for "
                             "32 bits; is it an image of the kind that trained it?");
    if (!c_.heat_maps.empty()) {
      const fs::path to = heat_map_of(file);
      make_folder(to.parent_path());
      write_file(to, data::encode_png(heat_map(model_, image, p.map, model_.hot)));
    }
    return fmt::format("{}", p.score);
  }
  void say(const fs::path& file, double score) {
    const bool anomaly = score > threshold_;
    const double margin = score - threshold_;
    ++images;
    anomalies += anomaly;
    fmt::print("{}  score {:.6g}  {}  margin {:+.4g}\n", terminal_text(file.string()), score,
               anomaly ? "ANOMALY" : "good", margin);
    table_.line(fmt::format("{},{},{},{},{}", training::csv_field(file.string()), score, threshold_,
                            anomaly ? "anomaly" : "good", margin));
  }

 public:
  // "a_heat.png" of a.bmp; where that is another image's, "a.png_heat.png" of a.png.
  fs::path heat_map_of(const fs::path& file) {
    fs::path whole = fs::path(c_.heat_maps) / (root_.empty() ? file.filename() : file.lexically_relative(root_));
    fs::path to = fs::path(whole).replace_extension() += "_heat.png";
    if (heat_maps_.try_emplace(to, file).first->second == file) return to;
    return whole += "_heat.png";
  }

 private:
  const AnomaliesPredictConfig& c_;
  const AnomaliesModel& model_;
  double threshold_;
  fs::path root_;
  std::map<fs::path, fs::path> heat_maps_;  // of which image
  VerdictTable table_;
  std::vector<double> seconds_;  // of computing, by rank
};

// What tells a file from another one under its name, and from itself before something was written to it.
struct FileState {
  int64_t size = -1, seconds = 0, nanoseconds = 0;
  uint64_t inode = 0;
  bool operator==(const FileState&) const = default;
};
std::optional<FileState> state_of(const fs::path& file) {
  struct stat now {};
  if (::stat(data::file_of(file).c_str(), &now) != 0) return {};
  return FileState{now.st_size, now.st_mtim.tv_sec, now.st_mtim.tv_nsec, now.st_ino};
}

// Evaluates what comes into the folder, each file once it has stopped growing, until somebody stops it. A file that
// changes after that, or is replaced by another of its name, is evaluated again.
void watch(const AnomaliesPredictConfig& c, Scorer& scorer) {
  constexpr int kPatience = 6;  // looks at a file that does not change and cannot be read
  struct Seen {
    FileState state;
    int looks = 0;
    bool done = false, refused = false;
  };
  std::map<fs::path, Seen> seen;
  const training::SignalWatch signals;
  inform("watching ", c.watch, ": Ctrl-C, or a file named stop in it, ends this");
  std::error_code gone;
  for (bool last = false; !last;) {
    last = training::SignalWatch::asked() || fs::exists(fs::path(c.watch) / "stop", gone);
    for (const fs::path& file : data::images_below(c.watch)) {
      const auto state = state_of(file);
      if (!state) continue;
      Seen& s = seen[file];
      const bool changes = *state != s.state;
      if (s.done && !changes) continue;
      s.looks = changes ? 1 : s.looks + 1;
      s.state = *state;
      s.done = false;
      if (changes && !last) continue;
      std::string why;
      if (scorer.try_read(file, why)) {
        scorer.unreadable -= std::exchange(s.refused, false);  // its writer had paused
        scorer.tell({&file, 1}, scorer.score({&file, 1}, scorer.images));
      } else if (s.looks >= kPatience || last) {
        if (!s.refused) scorer.refuse(file, why);
        s.refused = true;
      } else {
        continue;
      }
      s.done = true;
    }
    if (!last) std::this_thread::sleep_for(std::chrono::duration<double>(c.every.seconds));
  }
}

// A folder's masks, as training data have them, are not scored; a file or pattern says itself what it means.
data::FoundImages images_to_score(const std::string& data) {
  data::FoundImages found = data::find_images(data);
  if (!fs::is_directory(data)) return found;
  const size_t all = found.files.size();
  found.files = data::without_masks(std::move(found.files), found.root);
  check(!found.files.empty(), data, " holds masks alone: name the folder of the images, or the files by a pattern");
  if (const size_t masks = all - found.files.size(); masks > 0)
    inform(masks, " of ", all,
           " files are not scored, for they are masks: PNG files beside a JPEG or BMP file of the same name, or in a "
           "folder named ground_truth or masks");
  return found;
}

}  // namespace

void run_anomalies_predict(const AnomaliesPredictConfig& c, Call& call) {
  check(c.data.empty() != c.watch.empty(),
        "name what to score: data= for images that are there, or watch= for a folder that they come into");
  check(c.watch.empty() || communicator().alone(),
        "watch= is done by one process: start it without mpirun, or name images that are there with data=");
  check(c.watch.empty() || fs::is_directory(c.watch), "watch=", c.watch, " is not a folder");
  check(c.threshold.has_value() + !c.rule.empty() <= 1, "threshold= and rule= both draw the line: keep one of them");
  c.machine.apply();
  const AnomaliesModel model = load_anomalies_model(training::find_model_file(c.model));
  const double threshold = c.threshold ? *c.threshold : model.threshold_of(c.rule);
  model.module.move_to(c.machine.where());
  data::FoundImages found;
  if (!c.data.empty()) found = images_to_score(c.data);
  const fs::path root = c.data.empty() ? fs::path(c.watch) : found.root;
  const bool folder = !c.watch.empty() || fs::is_directory(c.data);
  check(c.heat_maps.empty() || !folder || !lies_in(c.heat_maps, root), "heat_maps=", c.heat_maps,
        " lies in the folder of the images, ", root.string(), ": heat maps would be evaluated too; choose another");
  Scorer scorer(c, model, threshold, root);
  if (c.watch.empty()) {
    if (!c.heat_maps.empty())
      for (const fs::path& file : found.files) scorer.heat_map_of(file);  // the same names on all ranks
    const auto batch = scored_together(model), files = int64_t(found.files.size());
    const auto files_of = [&](int64_t i) {
      return std::span(found.files).subspan(size_t(i * batch), size_t(std::min(batch, files - i * batch)));
    };
    together([&] {
      training::share_work(0, (files + batch - 1) / batch,
                           {.unit = [&](int64_t i) { return scorer.score(files_of(i), i * batch); },
                            .told = [&](const training::UnitDone& d) { scorer.tell(files_of(d.index), d.said, d); }});
    });
  } else {
    watch(c, scorer);
  }
  fmt::print("{} images scored: {} good, {} anomalies; {} could not be read\n", scorer.images,
             scorer.images - scorer.anomalies, scorer.anomalies, scorer.unreadable);
  call.figures.add("images", scorer.images);
  call.figures.add("anomalies", scorer.anomalies);
  call.figures.add("unreadable", scorer.unreadable);
  call.figures.add("threshold", threshold);
  call.figures.add("images_per_second", scorer.images_per_second());
  if (communicator().root()) call.exit_code = scorer.anomalies > 0 ? 1 : scorer.unreadable > 0 ? 2 : 0;
}

}  // namespace kern::apps
