#include "charts/functions/case_words.h"

#include <vector>

#include "base/utf8.h"

namespace coracle::charts {
namespace {

bool in(char32_t rune, char32_t first, char32_t last) {
  return rune >= first && rune <= last;
}

bool is_upper_rune(char32_t rune) {
  return in(rune, 'A', 'Z') || (in(rune, 0xC0, 0xDE) && rune != 0xD7) || in(rune, 0x391, 0x3A9) ||
         in(rune, 0x400, 0x42F);
}
bool is_lower_rune(char32_t rune) {
  return in(rune, 'a', 'z') || (in(rune, 0xDF, 0xFE) && rune != 0xF7) || in(rune, 0x3B1, 0x3C9) ||
         in(rune, 0x430, 0x45F);
}
bool is_digit_rune(char32_t rune) {
  return in(rune, '0', '9');
}

char32_t to_lower_rune(char32_t rune) {
  if (!is_upper_rune(rune)) return rune;
  return rune + (in(rune, 0x400, 0x40F) ? 0x50 : 0x20);
}
char32_t to_upper_rune(char32_t rune) {
  if (!is_lower_rune(rune) || rune == 0xDF || rune == 0x3C2) return rune;
  return rune - (in(rune, 0x450, 0x45F) ? 0x50 : 0x20);
}

bool is_letter_rune(char32_t rune) {
  return is_upper_rune(rune) || is_lower_rune(rune) || rune >= 0x100;
}
bool is_blank_rune(char32_t rune) {
  return rune == ' ' || in(rune, '\t', '\r') || rune == 0x85 || rune == 0xA0;
}

std::u32string runes_of(std::string_view text) {
  std::u32string runes;
  while (!text.empty()) {
    const Rune rune = decode_rune(text);
    runes += rune.value;
    text.remove_prefix(rune.length);
  }
  return runes;
}

std::string text_of(const std::u32string& runes) {
  std::string text;
  for (const char32_t rune : runes) append_rune(text, rune);
  return text;
}

// What strings.Title takes for the space between words.
bool separates_words(char32_t rune) {
  if (rune < 0x80) return !(is_letter_rune(rune) || is_digit_rune(rune) || rune == '_');
  return !is_letter_rune(rune) && is_blank_rune(rune);
}

bool is_connector(char32_t rune) {
  return rune == '_' || rune == '-' || is_blank_rune(rune);
}

}  // namespace

std::string upper_text(std::string_view text) {
  std::u32string runes = runes_of(text);
  for (char32_t& rune : runes) rune = to_upper_rune(rune);
  return text_of(runes);
}

std::string lower_text(std::string_view text) {
  std::u32string runes = runes_of(text);
  for (char32_t& rune : runes) rune = to_lower_rune(rune);
  return text_of(runes);
}

std::string title_text(std::string_view text) {
  std::u32string runes = runes_of(text);
  bool start = true;
  for (char32_t& rune : runes) {
    const bool separator = separates_words(rune);
    if (start) rune = to_upper_rune(rune);
    start = separator;
  }
  return text_of(runes);
}

std::string untitle_text(std::string_view text) {
  std::u32string runes = runes_of(text);
  bool start = true;
  for (char32_t& rune : runes) {
    if (start) rune = to_lower_rune(rune);
    start = is_blank_rune(rune);
  }
  return text_of(runes);
}

std::string swap_case(std::string_view text) {
  std::u32string runes = runes_of(text);
  for (char32_t& rune : runes) {
    if (is_upper_rune(rune)) {
      rune = to_lower_rune(rune);
    } else if (is_lower_rune(rune)) {
      rune = to_upper_rune(rune);
    }
  }
  return text_of(runes);
}

std::string snake_case(std::string_view text, char connector) {
  const std::u32string runes = runes_of(text);
  std::u32string out;
  bool number_word = false;  // the current word began with a digit
  const auto begin_word = [&](bool number) {
    if (!out.empty() && out.back() != static_cast<char32_t>(connector)) out += static_cast<char32_t>(connector);
    number_word = number;
  };
  for (std::size_t i = 0; i < runes.size(); ++i) {
    const char32_t rune = runes[i];
    const char32_t before = i > 0 ? runes[i - 1] : 0;
    const char32_t after = i + 1 < runes.size() ? runes[i + 1] : 0;
    if (is_connector(rune)) {
      out += static_cast<char32_t>(connector);
      number_word = false;
      continue;
    }
    if (is_upper_rune(rune)) {
      const bool after_word = is_lower_rune(before) || is_digit_rune(before);
      const bool ends_run = is_upper_rune(before) && is_lower_rune(after);
      if (after_word || ends_run) begin_word(false);
    } else if (is_digit_rune(rune) && !is_digit_rune(before) && is_letter_rune(before) && !number_word) {
      std::size_t end = i;
      while (end < runes.size() && is_digit_rune(runes[end])) ++end;
      if (end < runes.size() && is_lower_rune(runes[end])) begin_word(true);
    }
    out += to_lower_rune(rune);
  }
  return text_of(out);
}

std::string pascal_case(std::string_view text) {
  const std::u32string runes = runes_of(text);
  std::u32string out;
  bool start = true;
  bool shouting = false;  // the word began with two capitals: the rest of it becomes small
  for (std::size_t i = 0; i < runes.size(); ++i) {
    const char32_t rune = runes[i];
    if (is_connector(rune)) {
      // One connector between words goes, further ones and those at the ends stay.
      if (out.empty() || start || i + 1 == runes.size()) out += rune;
      start = true;
      continue;
    }
    if (start) shouting = is_upper_rune(rune) && i + 1 < runes.size() && is_upper_rune(runes[i + 1]);
    out += start ? to_upper_rune(rune) : shouting ? to_lower_rune(rune) : rune;
    start = false;
  }
  return text_of(out);
}

}  // namespace coracle::charts
