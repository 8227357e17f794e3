// What comes with Kern: files beside the program, in share/kern of what it is installed in.
#pragma once
#include <filesystem>
#include <string_view>
#include <vector>

namespace kern::training {

// The file of share/kern in or beside the program's folder ("configs/wells_demo.yaml"); an Error where it is not there.
std::filesystem::path shipped_file(std::string_view name);

// The models' folder: what KERN_MODELS in the environment says, or share/kern/models in or beside the program's folder;
// empty where there is none.
std::filesystem::path shipped_models_folder();
// For who is not the program, the Python package: where they are, unless KERN_MODELS says otherwise.
void set_shipped_models_folder(std::filesystem::path folder);
// All of them, by name; none where there is no folder.
std::vector<std::filesystem::path> shipped_models();
// The file of a name ("faults"), or an Error that says where it was sought and what to do.
std::filesystem::path shipped_model(std::string_view name);

}  // namespace kern::training
