#include "base/encoding.h"

#include <array>
#include <cstdint>

namespace coracle {
namespace {

constexpr std::string_view kStandardAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHexDigits = "0123456789abcdef";

using DecodeTable = std::array<std::int8_t, 256>;

constexpr DecodeTable decode_table(std::string_view alphabet) {
  DecodeTable table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr DecodeTable kStandardTable = decode_table(kStandardAlphabet);
constexpr DecodeTable kUrlTable = decode_table(kUrlAlphabet);

std::string encode_base64(std::string_view data, std::string_view alphabet, bool padding) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  std::size_t at = 0;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(data[i])); };
  const auto digit = [&](std::uint32_t bits, int shift) { out += alphabet[(bits >> shift) & 63]; };
  for (; at + 3 <= data.size(); at += 3) {
    const std::uint32_t bits = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    for (const int shift : {18, 12, 6, 0}) digit(bits, shift);
  }
  if (data.size() - at == 1) {
    const std::uint32_t bits = byte(at) << 16;
    for (const int shift : {18, 12}) digit(bits, shift);
    if (padding) out += "==";
  } else if (data.size() - at == 2) {
    const std::uint32_t bits = byte(at) << 16 | byte(at + 1) << 8;
    for (const int shift : {18, 12, 6}) digit(bits, shift);
    if (padding) out += '=';
  }
  return out;
}

// `text` without padding. Refuses bits that no encoder sets, so that one value has one spelling.
Result<std::string> decode_base64(std::string_view text, const DecodeTable& table) {
  if (text.size() % 4 == 1) return bad_request("base64 text is cut short");
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int have = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::int8_t value = table[static_cast<unsigned char>(text[i])];
    if (value < 0) return bad_request("base64 text has an illegal character at offset " + std::to_string(i));
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>(bits >> have & 0xff);
    }
  }
  if ((bits & ((1U << have) - 1)) != 0) return bad_request("base64 text ends in bits that mean nothing");
  return out;
}

std::string_view strip_padding(std::string_view text) {
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string base64_encode(std::string_view data) {
  return encode_base64(data, kStandardAlphabet, true);
}
std::string base64url_encode(std::string_view data) {
  return encode_base64(data, kUrlAlphabet, false);
}

Result<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return bad_request("base64 text is not padded to a multiple of four characters");
  return decode_base64(strip_padding(text), kStandardTable);
}

Result<std::string> base64url_decode(std::string_view text) {
  if (!text.empty() && text.back() == '=' && text.size() % 4 != 0) return bad_request("base64 text is wrongly padded");
  return decode_base64(strip_padding(text), kUrlTable);
}

std::string hex_encode(std::string_view data) {
  std::string out;
  out.reserve(data.size() * 2);
  for (const char c : data) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
  return out;
}

}  // namespace coracle
