// The fields of SEG-Y headers: one table that says where each stands (SEG-Y revision 2.1; bytes are counted from 1, as
// in every description of the format: binary header from 3201, trace header from 1), and the text headers.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/segy_format.h"

namespace kern::data {

inline constexpr int64_t kSegyText = 3200, kSegyBinary = 400, kSegyTraceHeader = 240;

struct SegyField {
  std::string_view name;
  int byte;   // of its first byte: 3201.. in the binary header, 1..240 in a trace header
  int width;  // 1, 2, 4 or 8
  bool is_signed = true;
};

namespace binary_field {
inline constexpr SegyField line{"line number", 3205, 4}, ensemble_traces{"traces per ensemble", 3213, 2},
    interval{"sample interval", 3217, 2, false}, original_interval{"original sample interval", 3219, 2, false},
    samples{"samples per trace", 3221, 2, false}, original_samples{"original samples per trace", 3223, 2, false},
    format{"sample format", 3225, 2}, fold{"ensemble fold", 3227, 2}, sorting{"trace sorting", 3229, 2},
    measurement{"measurement system", 3255, 2}, long_samples{"extended samples per trace", 3269, 4, false},
    long_interval{"extended sample interval", 3273, 8, false}, order_constant{"byte order constant", 3297, 4, false},
    major_revision{"major revision", 3501, 1, false}, minor_revision{"minor revision", 3502, 1, false},
    fixed_length{"fixed-length traces", 3503, 2}, extended_texts{"extended text headers", 3505, 2},
    more_trace_headers{"additional trace headers", 3507, 2, false},
    first_trace{"offset of the first trace", 3521, 8, false}, trailers{"trailer stanzas", 3529, 4};
}
std::span<const SegyField> binary_fields();

namespace trace_field {
inline constexpr SegyField line_sequence{"trace number in line", 1, 4}, file_sequence{"trace number in file", 5, 4},
    field_record{"field record", 9, 4}, record_trace{"trace number in record", 13, 4},
    source_point{"energy source point", 17, 4}, ensemble{"ensemble (CDP)", 21, 4},
    ensemble_trace{"trace number in ensemble", 25, 4}, identification{"trace identification", 29, 2},
    offset{"offset", 37, 4}, coordinate_scalar{"coordinate scalar", 71, 2}, source_x{"source x", 73, 4},
    source_y{"source y", 77, 4}, group_x{"group x", 81, 4}, group_y{"group y", 85, 4},
    coordinate_units{"coordinate units", 89, 2}, delay{"delay recording time", 109, 2},
    samples{"samples", 115, 2, false}, interval{"sample interval", 117, 2, false},
    weighting{"weighting factor", 169, 2}, ensemble_x{"ensemble x", 181, 4}, ensemble_y{"ensemble y", 185, 4},
    inline_number{"inline", 189, 4}, crossline_number{"crossline", 193, 4}, shot_point{"shot point", 197, 4},
    time_scalar{"time scalar", 215, 2};
}
std::span<const SegyField> trace_fields();
// A 4-byte field at a place of the user's choosing. Throws an Error, naming the option, for a place outside 1..237.
SegyField trace_field_at(std::string_view option, int byte);

// `header` is the whole header: 400 bytes for the binary one, 240 for a trace's. An 8-byte unsigned field beyond int64
// reads as the largest int64.
int64_t get_field(std::span<const std::byte> header, const SegyField& field, ByteOrder order);
// What does not fit the field's width is cut off, as C does.
void put_field(std::span<std::byte> header, const SegyField& field, ByteOrder order, int64_t value);

// A value with a SEG-Y scalar: negative divides, 0 counts as 1.
double scaled(int64_t value, int64_t scalar);

struct SegyText {
  bool ebcdic = false;
  std::vector<std::string> lines;  // 40 of at most 80 characters, UTF-8, blanks at the end removed
};
SegyText read_text_header(std::span<const std::byte> bytes);
// EBCDIC (code page 037), 40 lines of 80; what EBCDIC lacks becomes '?', what is too long is cut.
std::vector<std::byte> write_text_header(const std::vector<std::string>& lines);
// Puts the line after the header's last used one, before "SEG Y REV1" and "END TEXTUAL HEADER", in the header's own
// code; where none is free there, into the last free one above. False, and nothing changes: every line is used.
bool add_text_line(std::span<std::byte> header, std::string_view line);

}  // namespace kern::data
