// Fault probability of a SEG-Y file of any size in bounded memory: sections through a network for sections, along
// inlines and crosslines, or tiles of the cube through a network for cubes; then blocks for thinning, dips and sticks.
// Everything found is kept in a folder beside the output until it is complete, so that a killed prediction goes on
// where it was.
#pragma once
#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "apps/faults/config.h"
#include "apps/faults/faults_model.h"
#include "data/block_tiles.h"
#include "data/fault_surfaces.h"
#include "data/segy_geometry.h"
#include "data/survey_map.h"
#include "data/trace_store.h"
#include "training/progress.h"

namespace kern::apps {

struct VolumeOptions {
  Passes passes = Passes::automatic;
  FaultPasses looks;
  bool two_scales = false;   // cubes: the mean with the cube twice as large
  int64_t tile = 0;          // cubes: longest side of what a tile answers for; 0: as memory allows
  int64_t margin = 16;       // cubes: samples that a tile sees round what it answers for
  double agc = 0;            // milliseconds (samples, where the interval is unknown); 0: none
  double threshold = 0.5;    // of thinning
  int64_t memory = 1 << 30;  // bytes that a section or block may take, roughly
  bool thin = true, dip = false, azimuth = false;
  int64_t sticks = 0;        // on every so many sections; 0: none
  int64_t least_piece = 20;  // samples; smaller pieces get no stick
  double velocity = 2500;    // m/s, to turn time into depth for dips where samples are times
};

// Whether the file is a cube thick enough for a network that looks along all three directions.
bool takes_cubes(const data::SegyGeometry& geometry);

class VolumePrediction {
 public:
  enum class What { probability, thinned, dip, azimuth };

  // `parts`: where intermediate results stand; those of an equal prediction of the same file are taken over. By all
  // ranks together (engine/agreement.h), in a folder that all see.
  VolumePrediction(const FaultsModel& model, const data::SegyFile& file, const data::SegyGeometry& geometry,
                   const VolumeOptions& options, std::filesystem::path parts);
  // The ranks share it. False: a signal ended it before the end; what is done is kept.
  bool run(training::ProgressBar& progress);
  bool resumed() const { return resumed_; }
  const char* unit() const { return cubes_.empty() ? "lines" : "tiles"; }  // of what run() goes through
  double scale() const { return scale_; }                                  // what amplitudes are divided by
  int64_t left_out() const;  // traces that belong to no section: their probability is 0

  // After run(): samples() values of a trace in the file.
  void read(What what, int64_t trace, std::span<float> values) const;
  // "X Y Z stick" lines.
  std::string sticks() const;
  // The amplitudes of traces as the network gets them.
  std::vector<float> amplitudes(std::span<const int64_t> traces) const;

 private:
  struct Line {
    bool along_inline;
    int64_t index;  // among the inlines, or crosslines
  };
  void plan_lines();
  void plan_cubes();
  std::vector<int64_t> traces_of(const data::Box& box) const;
  void predict_line(const Line& line);
  void predict_cube(const data::BlockTile& tile);
  void treat_block(int64_t index);
  void take_over();
  data::Block whole() const;
  std::string describe() const;  // the work, so that only an equal one is taken over
  void save_progress();

  const FaultsModel& model_;
  const data::SegyFile& file_;
  const data::SegyGeometry& geometry_;
  VolumeOptions options_;
  std::filesystem::path parts_;
  double scale_ = 1;
  int64_t gain_ = 0;  // samples
  bool resumed_ = false;
  int64_t done_ = 0;
  // The whole work: lines or cubes, then blocks.
  std::vector<Line> lines_;
  bool inlines_ = false, crosslines_ = false;
  std::vector<data::BlockTile> cubes_, blocks_;
  std::vector<data::TraceStore> along_, surfaces_;
  data::SurveyMap map_;
  data::Spacing spacing_;
  std::string identity_;
};

}  // namespace kern::apps
