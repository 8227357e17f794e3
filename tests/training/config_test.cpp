#include "training/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

enum class Where { cpu, cuda };
struct ClassConfig {
  std::string name, colour = "#808080";
  std::vector<int> codes;
};
struct Config {
  std::string data, method = "supervised";
  double lr = 2.5e-4, momentum = 0.9;
  int epochs = 25;
  int64_t seed = 1;
  bool strict = false;
  Duration time_budget;
  Where device = Where::cpu;
  std::vector<std::string> curves{"GR"};
  std::vector<double> weights;
  std::optional<double> missing;
  std::map<std::string, double> labels;
  std::vector<std::pair<std::string, std::string>> rename;
  std::vector<ClassConfig> classes;
  int kernel = 3;
};

struct Bound {
  Config c;
  Schema s{"wells train"};
  Bound() {
    s.section("Data")
        .key("data", c.data, "folder of LAS files", required())
        .key("curves", c.curves, "curves to read", required())
        .key("missing", c.missing, "what stands for no value")
        .key("labels", c.labels, "code to class")
        .key("rename", c.rename, "old to new")
        .list<ClassConfig>("classes", c.classes, "the classes in order",
                           [](Schema& keys, ClassConfig& x) {
                             keys.key("name", x.name, "shown to people", required())
                                 .key("colour", x.colour, "as #rrggbb")
                                 .key("codes", x.codes, "codes in the label curve", at_least(0));
                           })
        .key("strict", c.strict, "stop at the first bad file");
    s.section("Training")
        .key("method", c.method, "how it is trained", one_of({"supervised", "mean_teacher"}))
        .key("lr", c.lr, "learning rate", above(0))
        .key("momentum", c.momentum, "of the average", Allowed{.low = 0, .high = 1, .open_high = true})
        .key("epochs", c.epochs, "passes over the data", at_least(1))
        .key("seed", c.seed, "of every random stream", at_least(0))
        .key("weights", c.weights, "of the classes", between(0, 10))
        .key("time_budget", c.time_budget, "stop after this long")
        .choice("device", c.device, "where it runs", {{"cpu", Where::cpu}, {"cuda", Where::cuda}})
        .key("unet.kernel", c.kernel, "filter length", between(1, 31))
        .formerly("unet.taps");
  }
};

template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.sentence();
  }
  return "no error";
}
std::string load_error(const std::string& yaml) {
  Bound b;
  return error_of([&] { b.s.load_text(yaml, "x.yaml"), b.s.check(); });
}
std::string set_error(const std::string& pair) {
  Bound b;
  b.s.set("data=here");
  return error_of([&] { b.s.set(pair), b.s.check(); });
}

TEST(Config, ReadsEveryType) {
  Bound b;
  b.s.load_text(R"(
data: /wells   # a folder
curves: [GR, RHOB]
missing: -999.25
labels: {65000: 0, 30000: 1.5}
rename: {b: x, a: y}
classes:
  - {name: shale, colour: "#777777", codes: [65000, 3]}
  - name: sand
strict: yes
lr: 1e-3
epochs: 7
seed: 9007199254740993
weights: [1, .5]
time_budget: 1h30m
device: cuda
unet:
  kernel: 5
)",
                "x.yaml");
  b.s.check();
  EXPECT_EQ(b.c.data, "/wells");
  EXPECT_EQ(b.c.curves, (std::vector<std::string>{"GR", "RHOB"}));
  EXPECT_EQ(b.c.missing, -999.25);
  EXPECT_EQ(b.c.labels, (std::map<std::string, double>{{"65000", 0}, {"30000", 1.5}}));
  EXPECT_EQ(b.c.rename, (std::vector<std::pair<std::string, std::string>>{{"b", "x"}, {"a", "y"}}));
  ASSERT_EQ(b.c.classes.size(), 2u);
  EXPECT_EQ(b.c.classes[0].colour, "#777777");
  EXPECT_EQ(b.c.classes[0].codes, (std::vector<int>{65000, 3}));
  EXPECT_EQ(b.c.classes[1].name, "sand");
  EXPECT_EQ(b.c.classes[1].colour, "#808080");
  EXPECT_TRUE(b.c.strict);
  EXPECT_EQ(b.c.lr, 1e-3);
  EXPECT_EQ(b.c.epochs, 7);
  EXPECT_EQ(b.c.seed, 9007199254740993);
  EXPECT_EQ(b.c.weights, (std::vector<double>{1, .5}));
  EXPECT_EQ(b.c.time_budget.seconds, 5400);
  EXPECT_EQ(b.c.device, Where::cuda);
  EXPECT_EQ(b.c.kernel, 5);
  EXPECT_TRUE(b.s.given("lr"));
  EXPECT_FALSE(b.s.given("momentum"));
}

