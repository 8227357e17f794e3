// What a file's bytes are: its claims, checked against its size.
#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "data/segy.h"
#include "kernels/common/error.h"

namespace kern::data::detail {
namespace {

constexpr int64_t kHeaders = kSegyText + kSegyBinary;
constexpr uint32_t kOrderConstant = 16909060;  // bytes 01 02 03 04 in big-endian order

class Finder {
 public:
  Finder(const SegyFile& file, std::vector<std::string>& warnings) : file_(file), warnings_(warnings) {}

  SegyLayout find() {
    check(size_ >= kHeaders, name_, " is no SEG-Y file: it has ", size_, " bytes, the headers of SEG-Y alone take ",
          kHeaders);
    binary_.resize(size_t(kSegyBinary));
    file_.read_bytes(kSegyText, binary_);
    find_format();
    find_revision();
    find_traces();
    mend_gain();
    find_times();
    return layout_;
  }

 private:
  int64_t claim(const SegyField& field) const { return get_field(binary_, field, layout_.order); }
  template <class... Parts>
  void warn(const Parts&... parts) {
    warnings_.push_back(text(parts...));
  }

  void find_format() {
    const int64_t big = get_field(binary_, binary_field::format, ByteOrder::big);
    const int64_t little = get_field(binary_, binary_field::format, ByteOrder::little);
    const int64_t constant = get_field(binary_, binary_field::order_constant, ByteOrder::big);
    if (constant == kOrderConstant) layout_.order = ByteOrder::big;
    else if (constant == int64_t(__builtin_bswap32(kOrderConstant))) layout_.order = ByteOrder::little;
    else layout_.order = !segy_format(big) && segy_format(little) ? ByteOrder::little : ByteOrder::big;
    const int64_t code = layout_.order == ByteOrder::big ? big : little;
    const auto format = segy_format(code);
    if (!format && code != 0)
      throw Error(text(name_, " is no SEG-Y file: ", seismic_unix(), "bytes 3225-3226 hold ", code,
                       ", which stands for no sample format"));
    if (!format) {
      const int64_t samples = claim(binary_field::samples);
      check(samples > 0, name_, " is no SEG-Y file: ", seismic_unix(),
            "its binary header names neither a sample format nor a number of samples");
      warn("bytes 3225-3226 name no sample format (0): the samples are read as ", to_string(SegyFormat::ibm_float32),
           "s, as the oldest files mean it");
    }
    layout_.format = format.value_or(SegyFormat::ibm_float32);
  }

  // SU files begin with a trace header and hold native floats: said, because the mistake is common.
  std::string seismic_unix() const {
    SegyTraceHeader header;
    file_.read_bytes(0, header);
    for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
      const int64_t samples = get_field(header, trace_field::samples, order);
      if (samples > 1 && size_ % (kSegyTraceHeader + 4 * samples) == 0)
        return text("it looks like Seismic Un*x data of ", samples,
                    " samples a trace (convert them with segyhdrs and segywrite); ");
    }
    return "";
  }

  void find_revision() {
    int64_t major = claim(binary_field::major_revision);
    const int64_t minor = claim(binary_field::minor_revision);
    if (major == 0 && (minor == 1 || minor == 2)) major = minor;  // a 16-bit number in the other order
    if (major > 2) {
      warn("bytes 3501-3502 claim revision ", major, ".", minor, ", which does not exist: read as revision 0");
      major = 0;
    }
    layout_.revision = int(major);
  }

  // Text headers of 3200 bytes from `from` on, up to and with the one that says it is the last; nothing without it.
  std::optional<int64_t> texts_until_end(int64_t from) const {
    for (int64_t n = 0; from + (n + 1) * kSegyText <= size_; ++n)
      if (stanza(from + n * kSegyText).starts_with("((seg:endtext))")) return n + 1;
    return std::nullopt;
  }
  // The first line of a text header, in small letters, without blanks.
  std::string stanza(int64_t from) const {
    std::vector<std::byte> bytes(80);
    if (from + int64_t(bytes.size()) > size_) return "";
    file_.read_bytes(from, bytes);
    std::string line;
    const SegyText header = read_text_header(bytes);
    for (const char c : header.lines[0])
      if (c != ' ') line += c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
    return line;
  }

