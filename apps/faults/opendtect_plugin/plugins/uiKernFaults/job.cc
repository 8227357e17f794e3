// SPDX-License-Identifier: GPL-3.0-or-later
#include "apps/faults/opendtect_plugin/plugins/uiKernFaults/job.h"

#include <coltabmapper.h>
#include <coltabsequence.h>
#include <executor.h>
#include <filepath.h>
#include <ioman.h>
#include <ioobj.h>
#include <iopar.h>
#include <keystrs.h>
#include <oddirs.h>
#include <seisread.h>
#include <seistrc.h>
#include <seiswrite.h>
#include <stdlib.h>
#include <survinfo.h>
#include <uitaskrunner.h>
#include <zdomain.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "apps/faults/opendtect_plugin/plugins/uiKernFaults/exchange.h"

namespace kern::opendtect_plugin {
namespace {
namespace fs = std::filesystem;

// What OpendTect says of its own failures.
struct HostError {
  uiString why;
};

// In the survey's Proc folder, which lies where there is room for cubes; gone at the end, however that comes.
class WorkFolder {
 public:
  WorkFolder() {
    std::string pattern = (fs::path(GetProcFileName(nullptr)) / "kern_faults_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error("no folder " + pattern +
                               " can be made: look at the permissions of the survey's Proc folder");
    path_ = pattern;
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  fs::path operator/(const char* name) const { return path_ / name; }
  std::string string() const { return path_.string(); }

 private:
  fs::path path_;
};

class FaultsJob : public Executor {
 public:
  explicit FaultsJob(const PredictionOrder& order) : Executor("Fault probability"), order_(order) {}
  // Stopped or failed: half a cube must not look like a whole one, and an entry that the dialog made for a result without
  // data must not stay in the survey. A cube that was there before and is still whole stays.
  ~FaultsJob() override {
    if (stored_) return;
    if (writer_) {
      writer_->close();
      writer_.reset();
      IOM().implRemove(order_.result);  // the files alone
    }
    if (!order_.result.implExists(true)) IOM().permRemove(MultiID(order_.result.key()));
  }

  uiString uiMessage() const override {
    switch (step_.load()) {
      case Step::write:
        return toUiString("Writing the cube for kern");
      case Step::predict:
        return toUiString("Looking for faults");
      case Step::store:
        return toUiString("Storing fault probability");
      case Step::end:
        break;
    }
    return error_;
  }
  uiString uiNrDoneText() const override { return toUiString("Part of the work"); }
  od_int64 totalNr() const override { return kParts; }
  od_int64 nrDone() const override { return done_.load(); }

  bool stored() const { return stored_; }
  int middle_inline() const { return middle_inline_; }

 protected:
  int nextStep() override {
    try {
      switch (step_.load()) {
        case Step::write:
          write_trace();
          break;
        case Step::predict:
          watch_child();
          break;
        case Step::store:
          store_trace();
          break;
        case Step::end:
          return Finished();
      }
      return MoreToDo();
    } catch (const HostError& e) {
      error_ = e.why;
    } catch (const std::exception& e) {
      error_ = toUiString(e.what());
    }
    step_ = Step::end;  // what uiMessage says from now on is there already
    return ErrorOccurred();
  }

 private:
  enum class Step { write, predict, store, end };
  // Of the progress bar: writing and storing take little beside the network.
  static constexpr int kParts = 1000, kWriting = 100, kPredicting = 800;

  void open_cube() {
    reader_ = std::make_unique<SeisTrcReader>(order_.cube);
    reader_->setComponent(0);
    reader_->forceFloatData(true);  // probabilities would not survive a cube of bytes
    if (!reader_->prepareWork()) throw HostError{reader_->errMsg()};
    expected_ = std::max(1, reader_->expectedNrTraces());
    count_ = 0;
  }

  bool next_trace() {
    int found = 2;
    while (found == 2) found = reader_->get(trace_.info());  // 2: to be skipped
    if (found == 0) return false;
    if (found < 0 || !reader_->get(trace_)) throw HostError{reader_->errMsg()};
    const SeisTrcInfo& info = trace_.info();
    place_ = {info.inl(), info.crl(), info.getValue(SeisTrcInfo::CoordX), info.getValue(SeisTrcInfo::CoordY)};
    values_.resize(size_t(trace_.size()));
    for (int i = 0; i < trace_.size(); ++i) values_[size_t(i)] = trace_.get(i, 0);
    ++count_;
    return true;
  }

  int part_of(int from, int width) const {
    return from + int(width * std::min(1.0, double(count_) / double(expected_)));
  }

  void write_trace() {
    if (!folder_) folder_.emplace();  // here, where what it throws is caught
    if (!reader_) open_cube();
    if (next_trace()) {
      if (!to_kern_) begin_writing();
      for (float& v : values_)
        if (mIsUdf(v)) v = 0;
      to_kern_->write(place_, values_);
      if (count_ <= expected_ / 2) middle_inline_ = place_.inline_number;
      done_ = part_of(0, kWriting);
      return;
    }
    if (!to_kern_) throw std::runtime_error("the cube holds no trace: choose another one");
    to_kern_->close();
    child_.emplace(std::vector<std::string>{order_.program, "faults", "predict", "model=" + order_.model,
                                            "data=" + (*folder_ / "cube.sgy").string(), "out=" + folder_->string(),
                                            "thin=false", "sticks=0", "images=false"},
                   *folder_ / "kern.log");
    step_ = Step::predict;
  }