TEST(Config, CommandLineOverrides) {
  Bound b;
  b.s.load_text("lr: 1\nlabels: {1: 0}\n", "x.yaml");
  for (auto pair : {"data=a=b: c #d", "lr=2e-3", "lr=3e-3", "curves=GR, RHOB", "weights=[1,2]", "labels.1=4",
                    "labels.2=5", "missing=none", "unet.kernel=7", "time_budget=90", "rename={a: b}",
                    "method=mean_teacher", "classes=[{name: a}, {name: b}]"})
    b.s.set(pair);
  b.s.check();
  EXPECT_EQ(b.c.data, "a=b: c #d");
  EXPECT_EQ(b.c.lr, 3e-3);
  EXPECT_EQ(b.c.curves, (std::vector<std::string>{"GR", "RHOB"}));
  EXPECT_EQ(b.c.weights, (std::vector<double>{1, 2}));
  EXPECT_EQ(b.c.labels, (std::map<std::string, double>{{"1", 4}, {"2", 5}}));
  EXPECT_FALSE(b.c.missing);
  EXPECT_EQ(b.c.kernel, 7);
  EXPECT_EQ(b.c.time_budget.seconds, 90);
  EXPECT_EQ(b.c.classes.size(), 2u);
}

TEST(Config, EffectiveConfigurationReadsBackEqual) {
  Bound a;
  a.s.load_text(
      "data: \"odd: #\\\"path\\\\ \\n\\u00fc\"\nlr: 0.1\nmomentum: 0.30000000000000004\ncurves: ['true', '1', 'a, b', "
      "'']\n"
      "labels: {'x: y': 1}\nclasses: [{name: 'no', codes: 3}]\ntime_budget: 3661s\nmissing: 1e-30\n",
      "x.yaml");
  Bound b;
  b.s.load_text(a.s.to_yaml(), "config.yaml");
  EXPECT_EQ(a.s.to_yaml(), b.s.to_yaml());
  EXPECT_EQ(a.s.values(), b.s.values());
  EXPECT_EQ(b.c.data, "odd: #\"path\\ \n\u00fc");
  EXPECT_EQ(b.c.curves, (std::vector<std::string>{"true", "1", "a, b", ""}));
  EXPECT_EQ(b.c.momentum, 0.30000000000000004);
  EXPECT_EQ(b.c.time_budget.seconds, 3661);
  EXPECT_EQ(b.c.missing, 1e-30);
  Bound defaults, again;
  again.s.load_text(defaults.s.to_yaml(), "config.yaml");
  EXPECT_EQ(defaults.s.to_yaml(), again.s.to_yaml());
}

