// What a hostile, careless or unlucky environment does to the program: odd names, odd files in the place of regular
// ones, closed descriptors, damaged models.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <limits>
#include <thread>

#include "data/image.h"
#include "data/spills_synthetic.h"
#include "engine/atomic_file.h"
#include "engine/model_file.h"
#include "tests/apps/json_of.h"
#include "tests/apps/kern_process.h"
#include "tests/support/image_folder.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

std::string png_of(int i, bool spill = false) { return data::encode_png(data::spill_image(i, spill, {}).image); }

// A few good images, one of a name that is no UTF-8, and a model of them.
void train_small(const TemporaryFolder& folder) {
  make_folder(folder / "data/good");
  for (int i = 0; i < 24; ++i) write_file(folder / ("data/good/p" + std::to_string(i) + ".png"), png_of(i));
  write_file(folder / "data/good/caf\xE9.png", png_of(100));
  run_well({"anomalies", "train", "data=" + folder / "data", "model=ae", "channels=8", "code=2", "epochs=1",
            "quiet=true", "threads=1", "resamples=0", "panels=0", "run=" + folder / "run"});
}

// Started by a shell, which closes what a test cannot close for another process.
int shell(const std::string& line) {
  const int status = std::system(line.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Hostile, NamesOfAnyBytesAreTrainedOnAndEvaluated) {
  const TemporaryFolder folder;
  train_small(folder);
  ASSERT_TRUE(fs::exists(folder / "run/model.safetensors"));
  run_well({"anomalies", "evaluate", "model=" + folder / "run", "data=" + folder / "data", "images=all",
            "run=" + folder / "evaluated"});
  EXPECT_TRUE(contains(read_file(folder / "evaluated/scores.csv"), "good/caf%E9.png"));
  write_squares(folder.path() / "photos", 10);
  for (const char* kind : {"photos/images", "photos/masks"})
    for (const auto& entry : fs::directory_iterator(folder.path() / kind))
      if (entry.path().stem() == "image_3") {
        fs::rename(entry.path(), entry.path().parent_path() / ("caf\xE9" + entry.path().extension().string()));
        break;
      }
  run_well({"images", "train", "data=" + folder / "photos", "masks=nonzero", "channels=4,8", "batch=3", "epochs=1",
            "quiet=true", "threads=1", "run=" + folder / "segmented"});
  EXPECT_TRUE(fs::exists(folder / "segmented/model.safetensors"));
}

TEST(Hostile, AModelWithoutNumbersEvaluatesNothing) {
  const TemporaryFolder folder;
  train_small(folder);
  TensorFile file = load_tensors(folder / "run/model.safetensors");
  file.tensors.front().tensor.mutate()[0] = std::numeric_limits<float>::quiet_NaN();
  save_tensors(folder / "nan.safetensors", file.tensors, file.metadata);
  expect_refusal({"anomalies", "predict", "model=" + folder / "nan.safetensors", "data=" + folder / "data/good"},
                 {"nan.safetensors", "no number", "train again"}, 2);
  // Finite weights whose products are not.
  file = load_tensors(folder / "run/model.safetensors");
  for (FileTensor& t : file.tensors)
    for (int64_t i = 0; i < t.tensor.size(); ++i) t.tensor.mutate()[i] = i % 3 ? 3e38f : -3e38f;
  save_tensors(folder / "huge.safetensors", file.tensors, file.metadata);
  const Result r =
      run({"anomalies", "predict", "model=" + folder / "huge.safetensors", "data=" + folder / "data/good"});
  EXPECT_EQ(r.code, 2) << r.out << r.err;
  EXPECT_FALSE(contains(r.out, "  good  ")) << r.out;
}

TEST(Hostile, OutputsOfEqualNamesDoNotReplaceOneAnother) {
  const TemporaryFolder folder;
  train_small(folder);
  make_folder(folder / "in");
  data::Image image = data::decode_image(png_of(1), "x");
  write_file(folder / "in/a.png", data::encode_png(image));
  write_file(folder / "in/a.PNG", data::encode_png(image));
  write_file(folder / "in/b.png", data::encode_png(image));
  run({"anomalies", "predict", "model=" + folder / "run", "data=" + folder / "in", "heat_maps=" + folder / "maps"});
  EXPECT_EQ(files_below(folder / "maps"), (std::vector<std::string>{"a.png_heat.png", "a_heat.png", "b_heat.png"}));
}

TEST(Hostile, WhatIsNoRegularFileIsWrittenToAsItIs) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe", target = folder / "target.json", link = folder / "link.json";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto came = std::async(std::launch::async, [&] { return read_file(pipe); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  run_well({"info", "--json", pipe});
  EXPECT_TRUE(contains(came.get(), "{")) << "nothing came through the pipe";
  EXPECT_TRUE(fs::is_fifo(pipe)) << "the pipe was replaced";
  write_file(target, "old");
  fs::create_symlink("target.json", link);
  run_well({"info", "--json", link});
  EXPECT_TRUE(fs::is_symlink(link)) << "the link was replaced";
  EXPECT_TRUE(contains(read_file(target), "{"));
  run_well({"info", "--json", "/dev/null"});
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  expect_refusal({"faults", "inspect", "data=" + pipe}, {"pipe", "a file was expected"});
  expect_refusal({"faults", "predict", "data=x.sgy", "model=/dev/zero", "out=" + folder / "o"},
                 {"/dev/zero", "device"});
}

