#include "training/shared_scores.h"

#include "engine/agreement.h"
#include "training/shared_work.h"

namespace kern::training {

Parcel& Parcel::put(const ConfusionMatrix& m) {
  std::vector<int64_t> counts;
  for (int64_t truth = 0; truth < m.class_count(); ++truth)
    for (int64_t k = 0; k < m.class_count(); ++k) counts.push_back(m.count(truth, k));
  return put(counts);
}

ConfusionMatrix Parcel::matrix(const ClassList& classes) {
  ConfusionMatrix m(classes);
  m.add_counts(std::span<const int64_t>(many<int64_t>()));
  return m;
}

bool score_together(int64_t n, const std::function<Parcel(int64_t)>& score,
                    const std::function<void(int64_t, Parcel)>& take, const std::function<bool()>& leave, bool large) {
  SharedWork work{.unit = [&](int64_t i) { return score(i).bytes(); },
                  .told = [&](const UnitDone& d) { take(d.index, Parcel(d.said)); },
                  .leave = leave ? leave : [] { return false; }};
  if (large) work.most = 1;
  int64_t done = 0;
  together([&] { done = share_work(0, n, work); });
  return done == n;
}

}  // namespace kern::training
