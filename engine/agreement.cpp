#include "engine/agreement.h"

#include <sys/vfs.h>

#include <algorithm>
#include <random>

#include "engine/atomic_file.h"
#include "engine/communicator.h"
#include "engine/interruption.h"

namespace kern {
namespace {

constexpr char kWell = '+', kFailed = '-';
constexpr long kNfs = 0x6969;  // statfs(2): NFS_SUPER_MAGIC

// Exchanges messages; throws if one of them, ours among them, is a failure.
std::vector<std::string> exchange(std::string message) {
  std::vector<std::string> all = communicator().gather(message);
  const auto first = std::ranges::find_if(all, [](const std::string& m) { return m[0] == kFailed; });
  if (first != all.end()) {
    std::string ranks;
    for (size_t r = 0; r < all.size(); ++r)
      if (all[r] == *first) ranks += (ranks.empty() ? "" : ", ") + std::to_string(r);
    const bool everyone = std::ranges::count(all, *first) == std::ptrdiff_t(all.size());
    throw AgreedError((everyone ? "" : "rank " + ranks + ": ") + first->substr(1));
  }
  for (std::string& m : all) m.erase(0, 1);
  return all;
}

}  // namespace

std::vector<std::string> agree(std::string_view mine) {
  if (communicator().alone()) return {std::string(mine)};
  return exchange(kWell + std::string(mine));
}

void together(const std::function<void()>& work) {
  if (communicator().alone()) return work();
  std::string failure;
  try {
    work();
  } catch (const AgreedError&) {
    throw;
  } catch (const RankLost&) {
    throw;
  } catch (const Interrupted&) {
    throw;
  } catch (const InternalError&) {
    throw;
  } catch (const Error& e) {
    failure = kFailed + e.sentence();
  } catch (const std::filesystem::filesystem_error& e) {
    failure = text(kFailed, "cannot use ", e.path1().string(), ": ", e.code().message());
  }
  exchange(failure.empty() ? std::string(1, kWell) : failure);
}

void check_shared(const std::filesystem::path& folder, bool one_file) {
  const Communicator& ranks = communicator();
  if (ranks.alone()) return;
  struct Token {  // a file that only rank 0 can have made
    std::filesystem::path path;
    ~Token() {
      std::error_code ignored;
      if (!path.empty()) std::filesystem::remove(path, ignored);
    }
  } token;
  if (ranks.root()) {
    std::random_device random;
    token.path = folder / (".ranks" + std::to_string(uint64_t(random()) << 32 | random()));
    write_file(token.path, "");
  }
  const std::string name = agree(token.path.filename().string())[0];
  check(std::filesystem::exists(folder / name), "the folder ", folder.string(),
        " is not the one that rank 0 sees: name one on a file system that all machines share");
  struct statfs system {};
  const bool nfs = ::statfs(folder.c_str(), &system) == 0 && long(system.f_type) == kNfs;
  check(!one_file || !nfs || ranks.local_size() == ranks.size(), "the folder ", folder.string(),
        " is on NFS, which does not keep a file whole that several machines write at once: start all ranks on one "
        "machine, or name a folder on a parallel file system (Lustre, GPFS, BeeGFS, CephFS)");
  agree();
}

}  // namespace kern
