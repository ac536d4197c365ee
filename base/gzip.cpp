#include "base/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

namespace coracle {
namespace {

// zlib's window bits: the largest window, with a gzip header.
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kDeflateMemoryLevel = 8;
constexpr std::size_t kInflatePiece = 64 * 1024;

Bytef* zlib_input(std::string_view data) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
}

uInt zlib_piece(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

struct InflateStream {
  z_stream z{};
  bool ready = inflateInit2(&z, kGzipWindowBits) == Z_OK;
  InflateStream() = default;
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;
  ~InflateStream() {
    if (ready) inflateEnd(&z);
  }
};

}  // namespace

std::string gzip(std::string_view data, int level) {
  z_stream z{};
  if (deflateInit2(&z, std::clamp(level, 0, 9), Z_DEFLATED, kGzipWindowBits, kDeflateMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return {};
  }
  std::string out(deflateBound(&z, data.size()), '\0');
  std::size_t in_done = 0;
  int state = Z_OK;
  while (state == Z_OK || state == Z_BUF_ERROR) {
    z.next_in = zlib_input(data.substr(in_done));
    z.avail_in = zlib_piece(data.size() - in_done);
    const uInt offered = z.avail_in;
    if (z.total_out == out.size()) out.resize(out.size() + kInflatePiece);
    z.next_out = reinterpret_cast<Bytef*>(out.data()) + z.total_out;
    z.avail_out = zlib_piece(out.size() - z.total_out);
    state = deflate(&z, in_done + offered == data.size() ? Z_FINISH : Z_NO_FLUSH);
    in_done += offered - z.avail_in;
  }
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

Result<std::string> gunzip(std::string_view data, std::size_t limit) {
  InflateStream stream;
  if (!stream.ready) return internal_error("cannot start to decompress: out of memory");
  z_stream& z = stream.z;
  std::string out;
  std::array<char, kInflatePiece> piece;
  std::size_t in_done = 0;
  while (true) {
    z.next_in = zlib_input(data.substr(in_done));
    z.avail_in = zlib_piece(data.size() - in_done);
    const uInt offered = z.avail_in;
    z.next_out = reinterpret_cast<Bytef*>(piece.data());
    z.avail_out = static_cast<uInt>(piece.size());
    const int state = inflate(&z, Z_NO_FLUSH);
    in_done += offered - z.avail_in;
    const std::size_t got = piece.size() - z.avail_out;
    if (got > limit - out.size()) {
      return Error(Reason::RequestEntityTooLarge,
                   "gzip data is larger than " + std::to_string(limit) + " bytes when decompressed");
    }
    out.append(piece.data(), got);
    if (state == Z_STREAM_END) {
      if (in_done == data.size()) return out;
      // A gzip file may be several streams one after another (RFC 1952 2.2).
      if (inflateReset(&z) != Z_OK) return internal_error("cannot go on decompressing");
      continue;
    }
    if (state != Z_OK || (got == 0 && in_done == data.size())) {
      const bool cut = state == Z_OK || (state == Z_BUF_ERROR && in_done == data.size());
      return Error(Reason::Corrupt,
                   cut ? "gzip data is cut short"
                       : std::string("gzip data is damaged: ") + (z.msg != nullptr ? z.msg : "bad data"));
    }
  }
}

}  // namespace coracle
