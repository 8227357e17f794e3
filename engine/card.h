// The graphics card: whether one is there, its memory, its stream, and copies between it and the host. All CUDA runtime
// calls of the engine are in card.cpp; in a build without CUDA the same functions say that there is no card.
//
// Work given to a card is done in the order of one stream, while the host goes on. Reading values (Tensor::values,
// item) waits for it; nothing else does.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "kernels/common/device.h"
#include "kernels/common/error.h"

namespace kern {

// Whether there is a card that this build can use; if not, `why` (if given) gets a sentence that says what to do.
bool card_available(std::string* why = nullptr);
// Error with that sentence where `device` is not there.
void require_device(Device device, SourceLocation at = SourceLocation::current());
// What a person may ask for; automatic is a card where there is one (an emulated one must be asked for). Where there is
// one that cannot be used (its driver is too old, this build has no code for it) a warning says so, once.
enum class DeviceChoice { automatic, cpu, cuda };
Device device_of(DeviceChoice choice, SourceLocation at = SourceLocation::current());  // Error where it is not there

struct CardInfo {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  int driver = 0, runtime = 0;  // versions of CUDA: 12040 is 12.4
  size_t memory = 0, free = 0;  // bytes
  bool emulated = false;
};
CardInfo card_info();  // Error without a card

void wait_for(Device device);  // until all work given to it is done; throws what went wrong in a kernel

// --- for the engine: raw memory ---
std::byte* card_allocate(size_t bytes);  // null when the card is full
void card_free(std::byte* p);
// A block changes hands: an emulated card refuses to read what the former owner left in it; others do nothing.
void card_hand_out_again(std::byte* p, size_t bytes);
// height rows of width bytes; the pitches are in bytes. Copies from the card to the host wait for it, others do not,
// and the host's bytes may be changed as soon as this returns.
void copy_bytes(Device to_device, void* to, size_t to_pitch, Device from_device, const void* from, size_t from_pitch,
                size_t width, size_t height);
void set_bytes(Device device, void* p, unsigned char value, size_t bytes);

// --- for the engine: what lets the host run ahead of the card ---
// Memory of the host that the card copies from and to by itself.
class PinnedMemory {
 public:
  explicit PinnedMemory(size_t bytes);
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_;
};
// All work is done in the order of one stream, but copies from the host may go beside it, in one of their own.
enum class CardStream { work, upload };
// Between the card and pinned memory, in the order of the stream; the host waits for nothing, and leaves the pinned
// bytes alone until an event that was recorded behind the copy is reached.
void copy_later(Device to_device, void* to, Device from_device, const void* from, size_t bytes,
                CardStream stream = CardStream::work);

// A mark in the work of one of the card's streams.
class CardEvent {
 public:
  explicit CardEvent(bool timed = false);
  ~CardEvent();
  CardEvent(const CardEvent&) = delete;
  CardEvent& operator=(const CardEvent&) = delete;
  void record(CardStream in = CardStream::work);              // here: behind all work given to the stream so far
  void hold(CardStream later) const;                          // what is given to it from now on waits for the event
  bool reached() const;                                       // true if it was never recorded
  void wait() const;                                          // throws what went wrong in a kernel before it
  double milliseconds_since(const CardEvent& earlier) const;  // both timed and reached

 private:
  [[maybe_unused]] void* event_ = nullptr;
};

// Work of the card that was written down instead of done: launch() does it, as often as it is called, with the
// arguments it was recorded with. What it reads and writes must stay where it is.
class CardGraph {
 public:
  // Whatever work() gives to the card. An error in it leaves nothing behind.
  explicit CardGraph(const std::function<void()>& work);
  ~CardGraph();
  CardGraph(const CardGraph&) = delete;
  CardGraph& operator=(const CardGraph&) = delete;
  void launch() const;

 private:
  [[maybe_unused]] void* graph_ = nullptr;
};
bool recording();  // whether this thread is making a CardGraph

// Part of a recorded step that the card may do beside another part:
//
//   const CardBranch branch(wanted);
//   ...                                          // one part
//   { const CardBranch::Inside inside(branch); ... }  // the other; both are behind what was there before the branch
//
// What follows the branch's end waits for both. Neither may write what the other reads or writes, and memory that one
// of them has used may not be handed to the other: what they use is held until the end. Where nothing is being
// recorded, or `wanted` is false, the parts are done one after the other.
class CardBranch {
 public:
  explicit CardBranch(bool wanted);
  ~CardBranch();
  CardBranch(const CardBranch&) = delete;
  CardBranch& operator=(const CardBranch&) = delete;

  class Inside {
   public:
    explicit Inside(const CardBranch& branch);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    void* outside_;
  };

 private:
  [[maybe_unused]] bool forked_;
};

}  // namespace kern