  int64_t claimed_texts() {
    const int64_t claimed = claim(binary_field::extended_texts);
    if (claimed == -1) {
      if (const auto counted = texts_until_end(kHeaders)) return *counted;
      warn(
          "bytes 3505-3506 announce extended text headers up to one that says ((SEG: EndText)), but there is none: "
          "read as if there were no extended text header");
      return 0;
    }
    if (claimed < 0 || kHeaders + claimed * kSegyText > size_) {
      warn("bytes 3505-3506 claim ", claimed, " extended text headers, which cannot be: read as if there were none");
      return 0;
    }
    // A stanza where the traces should begin: the count is too small.
    int64_t found = claimed;
    while (stanza(kHeaders + found * kSegyText).starts_with("((seg")) ++found;
    if (found > claimed)
      warn("bytes 3505-3506 claim ", claimed, " extended text headers, there are ", found, ": ", found, " are read");
    return found;
  }

  struct Try {
    int64_t texts, more, start, samples;
    const char* from;  // where the number of samples stands
    bool of_trace = false;
  };
  int64_t room(const Try& t) const { return end_ - t.start; }
  int64_t length(const Try& t) const { return kSegyTraceHeader * (1 + t.more) + t.samples * bytes_of(layout_.format); }

  void find_traces() {
    const int64_t texts = claimed_texts();
    const bool second = layout_.revision == 2;
    const int64_t more = second ? claim(binary_field::more_trace_headers) : 0;
    end_ = size_;
    if (const int64_t trailers = claim(binary_field::trailers);
        second && trailers > 0 && trailers < (size_ - kHeaders) / kSegyText)
      end_ -= trailers * kSegyText;

    // Everything that the headers say, the likeliest first; the size decides.
    std::vector<Try> tries;
    for (const int64_t t : {texts, int64_t(0)})
      for (const int64_t m : {more, int64_t(0)}) {
        int64_t start = kHeaders + t * kSegyText;
        if (const int64_t said = claim(binary_field::first_trace);
            second && t == texts && said >= kHeaders && said < size_)
          start = said;
        if (second) tries.push_back({t, m, start, claim(binary_field::long_samples), "bytes 3269-3272"});
        tries.push_back({t, m, start, claim(binary_field::samples), "bytes 3221-3222"});
        if (size_ - start >= kSegyTraceHeader) {
          SegyTraceHeader header;
          file_.read_bytes(start, header);
          tries.push_back({t, m, start, get_field(header, trace_field::samples, layout_.order),
                           "bytes 115-116 of the first trace header", true});
        }
      }
    std::erase_if(tries, [](const Try& t) { return t.samples <= 0; });
    const Try* chosen = nullptr;
    for (const Try& t : tries)
      if (!chosen && room(t) > 0 && room(t) % length(t) == 0) chosen = &t;
    const int64_t first_start = kHeaders + texts * kSegyText;
    if (!chosen) {
      check(size_ > first_start, name_, " holds no trace: the file ends after its headers");
      check(!tries.empty(), name_, " names no number of samples: bytes 3221-3222 of the file and 115-116 of the first ",
            "trace are 0; put the number there with a SEG-Y editor");
      check_equal_lengths(first_start);
      for (const Try& t : tries)
        if (!chosen && room(t) >= length(t)) chosen = &t;
      check(chosen != nullptr, name_, " holds no whole trace: ", tries[0].from, " claim ", tries[0].samples,
            " samples a trace, which take ", length(tries[0]), " bytes with their header, and ", room(tries[0]),
            " follow; is the file cut short?");
    }
    layout_.extended_texts = chosen->texts;
    layout_.trace_headers = 1 + chosen->more;
    layout_.data_start = chosen->start;
    layout_.samples = chosen->samples;
    layout_.traces = room(*chosen) / length(*chosen);
    say_what_differs(*chosen, texts, more, tries);
  }

  void say_what_differs(const Try& chosen, int64_t texts, int64_t more, const std::vector<Try>& tries) {
    if (chosen.texts != texts)
      warn("bytes 3505-3506 claim ", texts,
           " extended text headers, but only without them the traces fill the file: "
           "read as if there were none");
    if (chosen.more != more)
      warn("bytes 3507-3508 claim ", more,
           " additional headers per trace, but only without them the traces fill the "
           "file: read as if there were none");
    if (const int64_t binary = claim(binary_field::samples); binary != chosen.samples && chosen.of_trace)
      warn("bytes 3221-3222 claim ", binary, " samples a trace; ", chosen.samples, " (", chosen.from,
           ") fill the file: ", chosen.samples, " are read");
    for (const Try& t : tries)
      if (t.of_trace && t.start == chosen.start && t.more == chosen.more && t.samples != chosen.samples) {
        warn(t.from, " claim ", t.samples, " samples a trace; ", chosen.samples, " (", chosen.from, ") ",
             room(chosen) % length(chosen) == 0 ? "fill the file" : "come first", ": ", chosen.samples, " are read");
        break;
      }
    if (const int64_t left = room(chosen) % length(chosen); left > 0)
      warn("the file ends in the middle of trace ", layout_.traces + 1, ": ", layout_.traces, " whole trace",
           layout_.traces == 1 ? " is" : "s are", " read, the last ", left, " bytes are not");
  }

