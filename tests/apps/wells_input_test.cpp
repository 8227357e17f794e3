// What a person may hand to `kern wells` by mistake: each is a sentence and an exit code, and nothing is left
// half-done.
#include <algorithm>
#include <fstream>

#include "apps/wells/wells_model.h"
#include "engine/atomic_file.h"
#include "engine/model_file.h"
#include "kernels/common/error.h"
#include "tests/apps/kern_process.h"

namespace kern::testing {
namespace {
namespace fs = std::filesystem;

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  if (at == text.npos) throw std::runtime_error("the synthetic well has no " + what);
  return text.replace(at, what.size(), with);
}

class Input : public ::testing::Test {
 protected:
  void SetUp() override { synthesize(data); }
  std::string well(int i) const { return read_file(data + "/synthetic_0000" + std::to_string(i) + ".las"); }
  // A file that stands alone is an error; beside good ones it is named and left out; with strict=true it ends the
  // command.
  void expect_skipped(const std::string& name, const std::string& content, const std::vector<std::string>& words) {
    const std::string alone = folder / ("alone_" + name), beside = folder / ("beside_" + name),
                      out = folder / ("run_" + name);
    fs::create_directories(alone);
    write_file(alone + "/" + name, content);
    std::vector<std::string> all = words;
    all.push_back(name);
    expect_refusal({"wells", "inspect", "data=" + alone, "label=FACIES"}, all);
    fs::copy(data, beside);
    write_file(beside + "/" + name, content);
    expect_refusal(train_arguments(beside, out, {"strict=true"}), all);
    EXPECT_FALSE(fs::exists(out + "/model.safetensors"));
    const Result r = run_well(train_arguments(beside, out, {"epochs=1"}));
    for (const std::string& word : all) EXPECT_TRUE(contains(r.err, word)) << "expected: " << word << "\n" << r.err;
    EXPECT_TRUE(contains(read_file(out + "/report.html"), name)) << "the report names what was left out";
  }
  // A whole folder that cannot serve: nothing but the beginnings of a run may appear.
  void expect_no_training(const std::string& path, const Arguments& more, const std::vector<std::string>& words) {
    const std::string out = folder / "none";
    expect_refusal(train_arguments(path, out, more), words);
    for (const std::string& file : files_below(out)) EXPECT_TRUE(file == "run.json" || file == "config.yaml") << file;
  }
  void write_changed(const std::string& to, const std::string& label) {  // every label replaced
    fs::create_directories(to);
    for (int i = 0; i < 4; ++i) {
      std::string text = well(i), out = text.substr(0, text.find("~ASCII\n") + 7);
      for (size_t at = out.size(); at < text.size(); at = text.find('\n', at) + 1)
        out += text.substr(at, text.find(' ', text.find(' ', at) + 1) + 1 - at) + label + "\n";
      write_file(to + "/" + std::to_string(i) + ".las", out);
    }
  }
  TemporaryFolder folder;
  const std::string data = folder / "data";
};

TEST_F(Input, Truncated) { expect_skipped("a.las", well(0).substr(0, 900), {"line 4", "cut short"}); }
TEST_F(Input, WithoutData) { expect_skipped("a.las", well(0).substr(0, well(0).find("~ASCII")), {"~A", "cut short"}); }
TEST_F(Input, Empty) { expect_skipped("a.las", "", {}); }
TEST_F(Input, Binary) {
  std::string bytes;
  for (uint32_t i = 0, x = 1; i < 3000; ++i) bytes += char((x = x * 1664525 + 1013904223) >> 24);
  expect_skipped("a.las", bytes, {});
}
TEST_F(Input, MoreColumnsThanCurves) {
  expect_skipped("a.las", replaced(well(0), "\n1001.0000 ", "\n1001.0000 7 "), {"4 values", "3 curves", "line 17"});
}
TEST_F(Input, FewerColumnsThanCurves) {
  expect_skipped("a.las", replaced(well(0), "\n1001.0000 ", "\n"), {"2 values", "3 curves", "line 17"});
}
TEST_F(Input, BrokenQuote) {
  expect_skipped("a.csv", "well,depth,GR,FACIES\na,1,2,0\na,2,\"3,0\na,3,4,1\n", {"line 3", "quote", "never closed"});
}
TEST_F(Input, DamagedGzip) { expect_skipped("a.csv.gz", "\x1f\x8b\x08 no gzip at all", {}); }

TEST_F(Input, NaNAndHugeValuesAreMissing) {
  std::string text = well(0);
  text = replaced(text,
                  text.substr(text.find("\n1000.5000 "),
                              text.find(' ', text.find("\n1000.5000 ") + 11) - text.find("\n1000.5000 ")),
                  "\n1000.5000 nan");
  text = replaced(text,
                  text.substr(text.find("\n1001.0000 "),
                              text.find(' ', text.find("\n1001.0000 ") + 11) - text.find("\n1001.0000 ")),
                  "\n1001.0000 1e30");
  write_file(data + "/synthetic_00000.las", text);
  const Result r = run_well({"wells", "inspect", "data=" + data, "label=FACIES"});
  EXPECT_TRUE(contains(r.out, "beyond 1e20")) << r.out;
  run_well(train_arguments(data, folder / "run", {"epochs=1"}));
  EXPECT_FALSE(contains(read_file(folder / "run/metrics.csv"), "nan"));
}

TEST_F(Input, AWellOfTwoSamples) {
  const std::string text = well(0);
  size_t end = text.find("~ASCII\n");
  for (int i = 0; i < 3; ++i) end = text.find('\n', end) + 1;
  write_file(data + "/synthetic_00000.las", text.substr(0, end));
  run_well(train_arguments(data, folder / "run", {"epochs=1"}));
  run_well(train_arguments(data, folder / "run2", {"epochs=1", "validation_wells=[synthetic 00000]"}));
  run_well({"wells", "predict", "model=" + (folder / "run"), "data=" + data + "/synthetic_00000.las",
            "out=" + (folder / "out")});
}

TEST_F(Input, NothingToLearnFrom) {
  fs::create_directory(folder / "empty");
  expect_no_training(folder / "empty", {}, {"holds no .las"});
  expect_no_training(folder / "missing", {}, {"missing does not exist"});
  expect_no_training(data + "/synthetic_00000.las", {}, {"at least one on each side"});
  expect_no_training(data, {"curves=[GR,RHOB]"}, {"curve RHOB", "The files have: FACIES, GR"});
  expect_no_training(data, {"label=FACIE"}, {"label FACIE", "did you mean FACIES?"});
  expect_no_training(data, {"label="}, {"label= names no label curve"});
  expect_no_training(data, {"validation_wells=[sinthetic_00003]"}, {"did you mean synthetic 00003?"});
  expect_no_training(data, {"classes=[{name: a}, {name: b}]"}, {"codes that are not in codes"});
  expect_no_training(data, {"step=1e6"}, {"step"});
  expect_no_training(std::string(5000, 'a'), {}, {"does not exist"});
}

TEST_F(Input, OneClassOnly) {
  write_changed(folder / "one", "0");
  expect_no_training(folder / "one", {}, {"only one class"});
  const Result r = run({"wells", "inspect", "data=" + (folder / "one"), "label=FACIES"});
  EXPECT_EQ(r.code, 1) << "inspect found an error";
  EXPECT_TRUE(contains(r.out, "error: all labelled samples are of one class")) << r.out;
}

TEST_F(Input, NoLabelAtAll) {
  write_changed(folder / "null", "-999.25");
  expect_no_training(folder / "null", {}, {"none of the 4 wells has a label"});
  EXPECT_TRUE(contains(run({"wells", "inspect", "data=" + (folder / "null"), "label=FACIES"}).out, "0 labelled"));
  EXPECT_TRUE(contains(run_well({"wells", "inspect", "data=" + data}).out, "6 wells (0 with labels)"))
      << "a label is not needed to look";
}

TEST_F(Input, SemiSupervision) {
  const std::string out = folder / "run", hidden = "labelled_fraction=0.5";
  expect_refusal(train_arguments(data, out, {"method=fixmatch"}),
                 {"learns from unlabelled wells", "labelled_fraction="});
  expect_refusal(train_arguments(data, out, {"method=mean_techer"}), {"did you mean 'mean_teacher'?"});
  expect_refusal(train_arguments(data, out, {"method=mean_teacher", hidden, "ema=0.9"}), {"leave ema at 0"});
  expect_refusal(train_arguments(data, out, {"method=cps", hidden, "accumulate=2"}), {"accumulate must be 1"});
  expect_refusal(train_arguments(data, out, {"method=cps", hidden, "compat=seed"}), {"leave compat=none"});
  expect_refusal(train_arguments(data, out, {"method=fixmatch", hidden, "semi.monotone=true"}),
                 {"semi.monotone", "monotone=false"});
  expect_refusal(train_arguments(data, out, {"method=cps", hidden, "semi.monotone=true", "monotone=true"}),
                 {"semi.monotone is of method=mean_teacher and fixmatch"});
  expect_refusal(train_arguments(data, out, {"labelled_wells=[nowhere]"}), {"nowhere", "no training well"});
  expect_refusal(train_arguments(data, out, {"labelled_fraction=0"}), {"labelled_fraction must be greater than 0"});
  const Result r = run_well(train_arguments(data, out, {"epochs=1", hidden}));
  EXPECT_TRUE(contains(r.out + r.err, "method=supervised ignores the 2 wells without labels")) << r.out << r.err;
  // Wells without a label curve are unlabelled data by themselves.
  synthesize(folder / "data" + "/more", 3);
  for (const std::string& name : files_below(folder / "data" + "/more")) {
    const std::string file = folder / "data" + "/more/" + name;
    std::string las = read_file(file);
    for (size_t at; (at = las.find("FACIES")) != las.npos;) las.replace(at, 6, "OTHERS");
    for (size_t at; (at = las.find("synthetic")) != las.npos;) las.replace(at, 9, "unlabeled");
    write_file(file, las);
  }
  const Result more = run_well(train_arguments(
      data, folder / "more", {"epochs=2", "method=fixmatch", "semi.threshold=0.2", "--json", folder / "more.json"}));
  EXPECT_TRUE(contains(more.out + more.err, "method=fixmatch uses 3 wells without labels (3 have none"))
      << more.out << more.err;
  EXPECT_TRUE(contains(read_file(folder / "more.json"), "\"unlabelled_wells\": 3"));
  const std::string metrics = read_file(folder / "more" + "/metrics.csv");
  EXPECT_TRUE(contains(metrics, ",loss_labelled,loss_unlabelled,confident,pseudo_accuracy")) << metrics;
  EXPECT_TRUE(contains(read_file(folder / "more" + "/report.html"), "Parts of the loss"));
}

TEST_F(Input, Keys) {
  const std::string out = folder / "run";
  expect_refusal(train_arguments(data, out, {"epoch=3"}), {"unknown key 'epoch'", "did you mean 'epochs'?"});
  expect_refusal(train_arguments(data, out, {"lr=-1"}), {"lr must be greater than 0, got -1"});
  expect_refusal(train_arguments(data, out, {"lr=fast"}), {"lr", "fast"});
  expect_refusal(train_arguments(data, out, {"model=resnet"}), {"model", "unet_strided"});
  expect_refusal(train_arguments(data, out, {"kernel=4"}), {"odd kernel"});
  expect_refusal(train_arguments(data, out, {"channels=[4,8,16]"}), {"3 channels and 1 strides"});
  expect_refusal(train_arguments(data, out, {"model=lstm"}), {"equally many channels"});
  expect_refusal(train_arguments(data, out, {"schedule=step"}), {"schedule_milestones= or schedule_every="});
  expect_refusal(train_arguments(data, out, {"schedule=one_cycle", "warmup=3"}), {"leave warmup at 0"});
  expect_refusal(train_arguments(data, out, {"optimiser=sgd", "momentum=0", "nesterov=true"}), {"momentum above 0"});
  expect_refusal(train_arguments(data, out, {"ema=1"}), {"ema must be at least 0 and less than 1, got 1"});
  write_file(folder / "bad.yaml", "epochs: [1\n");
  expect_refusal(train_arguments(data, out, {folder / "bad.yaml"}), {"bad.yaml"});
  write_file(folder / "typo.yaml", "epochs: 1\nlearning_rate: 1\n");
  expect_refusal(train_arguments(data, out, {folder / "typo.yaml"}), {"unknown key 'learning_rate'", "typo.yaml:2"});
  expect_refusal({"wells", "trian"}, {"did you mean 'train'?"}, 2);
  expect_refusal({"wels"}, {"did you mean 'wells'?"}, 2);
  expect_refusal({"wells", "train", "--jsn"}, {"did you mean '--json'?"}, 2);
  expect_refusal(train_arguments(data, out, {"--json", folder / "no/such/x.json"}), {"--json", "no folder"});
  EXPECT_FALSE(fs::exists(out + "/model.safetensors"));
}

TEST_F(Input, RunFolders) {
  expect_refusal(train_arguments(data, data), {"holds files that are not a run of Kern"});
  expect_refusal(train_arguments(data, data + "/synthetic_00000.las"), {"is a file"});
  expect_refusal(train_arguments(data, data + "/synthetic_00000.las/run"), {"cannot create the folder"});
  expect_refusal(train_arguments(data, "/proc/kern/run"), {"cannot create the folder /proc/kern/run"});
  expect_refusal({"wells", "train", "resume=" + (folder / "nothing")}, {"is not the folder of a run"});
  expect_refusal({"wells", "train", "resume=" + data}, {"is not the folder of a run"});
  const std::string out = folder / "run";
  run_well(train_arguments(data, out, {"epochs=1"}));
  const std::string model = read_file(out + "/model.safetensors");
  expect_refusal(train_arguments(data, out), {"holds a finished run", "resume="});
  expect_refusal({"wells", "evaluate", "model=" + out, "data=" + data, "run=" + out}, {"holds a finished run"});
  EXPECT_TRUE(model == read_file(out + "/model.safetensors"));
  EXPECT_EQ(well(0), read_file(data + "/synthetic_00000.las"));
}

class Models : public Input {
 protected:
  void SetUp() override {
    Input::SetUp();
    run_well(train_arguments(data, trained, {"epochs=1"}));
  }
  const std::string trained = folder / "run";
  void expect_no_model(const std::string& path, const std::vector<std::string>& words) {
    expect_refusal({"wells", "predict", "model=" + path, "data=" + data, "out=" + (folder / "out")}, words);
    expect_refusal({"wells", "evaluate", "model=" + path, "data=" + data, "run=" + (folder / "evaluated")}, words);
    EXPECT_TRUE(files_below(folder / "out").empty());
    EXPECT_TRUE(files_below(folder / "evaluated").empty());
  }
};

TEST_F(Models, OfAnotherKind) {
  const std::string file = folder / "x.safetensors";
  save_tensors(file, {{"weight", Tensor::full({2}, 1)}}, {});
  expect_no_model(file, {"x.safetensors", "not a model that Kern saved"});
  save_tensors(file, {{"weight", Tensor::full({2}, 1)}}, {{"kern.task", "images"}});
  expect_no_model(file, {"task 'images', not of 'wells'", "'kern images' takes it"});
  save_tensors(file, {{"weight", Tensor::full({2}, 1)}}, {{"kern.task", "wells"}, {"kern.wells_model", "{}"}});
  expect_no_model(file, {"damaged"});
  save_tensors(file, {{"weight", Tensor::full({2}, 1)}}, {{"kern.task", "wells"}});
  expect_no_model(file, {"damaged"});
  write_file(file, "x");
  expect_no_model(file, {"not a safetensors file"});
  expect_no_model(trained + "/checkpoint.safetensors", {"not a model that Kern saved"});
  expect_no_model(data, {"holds no model.safetensors"});
  expect_no_model(folder / "nothing", {"there is no model", "nothing", "folder of a training"});
}

// Any byte of the description flipped, any length cut: an Error that names the file, or a model; never a crash.
TEST_F(Models, Damaged) {
  const std::string sound = read_file(trained + "/model.safetensors"), file = folder / "damaged.safetensors";
  const size_t header =
      sound.find("model.") == sound.npos
          ? sound.size() / 2
          : std::min<size_t>(sound.size(), 8 + size_t(uint8_t(sound[0])) + 256 * size_t(uint8_t(sound[1])));
  int refused = 0;
  const auto load = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;  // without write_file's wait for the disk
    try {
      apps::load_wells_model(file);
    } catch (const Error& e) {
      ++refused;
      EXPECT_TRUE(contains(e.what(), "damaged.safetensors")) << e.what();
    }
  };
  uint32_t x = 7;
  for (size_t at = 0; at < header; at += 3) {
    std::string bytes = sound;
    bytes[at] = char(bytes[at] ^ char(1 << ((x = x * 1664525 + 1013904223) >> 29)));
    load(bytes);
  }
  EXPECT_GT(refused, 100);
  refused = 0;
  for (size_t cut = 0; cut < sound.size(); cut += 97) load(sound.substr(0, cut));
  EXPECT_EQ(refused, int((sound.size() + 96) / 97));
}

}  // namespace
}  // namespace kern::testing