TEST(Config, ErrorsAreSentences) {
  EXPECT_EQ(load_error("data: a\nlr: -1\n"), "lr must be greater than 0, got -1 (x.yaml:2)");
  EXPECT_EQ(load_error("data: a\nmomentum: 1\n"), "momentum must be at least 0 and less than 1, got 1 (x.yaml:2)");
  EXPECT_EQ(load_error("data: a\nweights: [1, 11]\n"), "weights must be from 0 to 10, got 11 (x.yaml:2)");
  EXPECT_EQ(load_error("lr: 1\n"), "data must be given: folder of LAS files");
  EXPECT_EQ(load_error("data: a\nepochs: ten\n"), "epochs must be a whole number, got 'ten' (x.yaml:2)");
  EXPECT_EQ(load_error("data: a\nepochs: 1.5\n"), "epochs must be a whole number, got '1.5' (x.yaml:2)");
  EXPECT_EQ(load_error("data: a\nepochs:\n"), "epochs must be a whole number, got nothing (x.yaml:2)");
  EXPECT_EQ(load_error("data: a\nepochs: 99999999999\n"),
            "epochs must be a whole number from -2147483648 to 2147483647, got '99999999999' (x.yaml:2)");
  EXPECT_EQ(load_error("data: a\nlr: .nan\n"), "lr must be a number, got '.nan' (x.yaml:2)");
  EXPECT_EQ(load_error("data: a\nlr: nan\n"), "lr must be a finite number, got 'nan' (x.yaml:2)");
  EXPECT_EQ(load_error("data: a\nlr: 1e999\n"), "lr must be a number, got '1e999' (x.yaml:2)");
  EXPECT_EQ(load_error("data: [a]\n"), "data must be a text, got the list '[a]' (x.yaml:1)");
  EXPECT_EQ(load_error("strict: 2\n"), "strict must be true or false, got '2' (x.yaml:1)");
  EXPECT_EQ(load_error("time_budget: 20 minutes\n"),
            "time_budget must be a duration such as 90s, 20m, 1h30m, got '20 minutes' (x.yaml:1)");
  EXPECT_EQ(load_error("device: gpu\n"), "device must be one of cpu, cuda, got 'gpu' (x.yaml:1)");
  EXPECT_EQ(
      load_error("data: a\nmethod: mean-teacher\n"),
      "method must be one of supervised, mean_teacher, got 'mean-teacher'; did you mean 'mean_teacher'? (x.yaml:2)");
  EXPECT_EQ(load_error("weights: [1, a]\n"),
            "weights must be a list whose elements are each a number, got the list '[1, a]' (x.yaml:1)");
  EXPECT_EQ(load_error("labels: [1]\n"), "labels must be a table, {name: value}, got the list '[1]' (x.yaml:1)");
  EXPECT_EQ(load_error("unet: 3\n"), "unet must be a table of keys, got '3' (x.yaml:1)");
  EXPECT_EQ(load_error("classes:\n- name: a\n- nmae: b\n"),
            "unknown key 'nmae' (x.yaml:3); did you mean 'name'? 'kern wells train --help-keys' lists every key");
  EXPECT_EQ(load_error("data: a\nclasses: [{name: a, codes: [-1]}]\n"), "classes[0].codes must be at least 0, got -1");
  EXPECT_EQ(load_error("lr: 0\nepochs: 0\n"),
            "3 things are wrong in the configuration:\n  data must be given: folder of LAS files\n"
            "  lr must be greater than 0, got 0 (x.yaml:1)\n  epochs must be at least 1, got 0 (x.yaml:2)");
  EXPECT_EQ(set_error("lr=-1"), "lr must be greater than 0, got -1 (command line)");
  EXPECT_EQ(set_error("lr"), "'lr' is not of the form key=value");
  EXPECT_EQ(set_error("=1"), "'=1' is not of the form key=value");
  EXPECT_EQ(set_error("labels.a=b"),
            "labels must be a table whose values are each a number, got the table '{a: b}' (command line)");
}

TEST(Config, UnknownKeysNameTheNearest) {
  EXPECT_EQ(load_error("data: a\nlrr: 1\n"),
            "unknown key 'lrr' (x.yaml:2); did you mean 'lr'? 'kern wells train --help-keys' lists every key");
  EXPECT_EQ(load_error("unet: {taps: 3}\n"),
            "the key 'unet.taps' is called 'unet.kernel' now (x.yaml:1): write unet.kernel instead");
  EXPECT_EQ(set_error("unet.taps=3"),
            "the key 'unet.taps' is called 'unet.kernel' now (command line): write unet.kernel instead");
  EXPECT_NE(set_error("epoch=3").find("did you mean 'epochs'?"), std::string::npos);
  EXPECT_NE(set_error("kernel=3").find("did you mean 'unet.kernel'?"), std::string::npos);
  EXPECT_NE(set_error("time-budget=3").find("did you mean 'time_budget'?"), std::string::npos);
  EXPECT_NE(set_error("EPOCHS=3").find("did you mean 'epochs'?"), std::string::npos);
  EXPECT_NE(
      load_error("unet: {kernels: 3}\n").find("unknown key 'unet.kernels' (x.yaml:1); did you mean 'unet.kernel'?"),
      std::string::npos);
  EXPECT_EQ(set_error("zzzzzzzz=3"),
            "unknown key 'zzzzzzzz' (command line); 'kern wells train --help-keys' lists every key");
}