TEST(Hostile, ClosedStandardOutputIsNotTheTable) {
  const TemporaryFolder folder;
  train_small(folder);
  const int code = shell(std::string(kern_program()) + " anomalies predict model='" + folder / "run" + "' data='" +
                         folder / "data/good" + "' threshold=1e9 csv='" + folder / "v.csv" + "' >&- 2>&- <&-");
  EXPECT_EQ(code, 0);
  const std::string table = read_file(folder / "v.csv");
  EXPECT_TRUE(table.starts_with("file,score,threshold,verdict,margin,time\n")) << table;
  EXPECT_FALSE(contains(table, "  score ")) << table;
  EXPECT_FALSE(contains(table, "images evaluated")) << table;
}

TEST(Hostile, AFileLargerThanAllowedIsASentence) {
  const TemporaryFolder folder;
  const std::string said = folder / "said";
  const int code = shell("ulimit -f 8; " + std::string(kern_program()) + " wells synthesize out='" + folder / "data" +
                         "' wells=3 samples=5000 2>'" + said + "' >/dev/null");
  EXPECT_EQ(code, 1);
  EXPECT_TRUE(contains(read_file(said), "larger than is allowed")) << read_file(said);
}

TEST(Hostile, WithoutThreadsOrWithoutAStack) {
  const TemporaryFolder folder;
  const std::string said = folder / "said",
                    synthesize = " wells synthesize out='" + (folder / "data") + "' wells=4 samples=300";
  // No thread can have a stack of so many kilobytes: as where the system lets a process start none.
  const std::string train = " wells train data='" + (folder / "data") +
                            "' label=FACIES model=mlp epochs=1 quiet=true threads=4 run='" + (folder / "run") + "'";
  ASSERT_EQ(shell(kern_program() + synthesize + " >/dev/null"), 0);
  EXPECT_EQ(shell("ulimit -s 200000000000; " + (kern_program() + train) + " >/dev/null 2>'" + said + "'"), 0)
      << read_file(said);
  EXPECT_TRUE(contains(read_file(said), "lets this process start 0 of 3 more threads")) << read_file(said);
  EXPECT_EQ(shell("ulimit -s 64; " + std::string(kern_program()) + " info 2>'" + said + "' >/dev/null"), 1);
  EXPECT_TRUE(contains(read_file(said), "ulimit -s 8192")) << read_file(said);
}

TEST(Hostile, NamesAreNotObeyed) {
  const TemporaryFolder folder;
  train_small(folder);
  make_folder(folder / "in");
  write_file(folder / "in/=cmd\x1b[31m.png", png_of(1));
  const Result r = run_well({"anomalies", "predict", "model=" + folder / "run", "data=" + folder / "in",
                             "threshold=1e9", "csv=" + folder / "v.csv"});
  EXPECT_FALSE(contains(r.out + r.err, "\x1b[31m"));
  EXPECT_TRUE(contains(r.out, "=cmd?[31m.png")) << r.out;
  // A spreadsheet computes what begins with "=".
  fs::current_path(folder / "in");
  run_well({"anomalies", "predict", "model=" + folder / "run", "data==cmd\x1b[31m.png", "threshold=1e9",
            "csv=" + folder / "w.csv"});
  EXPECT_TRUE(contains(read_file(folder / "w.csv"), "\n'=cmd")) << read_file(folder / "w.csv");
}