  void begin_writing() {
    if (trace_.size() < 2) throw std::runtime_error("the cube has fewer than two samples a trace: choose another one");
    // Only kern's figures in ms look at these two, none of which is asked for: what SEG-Y cannot hold is clamped. The
    // result takes its z range from the cube.
    const double unit = SI().zDomain().isTime() ? 1000 : 1;
    const double first = unit * trace_.samplePos(0), step = unit * (trace_.samplePos(1) - trace_.samplePos(0));
    middle_inline_ = place_.inline_number;
    sampling_ = {trace_.size(), std::clamp(step * 1000, 1.0, 32767.0), std::clamp(first, -32768.0, 32767.0)};
    to_kern_.emplace(*folder_ / "cube.sgy", sampling_);
  }

  void watch_child() {
    const bool running = child_->running();
    const std::string said = text_of(*folder_ / "kern.log");
    const fs::path found = *folder_ / "cube/faults.sgy";
    if (running) {
      done_ = kWriting + int(kPredicting * progress_of(said));
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      return;
    }
    if (child_->exit_code() != 0 || !fs::exists(found))
      throw std::runtime_error("kern faults predict ended without a result: " + error_of(said));
    from_kern_.emplace(found, sampling_.samples, to_kern_->traces());
    open_cube();
    writer_ = std::make_unique<SeisTrcWriter>(order_.result);
    step_ = Step::store;
  }

  void store_trace() {
    if (next_trace()) {
      from_kern_->read(place_, probability_);
      if (probability_.size() != values_.size())
        throw std::runtime_error("the cube was changed meanwhile: run it again");
      // What is undefined in the cube stays so.
      for (size_t i = 0; i < values_.size(); ++i)
        if (!mIsUdf(values_[i])) trace_.set(int(i), probability_[i], 0);
      if (!writer_->put(trace_)) throw HostError{writer_->errMsg()};
      done_ = part_of(kWriting + kPredicting, kParts - kWriting - kPredicting);
      return;
    }
    if (count_ != to_kern_->traces()) throw std::runtime_error("the cube was changed meanwhile: run it again");
    if (!writer_->close()) throw HostError{writer_->errMsg()};
    writer_.reset();
    stored_ = true;
    done_ = kParts;
    step_ = Step::end;
  }

  const PredictionOrder order_;
  std::optional<WorkFolder> folder_;  // before all that has files in it
  std::atomic<Step> step_{Step::write};
  std::atomic<int> done_{0};
  uiString error_;
  std::unique_ptr<SeisTrcReader> reader_;
  std::unique_ptr<SeisTrcWriter> writer_;
  std::optional<ExchangeWriter> to_kern_;
  std::optional<ExchangeReader> from_kern_;
  std::optional<ExchangeChild> child_;
  ExchangeSampling sampling_;
  ExchangePlace place_;
  SeisTrc trace_;
  std::vector<float> values_, probability_;
  int64_t expected_ = 1, count_ = 0;
  int middle_inline_ = 0;
  bool stored_ = false;
};

// The result is shown red where a fault is likely and clear where none is, from its first time on. What a user has made
// of the colour table of this name stays. In the file in which OpendTect's "Save Color Settings" keeps what belongs to a
// cube. Colour tables are the interface's: not for the job's thread.
void save_color_settings(const IOObj& result) {
  static constexpr const char* kName = "Kern faults";
  static constexpr float kClear = 0.4f, kOpaque = 0.5f;  // probabilities
  if (ColTab::SM().indexOf(kName) < 0) {
    ColTab::Sequence colors;
    colors.setName(kName);
    colors.setType(ColTab::Sequence::User);
    colors.removeAllColors();
    colors.setColor(0, 255, 160, 0);
    colors.setColor(kClear, 255, 160, 0);
    colors.setColor(1, 220, 0, 0);
    colors.removeTransparencies();
    colors.setTransparency(Geom::Point2D<float>(0, 255));
    colors.setTransparency(Geom::Point2D<float>(kClear, 255));
    colors.setTransparency(Geom::Point2D<float>(kOpaque, 0));
    colors.setTransparency(Geom::Point2D<float>(1, 0));
    ColTab::SM().set(colors);
    ColTab::SM().write(false);  // the user's own, not the program's
  }
  ColTab::MapperSetup range;
  range.range_ = Interval<float>(0, 1);
  IOPar settings;
  settings.set(sKey::Name(), kName);
  range.fillPar(settings);
  settings.set(sKey::Type(), "Fixed");
  FilePath file(result.fullUserExpr(true));
  file.setExtension("par");
  settings.write(file.fullPath(), sKey::Pars());  // without it the cube is shown in OpendTect's default colours
}

}  // namespace

bool predict_with_progress(uiParent* parent, const PredictionOrder& order, int& inline_number) {
  FaultsJob job(order);
  uiTaskRunner runner(parent);
  if (!runner.execute(job) || !job.stored()) return false;
  save_color_settings(order.result);
  inline_number = job.middle_inline();
  return true;
}

}  // namespace kern::opendtect_plugin
