// From an address in the program to "kernels/elementwise/relu.cu:31".
#pragma once
#include <string>

namespace kern::emulator {

std::string line_of(void* pc);                 // asks addr2line, where it exists; else function and offset
std::string short_path(const std::string& p);  // from the project's folder on: "kernels/elementwise/relu.cu"

}  // namespace kern::emulator