TEST(Hostile, ATrainingThatCannotFitIsRefused) {
  const TemporaryFolder folder;
  expect_refusal({"faults", "train", "sections=256", "batch=256", "validation_sections=4", "synthetic.crosslines=512",
                  "synthetic.samples=512", "synthetic.faults=1,1", "channels=[256,256]", "balance=1", "quiet=true",
                  "run=" + folder / "run"},
                 {"batch 256 needs", "are free", "force=true"});
  EXPECT_FALSE(fs::exists(folder / "run"));  // nor does it leave a folder, which the next attempt would find
  make_folder(folder / "mine");
  expect_refusal({"wells", "train", "data=" + folder / "none", "label=FACIES", "run=" + folder / "mine"}, {"none"});
  EXPECT_TRUE(fs::exists(folder / "mine"));  // that one was there before
}

TEST(Hostile, WhatIsWrongWithARunIsSaidBeforeItGoesOn) {
  const TemporaryFolder folder;
  run_well({"wells", "synthesize", "out=" + folder / "data", "wells=4", "samples=300"});
  const std::string run = folder / "run";
  run_well({"wells", "train", "data=" + folder / "data", "label=FACIES", "model=mlp", "epochs=2", "quiet=true",
            "run=" + run});
  const std::vector<std::string> resume{"wells", "train", "resume=" + run, "epochs=3", "quiet=true"};
  const std::string best = read_file(run + "/model.safetensors"), state = read_file(run + "/checkpoint.safetensors");
  write_file(run + "/model.safetensors", "");
  expect_refusal(resume, {"the best model of this run", "model.safetensors", "copy"});
  write_file(run + "/model.safetensors", best);
  // Whole numbers that are none, or too large for what they count.
  for (const std::string epoch : {"1000000000000", "1000000000", "-1", "1.5"}) {
    TensorFile file = load_tensors(run + "/checkpoint.safetensors");
    std::string& loop = file.metadata.at("kern.loop_state");
    const size_t at = loop.find("\"epoch\":2");
    ASSERT_NE(at, loop.npos) << loop;
    loop.replace(at, 9, "\"epoch\":" + epoch);
    save_tensors(run + "/checkpoint.safetensors", file.tensors, file.metadata);
    expect_refusal(resume, {"training state is damaged", "epoch is " + epoch});
    write_file(run + "/checkpoint.safetensors", state);
  }
  run_well(resume);
  EXPECT_TRUE(contains(read_file(run + "/metrics.csv"), "\n3,"));
}

TEST(Hostile, AWatchedImageThatChangesIsEvaluatedAgain) {
  const TemporaryFolder folder;
  train_small(folder);
  make_folder(folder / "in");
  const std::string table = folder / "v.csv";
  Process watching({"anomalies", "predict", "model=" + folder / "run", "watch=" + folder / "in", "every=0.05s",
                    "threshold=1e9", "csv=" + table});
  const auto wait_for = [&](const std::string& text) {
    for (int i = 0; i < 400 && !(fs::exists(table) && contains(read_file(table), text)); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  };
  const std::string whole = png_of(1), other = png_of(2);
  // Its writer pauses for longer than anybody waits.
  write_file(folder / "in/slow.png", whole.substr(0, whole.size() / 2));
  wait_for("slow.png,,");
  write_file(folder / "in/a.png", whole);
  wait_for("a.png,");
  write_file(folder / "in/slow.png", whole);
  write_file(folder / "in/a.png", other);
  const auto lines = [&](const std::string& name) {
    const std::string text = read_file(table);
    int n = 0;
    for (size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) ++n;
    return n;
  };
  for (int i = 0; i < 400 && (lines("/a.png,") < 2 || lines("/slow.png,") < 2); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  write_file(folder / "in/stop", "");
  const Result r = watching.wait();
  EXPECT_EQ(lines("/a.png,"), 2) << read_file(table);
  EXPECT_EQ(lines("/slow.png,"), 2) << read_file(table);
  EXPECT_TRUE(contains(r.out, "3 images scored: 3 good, 0 anomalies; 0 could not be read")) << r.out << r.err;
}

}  // namespace
}  // namespace kern::testing
