// Work that all ranks (engine/communicator.h) do together and that may fail on one of them: then it fails on all, with
// the same sentence, and they can go on together with what comes next.
//
//   together([&] {
//     const std::string mine = read(...);                            // may throw, on one rank alone
//     for (const std::string& theirs : agree(mine)) ...;             // throws on all where one has failed
//   });
//
// Between its beginning and its end the ranks exchange by agree() alone: who fails tells the others at the next one.
// One process: the function is called, and its errors are what they are.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/common/error.h"

namespace kern {

// What one rank or several met, as all ranks get it: "rank 1: the disk is full". Without the rank where all met the same.
struct AgreedError : Error {
  using Error::Error;
};

// Every rank does `work`; returns when all have done it. An Error of some becomes an AgreedError of all; an InternalError,
// a lost rank and an interruption are passed on as they are, for they end the program.
void together(const std::function<void()>& work);
// What every rank gave, by rank, as Communicator::gather(); within together().
std::vector<std::string> agree(std::string_view mine = {});

// Within together(): an Error unless all ranks see the same folder, which is there. `one_file`: they are to write one
// file in it, which NFS does not keep whole when its clients run on several machines.
void check_shared(const std::filesystem::path& folder, bool one_file = false);

}  // namespace kern