  // Traces that each say their own length and fill the file so.
  void check_equal_lengths(int64_t start) const {
    constexpr int64_t kMax = 1000000;  // headers looked at
    SegyTraceHeader header;
    int64_t at = start, least = INT64_MAX, most = 0;
    for (int64_t n = 0; n < kMax && at + kSegyTraceHeader <= size_; ++n) {
      file_.read_bytes(at, header);
      const int64_t samples = get_field(header, trace_field::samples, layout_.order);
      if (samples == 0) return;
      at += kSegyTraceHeader + samples * bytes_of(layout_.format);
      least = std::min(least, samples), most = std::max(most, samples);
    }
    check(at != size_, name_, " has traces of different lengths, ", least, " to ", most,
          " samples: pad them to one length in the program that wrote the file");
  }

  // Fixed point with gain leaves the first byte of a sample empty. Nobody writes it any more; files that claim it hold
  // IBM floats.
  void mend_gain() {
    constexpr int64_t kTraces = 100;
    if (layout_.format != SegyFormat::gain_float32) return;
    std::vector<std::byte> samples(size_t(layout_.samples * bytes_of(layout_.format)));
    for (int64_t t = 0; t < std::min(layout_.traces, kTraces); ++t) {
      file_.read_bytes(layout_.trace_start(t) + layout_.trace_headers * kSegyTraceHeader, samples);
      for (size_t i = layout_.order == ByteOrder::big ? 0 : 3; i < samples.size(); i += 4)
        if (samples[i] != std::byte(0)) {
          warn("bytes 3225-3226 claim ", to_string(layout_.format),
               " (4), but the byte that it leaves empty is in use: the samples are read as ",
               to_string(SegyFormat::ibm_float32), "s");
          layout_.format = SegyFormat::ibm_float32;
          return;
        }
    }
  }

  void find_times() {
    const SegyTraceHeader first = [&] {
      SegyTraceHeader header;
      file_.read_bytes(layout_.data_start, header);
      return header;
    }();
    const auto of_trace = [&](const SegyField& f) { return get_field(first, f, layout_.order); };
    // A negative number is no interval; as an unsigned one it would be above 32 ms, which seismic data never have.
    const auto positive = [](int64_t v) { return v > 0 && v < 32768; };
    const int64_t binary = claim(binary_field::interval), trace = of_trace(trace_field::interval);
    if (layout_.revision == 2) {
      const double exact = std::bit_cast<double>(
          load_bytes(binary_.data() + binary_field::long_interval.byte - kSegyText - 1, 8, layout_.order));
      if (std::isfinite(exact) && exact > 0 && exact < 1e9) layout_.interval = exact;
    }
    if (layout_.interval == 0) {
      if (positive(binary)) layout_.interval = double(binary);
      else if (positive(trace)) layout_.interval = double(trace);
      if (!positive(binary) && positive(trace))
        warn("bytes 3217-3218 name no sample interval (", int16_t(binary), "): ", trace,
             " microseconds, as bytes 117-118 of the first trace header say");
      else if (!positive(binary))
        warn("no sample interval is named (bytes 3217-3218 hold ", int16_t(binary),
             ", 117-118 of the first trace header ", int16_t(trace), "): samples are counted instead of milliseconds");
      else if (positive(trace) && trace != binary)
        warn("the sample interval is ", binary, " microseconds by bytes 3217-3218 and ", trace,
             " by 117-118 of the first trace header: ", binary, " is taken");
    }
    const int64_t delay = of_trace(trace_field::delay);
    const int64_t scalar = layout_.revision >= 1 ? of_trace(trace_field::time_scalar) : 0;
    layout_.delay = scaled(delay, scalar);
  }

  const SegyFile& file_;
  std::vector<std::string>& warnings_;
  const std::string& name_ = file_.name();
  const int64_t size_ = file_.bytes();
  int64_t end_ = 0;  // where trailers begin
  std::vector<std::byte> binary_;
  SegyLayout layout_;
};

}  // namespace

SegyLayout find_layout(const SegyFile& file, std::vector<std::string>& warnings) {
  return Finder(file, warnings).find();
}

}  // namespace kern::data::detail
