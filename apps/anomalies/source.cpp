#include "apps/anomalies/source.h"

#include "data/anomaly_inspect.h"
#include "kernels/common/log.h"

namespace kern::apps {

AnomaliesSource read_source(const AnomaliesData& d) {
  AnomaliesSource source{.set = data::load_anomaly_set(d.set()), .store = nullptr};
  std::vector<data::ImageFile> images;
  for (const data::AnomalyImage& p : source.set.images) images.push_back({p.id, p.image, p.mask, p.H, p.W});
  source.store = std::make_shared<data::ImageStore>(std::move(images),
                                                    data::MaskReader({.kind = d.masks, .classes = {}, .ignore = {}}),
                                                    d.grey ? 1 : 3, size_t(d.cache) << 20);
  int64_t usable = 0;
  for (size_t i = 0; i < source.set.images.size(); ++i) {
    const std::string& failure = source.store->facts()[i].failure;
    if (failure.empty()) {
      ++usable;
      continue;
    }
    check(!d.strict, failure);
    source.set.images[i].truth = data::Truth::unknown;
    source.set.skipped.push_back({source.set.images[i].image.string(), failure, "mend or remove the file"});
  }
  check(usable > 0, "none of the ", source.set.images.size(), " images in ", d.path,
        " can be read; the first: ", source.store->facts().front().failure);
  return source;
}

void warn_of_skipped(const AnomaliesSource& source) {
  for (const data::Problem& p : source.set.skipped) warn("skipped: ", to_string(p));
  if (const std::string warning = data::masks_warning(source.set, *source.store); !warning.empty())
    warn(warning, ". If they are, set masks=zero");
}

std::vector<std::string> ids_of(const AnomaliesSource& source, const std::vector<int64_t>& which) {
  std::vector<std::string> ids;
  for (const int64_t i : which) ids.push_back(source.set.images[size_t(i)].id);
  return ids;
}

}  // namespace kern::apps