TEST(Config, GarbageIsNamed) {
  EXPECT_EQ(load_error("lr: 1\nseed: 2\nlr: 3\n"), "key 'lr' is given twice (x.yaml:1 and x.yaml:3): keep one");
  EXPECT_EQ(load_error("unet.kernel: 3\nunet:\n  kernel: 5\n"),
            "key 'unet.kernel' is given twice (x.yaml:1 and x.yaml:3): keep one");
  EXPECT_EQ(load_error("a: &x 1\nb: *x\n"),
            "x.yaml:2: aliases (*name) are not read in a configuration: write the value out");
  EXPECT_EQ(load_error("- a\n- b\n"), "x.yaml: a configuration is made of 'key: value' lines, got the list '[a, b]'");
  EXPECT_EQ(load_error("just words"), "x.yaml: a configuration is made of 'key: value' lines, got 'just words'");
  EXPECT_EQ(load_error("data: a\n---\nlr: 1\n"), "x.yaml: holds more than one YAML document ('---'): keep one");
  EXPECT_EQ(load_error("? {a: b}\n: 1\n"), "x.yaml:1: a key must be a word of at most 200 characters");
  EXPECT_NE(set_error("labels." + std::string(300, 'a') + "=0").find("longer than 200 characters"), std::string::npos);
  EXPECT_EQ(load_error("data: " + std::string(20, '[') + std::string(20, ']')),
            "x.yaml:1: nested deeper than 16 levels");
  EXPECT_NE(load_error("data: " + std::string(100000, '[')), "no error");
  EXPECT_NE(load_error(std::string(100000, '[')), "no error");
  EXPECT_NE(load_error("data: [a\nlr: 1").find("x.yaml:"), std::string::npos);
  EXPECT_NE(load_error("\tlr: 1\n").find("this is not YAML"), std::string::npos);
  EXPECT_NE(load_error(std::string("\x00\xff\xfe\x01", 4)), "no error");
  EXPECT_EQ(load_error(""), "data must be given: folder of LAS files");
  EXPECT_EQ(load_error("# nothing\n"), "data must be given: folder of LAS files");
  EXPECT_EQ(load_error("data: a"), "no error");
}

TEST(Config, FilesThatCannotBeRead) {
  const auto folder = std::filesystem::temp_directory_path() / "kern_config_test";
  std::filesystem::create_directories(folder);
  Bound b;
  EXPECT_EQ(error_of([&] { b.s.load_yaml("no/such.yaml"); }),
            "cannot open the configuration 'no/such.yaml': no such file, or it may not be read");
  EXPECT_NE(error_of([&] { b.s.load_yaml(folder.string()); }).find("is it a folder?"), std::string::npos);
  const std::string large = (folder / "large.yaml").string(), good = (folder / "good.yaml").string();
  std::ofstream(large) << std::string(2 << 20, '#');
  EXPECT_NE(error_of([&] { b.s.load_yaml(large); }).find("larger than 1 MiB"), std::string::npos);
  std::ofstream(good) << "data: here\n";
  b.s.load_yaml(good);
  EXPECT_EQ(b.c.data, "here");
  std::ofstream(good, std::ios::trunc) << "";
  b.s.load_yaml(good);
  std::filesystem::remove_all(folder);
}

TEST(Config, DescribesItself) {
  Bound b;
  const std::string help = b.s.help(), page = b.s.markdown();
  EXPECT_NE(help.find("Training\n"), std::string::npos);
  EXPECT_NE(help.find("  lr=0.00025\n      learning rate (number, greater than 0)\n"), std::string::npos) << help;
  EXPECT_NE(help.find("  data=...\n      folder of LAS files (text, required)\n"), std::string::npos) << help;
  EXPECT_NE(help.find("  classes[].colour=\"#808080\"\n"), std::string::npos) << help;
  EXPECT_NE(page.find("### Data\n"), std::string::npos);
  EXPECT_NE(page.find("| `device` | word, one of cpu, cuda | `cpu` | where it runs |"), std::string::npos) << page;
}

TEST(Config, Durations) {
  EXPECT_EQ(parse_duration("20m"), 1200);
  EXPECT_EQ(parse_duration("1h30m"), 5400);
  EXPECT_EQ(parse_duration("2d"), 172800);
  EXPECT_EQ(parse_duration("1.5h"), 5400);
  EXPECT_EQ(parse_duration("0"), 0);
  for (auto bad : {"", "m", "20x", "30m1h", "1h30", "nan", "inf", "1e400", "1..2s", "5 m"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
  EXPECT_EQ(to_string(Duration{5400}), "1h30m");
  EXPECT_EQ(to_string(Duration{0}), "0s");
  EXPECT_EQ(to_string(Duration{90.5}), "90.5s");
  EXPECT_EQ(parse_duration(to_string(Duration{100000})), 100000);
}

TEST(Config, NearestWord) {
  const std::vector<std::string> words{"train", "evaluate", "predict", "inspect"};
  EXPECT_EQ(nearest_word("trian", words), "train");
  EXPECT_EQ(nearest_word("eval", words), "evaluate");
  EXPECT_EQ(nearest_word("Predict", words), "predict");
  EXPECT_EQ(nearest_word("xyz", words), "");
  EXPECT_EQ(nearest_word("", words), "");
  EXPECT_EQ(nearest_word("a", {}), "");
}

}  // namespace
}  // namespace kern::training
