#include "data/csv.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <chrono>
#include <cmath>

#include "data/gzip.h"
#include "data/names.h"
#include "kernels/common/error.h"
#include "tests/support/error_of.h"
#include "tests/support/source_files.h"

namespace kern::data {
namespace {
namespace fs = std::filesystem;

using kern::testing::error_of;
CsvTable parse(std::string bytes) { return parse_csv(std::move(bytes), "t.csv"); }
std::string refusal(const std::string& bytes) {
  return error_of([&] { parse(bytes); });
}
// a|b;c|d;
std::string flat(const CsvTable& t) {
  std::string out;
  for (int64_t r = 0; r < t.rows(); ++r)
    for (int c = 0; c < t.columns(); ++c) (out += t.cell(r, c)) += c + 1 < t.columns() ? '|' : ';';
  return out;
}
std::string gzip(const std::string& plain) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, plain.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  z.avail_in = uInt(plain.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = uInt(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

TEST(Csv, plain) {
  const CsvTable t = parse("well,depth, GR \nA,1.5,50\nB, 2 ,\n");
  EXPECT_EQ(t.rows(), 2);
  EXPECT_EQ(t.columns(), 3);
  EXPECT_EQ(t.names()[2], "GR");
  EXPECT_EQ(flat(t), "A|1.5|50;B|2|;");
  EXPECT_EQ(t.number(1, 1), 2);
  EXPECT_EQ(t.line(1), 3);
}

TEST(Csv, delimiters_line_ends_and_byte_order_mark) {
  for (const char* bytes : {"a,b\n1,2\n", "a;b\n1;2", "a\tb\n1\t2\n",
                            "\xEF\xBB\xBF"
                            "a,b\r\n1,2\r\n",
                            "a,b\r1,2\r", "\n\na,b\n\n1,2\n   \n\n", "\"a,;\tx\";b\n1;2\n"})
    EXPECT_EQ(flat(parse(bytes)), "1|2;") << bytes;
  EXPECT_EQ(flat(parse("a\tb\n\t2\n1\t\n")), "|2;1|;");
  EXPECT_EQ(flat(parse("a\n1\n2\n")), "1;2;");
  EXPECT_EQ(parse("a,b\n").rows(), 0);
}

TEST(Csv, quotes) {
  const CsvTable t = parse("\"well, name\",b\n\" A \"\"1\"\"\",\"two\r\nlines\" \n5\" pipe, \"\"\n\"x\",y\n");
  EXPECT_EQ(t.names()[0], "well, name");
  EXPECT_EQ(flat(t), " A \"1\"|two\r\nlines;5\" pipe|;x|y;");
  EXPECT_EQ(t.line(0), 2);
  EXPECT_EQ(t.line(1), 4) << "a line end inside quotes counts";
  EXPECT_EQ(t.line(2), 5);
}

TEST(Csv, encodings) {
  EXPECT_EQ(flat(parse("a,b\n\xB5m,2\n")), "µm|2;");
  EXPECT_EQ(flat(parse("a,b\nµm,2\n")), "µm|2;");
}

TEST(Csv, numbers) {
  const CsvTable t = parse("a;b\n1.5e3;NA\n;NaN\nnull;n/a\n-1;1e30\n");
  EXPECT_EQ(t.number(0, 0), 1500);
  for (const auto& [row, column] : {std::pair{0, 1}, {1, 0}, {1, 1}, {2, 0}, {2, 1}})
    EXPECT_TRUE(std::isnan(t.number(row, column))) << row << ' ' << column;
  EXPECT_EQ(t.number(3, 1), 1e30);
  const CsvTable bad = parse("a;GR\n1;2\n1;5o\n1;1,5\n1;inf\n");
  EXPECT_EQ(error_of([&] { bad.number(1, 1); }), "t.csv, line 3, column GR: \"5o\" is not a number");
  EXPECT_EQ(error_of([&] { bad.number(2, 1); }),
            "t.csv, line 4, column GR: \"1,5\" is not a number; write a decimal point, not a comma");
  EXPECT_EQ(error_of([&] { bad.number(3, 1); }), "t.csv, line 5, column GR: \"inf\" is not a number");
}

TEST(Csv, columns_by_name) {
  const CsvTable t = parse("well_id,Depth,GR,gr,x,x\n1,2,3,4,5,6\n");
  EXPECT_EQ(t.column("GR"), 2);
  EXPECT_EQ(t.column("gr"), 3);
  EXPECT_EQ(t.column("DEPTH"), 1) << "by case when nothing else fits";
  EXPECT_TRUE(t.has("depth"));
  EXPECT_FALSE(t.has("label"));
  EXPECT_EQ(error_of([&] { t.column("wel_id"); }),
            "t.csv has no column wel_id; there are: well_id, Depth, GR, gr, x, x. Is well_id meant?");
  EXPECT_EQ(error_of([&] { t.column("label"); }), "t.csv has no column label; there are: well_id, Depth, GR, gr, x, x");
  EXPECT_EQ(error_of([&] { t.column("x"); }), "t.csv: columns 5 and 6 are both called x; rename one");
  EXPECT_EQ(error_of([&] { t.column("Gr"); }), "t.csv: columns 3 and 4 are both called Gr; rename one");
}

TEST(Csv, every_refusal_is_a_sentence) {
  EXPECT_EQ(refusal(""), "t.csv is empty; a table with a line of column names was expected");
  EXPECT_EQ(refusal("\n\n"), "t.csv is empty; a table with a line of column names was expected");
  EXPECT_EQ(refusal("1,2\n3,4\n"), "t.csv, line 1: the first line holds numbers; a line of column names was expected");
  EXPECT_EQ(refusal("a,b\n1,2\n3\n"),
            "t.csv, line 3: 1 cell in this row, but the first line names 2 columns; mend or delete the row");
  EXPECT_EQ(refusal("a,b\n\"1\n2\",2\n3,4,5\n"),
            "t.csv, line 4: 3 cells in this row, but the first line names 2 columns; mend or delete the row");
  EXPECT_EQ(refusal("a,b\n1,2\n3,\"4\n5,6\n"),
            "t.csv, line 3: the quote that opens in column 2 is never closed; close it, or write a quote inside quotes "
            "twice");
  EXPECT_EQ(refusal("a,b\n1,\"2\n3,\"4\n"),
            "t.csv, line 3: \"4\" follows the closing quote of a cell that opened in line 2; a quote inside quotes is "
            "written twice");
  EXPECT_EQ(refusal(std::string("a,b\n1,\0", 7)),
            "t.csv, line 2: there are zero bytes here: the file is damaged, or binary, or UTF-16 text (then save it as "
            "UTF-8)");
  EXPECT_EQ(refusal("\xFF\xFE"
                    "a"),
            "t.csv is UTF-16 text; save it as UTF-8 and try again");
  EXPECT_NE(error_of([] { read_csv("/nowhere/t.csv"); }).find("cannot read /nowhere/t.csv"), std::string::npos);
}

TEST(Csv, gzip) {
  const std::string plain = "a,b\n1,2\n3,4\n", packed = gzip(plain);
  EXPECT_EQ(flat(parse(packed)), "1|2;3|4;");
  EXPECT_EQ(flat(parse(packed + gzip("5,6\n"))), "1|2;3|4;5|6;") << "several members";
  for (size_t n = 2; n < packed.size(); ++n)
    EXPECT_EQ(refusal(packed.substr(0, n)), "t.csv is cut short: the packed data end early; copy or download it again")
        << n;
  std::string broken = packed;
  broken[packed.size() - 6] = char(broken[packed.size() - 6] ^ 1);  // in the check sum
  EXPECT_TRUE(refusal(broken).starts_with("t.csv is damaged: ")) << refusal(broken);
  EXPECT_EQ(refusal(packed + "x"),
            "t.csv: something that is not gzip follows the packed data; was the file joined with another?");
}

TEST(Csv, a_decompression_bomb_is_refused_early) {
  const std::string bomb = gzip(std::string(65 << 20, 'a'));
  EXPECT_TRUE(refusal(bomb).starts_with("t.csv unpacks to more than 64 MiB, 10")) << refusal(bomb);
}

TEST(Csv, any_cut_of_a_file_reads_or_is_refused) {
  const std::string whole = "\"a\",b\r\n1,\"x \"\" y\"\r\n\r\n ,\"two\nlines\"\n";
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::string said = refusal(whole.substr(0, n));
    EXPECT_TRUE(said == "no error" || said.starts_with("t.csv")) << said;
  }
}

TEST(Csv, writes_what_it_reads) {
  const fs::path folder = fs::path(::testing::TempDir()) / "kern_csv";
  fs::remove_all(folder);
  make_folder(folder);
  {
    CsvWriter csv(folder / "t.csv", {"name, with comma", "x", "n"});
    csv.cell(" \"quoted\" ").cell(0.1).cell(-7).end_row();
    csv.cell("two\nlines").cell(std::nan("")).cell(int64_t(1) << 40).end_row();
    csv.cell("").cell(1e300).cell(0).end_row();
    EXPECT_FALSE(fs::exists(folder / "t.csv")) << "not before commit";
    csv.commit();
  }
  const CsvTable t = read_csv(folder / "t.csv");
  EXPECT_EQ(t.names()[0], "name, with comma");
  EXPECT_EQ(flat(t), " \"quoted\" |0.1|-7;two\nlines||1099511627776;|1e+300|0;");
  EXPECT_EQ(t.number(0, 1), 0.1);
  EXPECT_TRUE(std::isnan(t.number(1, 1)));
  CsvWriter one(folder / "one.csv", {"a"});
  one.cell("").end_row();
  one.cell("x").end_row();
  one.commit();
  EXPECT_EQ(read_csv(folder / "one.csv").rows(), 2) << "a lone empty cell is no blank line";
  CsvWriter narrow(folder / "narrow.csv", {"a", "b"});
  narrow.cell("1");
  EXPECT_THROW(narrow.end_row(), InternalError);
}

TEST(Csv, a_large_real_table_is_read_fast) {
  const fs::path path = testing::source_file("../shared/data/wells/mannville_gr/mannville_gr_zones.csv.gz");
  if (!fs::exists(path)) GTEST_SKIP() << "the shared wells are not there";
  const auto start = std::chrono::steady_clock::now();
  const CsvTable t = read_csv(path);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_EQ(t.rows(), 877565);
  const int depth = t.column("depth_m"), label = t.column("label");
  double deepest = 0;
  for (int64_t r = 0; r < t.rows(); ++r) {
    deepest = std::max(deepest, t.number(r, depth));
    ASSERT_TRUE(t.number(r, label) >= 0 && t.number(r, label) <= 4) << r;
  }
  EXPECT_GT(deepest, 100);
  EXPECT_LT(seconds, 20) << "0.4 s is usual; a sanitizer or a busy machine may take longer";
}

TEST(Names, nearest) {
  const std::vector<std::string> names{"depth", "gamma_ray", "RHOB"};
  EXPECT_EQ(nearest_name("DEPHT", names), "depth");
  EXPECT_EQ(nearest_name("dept", names), "depth");
  EXPECT_EQ(nearest_name("Gamma Ray", names), "gamma_ray");
  EXPECT_EQ(nearest_name("rhob", names), "RHOB");
  EXPECT_EQ(nearest_name("x", names), "");
}

}  // namespace
}  // namespace kern::data
