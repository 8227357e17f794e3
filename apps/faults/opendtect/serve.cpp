#include "apps/faults/opendtect/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <set>

#include "engine/atomic_file.h"
#include "kernels/common/error.h"
#include "kernels/common/log.h"

namespace kern::apps::opendtect {
namespace {

// Both ends of the conversation. A parent that was killed usually closes them, but another of its children may have
// inherited its ends: so its number is looked at too. (PR_SET_PDEATHSIG would not do: it comes when the thread ends
// that started us, and OpendTect computes in threads that come and go.)
class Pipes {
 public:
  Pipes(int in, int out) : in_(in), out_(out), parent_(::getppid()) {
#ifdef F_SETPIPE_SZ
    ::fcntl(in, F_SETPIPE_SZ, 1 << 20);  // fewer turns for a window; refused, the pipe works as it is
#endif
  }
  bool read(void* to, size_t bytes) { return each(in_, POLLIN, to, bytes, ::read); }
  bool write(const void* from, size_t bytes) { return each(out_, POLLOUT, const_cast<void*>(from), bytes, ::write); }

 private:
  template <class F>
  bool each(int fd, short event, void* at, size_t bytes, F f) {
    auto* p = static_cast<std::byte*>(at);
    while (bytes > 0) {
      pollfd ready{fd, event, 0};
      const int n = ::poll(&ready, 1, 1000);
      if (n < 0 && errno != EINTR) return false;
      if (n <= 0) {
        if (::getppid() != parent_) return false;
        continue;
      }
      const ssize_t done = f(fd, p, bytes);
      if (done < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (done <= 0) return false;
      p += done;
      bytes -= size_t(done);
    }
    return true;
  }
  int in_, out_;
  pid_t parent_;
};

// f's complaint on stderr, each only once; false when it had one.
template <class F>
bool said(std::set<std::string>& complaints, const F& f) {
  std::string sentence;
  try {
    f();
    return true;
  } catch (const Error& e) {
    sentence = e.sentence();
  } catch (const std::bad_alloc&) {
    sentence = "there is not enough memory for this section";
  } catch (const std::exception& e) {
    sentence = e.what();
  }
  if (complaints.insert(sentence).second) warn(sentence, "; the attribute stays undefined");
  return false;
}

int step_of_survey(const std::string& folder) {
  try {
    return folder.empty() ? 0 : crossline_step(read_file(std::filesystem::path(folder) / ".survey"));
  } catch (const Error&) {
    return 0;  // a folder of another machine; the requests will tell
  }
}

}  // namespace

int serve(int in, int out, const std::function<Settings()>& settings, const std::function<SectionNetwork()>& network) {
  Pipes pipes(in, out);
  std::array<std::byte, kFirstBytes> beginning;
  if (!pipes.read(beginning.data(), beginning.size())) return 0;
  std::set<std::string> complaints;
  FirstBytes first;
  if (!said(complaints, [&] { first = read_first_bytes(beginning); })) return 1;
  const SeisInfo& info = first.info;
  std::unique_ptr<SectionTiles> tiles;
  said(complaints, [&] {
    const Settings s = settings();
    const int step = step_of_survey(s.survey);
    tiles = std::make_unique<SectionTiles>(network(), info, s, std::max(1, step));
  });

  // What was read too far belongs to the first request: its head, and up to four bytes of its window.
  std::vector<std::byte> ahead(beginning.begin() + int64_t(first.used), beginning.end());
  auto take = [&](void* to, size_t bytes) {
    const size_t n = std::min(bytes, ahead.size());
    std::copy_n(ahead.begin(), n, static_cast<std::byte*>(to));
    ahead.erase(ahead.begin(), ahead.begin() + int64_t(n));
    return pipes.read(static_cast<std::byte*>(to) + n, bytes - n);
  };
  std::vector<float> window, answer;
  std::array<std::byte, kRequestBytes> head;
  while (take(head.data(), head.size())) {
    Request request;
    if (!said(complaints, [&] {
          request = read_request(head, info);
          window.resize(size_t(values_in(request, info)));
          answer.resize(size_t(values_out(request, info)));
        }))
      return 1;
    if (!take(window.data(), window.size() * sizeof(float))) return 0;
    const bool answered = tiles && said(complaints, [&] { tiles->answer(request, window, answer); });
    if (!answered) std::ranges::fill(answer, std::numeric_limits<float>::quiet_NaN());
    if (!pipes.write(answer.data(), answer.size() * sizeof(float))) return 0;
  }
  return 0;
}

}  // namespace kern::apps::opendtect
