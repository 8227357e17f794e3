#include "apps/anomalies/source.h"

#include "data/anomaly_inspect.h"
#include "kernels/common/log.h"

namespace kern::apps {

AnomaliesSource read_source(const AnomaliesData& d) {
  AnomaliesSource source{.set = data::load_anomaly_set(d.set()), .store = nullptr};
  std::vector<data::Picture> pictures;
  for (const data::AnomalyPicture& p : source.set.pictures) pictures.push_back({p.id, p.image, p.mask, p.H, p.W});
  source.store = std::make_shared<data::ImageStore>(std::move(pictures),
                                                    data::MaskReader({.kind = d.masks, .classes = {}, .ignore = {}}),
                                                    d.grey ? 1 : 3, size_t(d.cache) << 20);
  int64_t usable = 0;
  for (size_t i = 0; i < source.set.pictures.size(); ++i) {
    const std::string& failure = source.store->facts()[i].failure;
    if (failure.empty()) {
      ++usable;
      continue;
    }
    check(!d.strict, failure);
    source.set.pictures[i].truth = data::Truth::unknown;
    source.set.skipped.push_back({source.set.pictures[i].image.string(), failure, "mend or remove the file"});
  }
  check(usable > 0, "none of the ", source.set.pictures.size(), " pictures in ", d.path,
        " can be read; the first: ", source.store->facts().front().failure);
  return source;
}

void warn_of_skipped(const AnomaliesSource& source) {
  for (const data::Problem& p : source.set.skipped) warn("skipped: ", to_string(p));
  if (const std::string doubt = data::masks_doubt(source.set, *source.store); !doubt.empty())
    warn(doubt, ". If they are, set masks=zero");
}

std::vector<std::string> ids_of(const AnomaliesSource& source, const std::vector<int64_t>& which) {
  std::vector<std::string> ids;
  for (const int64_t i : which) ids.push_back(source.set.pictures[size_t(i)].id);
  return ids;
}

}  // namespace kern::apps
