// What tensor cores may round the factors of a product to. Sums, statistics, parameters and their gradients stay float.
//   f32   each factor as two parts that lose nothing: errors are those of float
//   tf32  10 bits of mantissa instead of 23: a third of the instructions, errors about a thousand times those of float
//   bf16  7 bits, and activations are kept so too (activation_options(), engine/ops/cast.h): half the memory and half
//         the instructions of tf32, which NVIDIA rates at twice the speed; errors eight times tf32's: for trainings
//         that were compared with f32. No GPU has run it yet
// Each allows what those before it do. The CPU's products are always f32.
#pragma once
#include <cstdint>
#include <string_view>

namespace kern::kernels {

enum class Precision : uint8_t { f32, tf32, bf16 };

Precision precision();          // f32 unless set otherwise
void set_precision(Precision);  // not while work is running
std::string_view name_of(Precision);

}  // namespace kern::kernels
