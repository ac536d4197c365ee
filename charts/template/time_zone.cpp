// Time zones from the system's compiled zoneinfo files (RFC 8536).

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/files.h"
#include "charts/template/go_time.h"

namespace coracle::charts {
namespace {

constexpr std::size_t kMaxZoneFile = 256 * 1024;
constexpr std::size_t kHeaderSize = 44;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = static_cast<unsigned char>(bytes[0]) >= 0x80 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = (value << 8) | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

struct ZoneHeader {
  std::size_t utc_marks, standard_marks, leaps, times, types, characters;

  static std::optional<ZoneHeader> read(std::string_view data) {
    if (data.size() < kHeaderSize || !data.starts_with("TZif")) return std::nullopt;
    const auto count = [&](std::size_t index) {
      return static_cast<std::size_t>(big_endian(data.substr(20 + index * 4, 4)));
    };
    ZoneHeader header{count(0), count(1), count(2), count(3), count(4), count(5)};
    const std::size_t largest =
        std::max({header.utc_marks, header.leaps, header.times, header.types, header.characters});
    if (largest > kMaxZoneFile || header.types == 0) return std::nullopt;
    return header;
  }
  std::size_t body_size(std::size_t time_size) const {
    return times * (time_size + 1) + types * 6 + characters + leaps * (time_size + 4) + standard_marks + utc_marks;
  }
};

struct Zone {
  int offset;
  std::string name;
};

std::optional<Zone> zone_at(std::string_view data, std::int64_t seconds) {
  auto header = ZoneHeader::read(data);
  if (!header) return std::nullopt;
  std::size_t time_size = 4;
  if (data[4] >= '2') {
    // The second block repeats everything with 64-bit times.
    const std::size_t skip = kHeaderSize + header->body_size(time_size);
    if (skip > data.size()) return std::nullopt;
    data.remove_prefix(skip);
    header = ZoneHeader::read(data);
    if (!header) return std::nullopt;
    time_size = 8;
  }
  data.remove_prefix(kHeaderSize);
  if (data.size() < header->body_size(time_size)) return std::nullopt;
  std::size_t type = 0;
  for (std::size_t i = 0; i < header->times; ++i) {
    if (big_endian(data.substr(i * time_size, time_size)) > seconds) break;
    type = static_cast<unsigned char>(data[header->times * time_size + i]);
  }
  if (type >= header->types) return std::nullopt;
  const std::string_view types = data.substr(header->times * (time_size + 1));
  const std::string_view row = types.substr(type * 6, 6);
  const std::string_view names = types.substr(header->types * 6, header->characters);
  const std::size_t name = static_cast<unsigned char>(row[5]);
  if (name >= names.size()) return std::nullopt;
  return Zone{static_cast<int>(big_endian(row.substr(0, 4))), std::string(names.substr(name).data())};
}

}  // namespace

std::optional<GoValue> in_time_zone(const GoValue& time, const std::string& zone) {
  if (zone.empty() || zone == "UTC") return GoValue::time(time.as_time());
  if (zone == "Local") return GoValue::time(time.as_time());
  if (zone.find("..") != std::string::npos || zone.front() == '/') return std::nullopt;
  const Result<std::string> data = read_file("/usr/share/zoneinfo/" + zone, kMaxZoneFile);
  if (!data.ok()) return std::nullopt;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time.as_time()).time_since_epoch().count();
  const auto found = zone_at(*data, seconds);
  if (!found) return std::nullopt;
  return GoValue::time(time.as_time(), found->offset, found->name);
}

}  // namespace coracle::charts
