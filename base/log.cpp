#include "base/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "base/rotating_file.h"
#include "base/utf8.h"

namespace coracle {
namespace {

constexpr std::size_t kMaxFieldBytes = 512;
constexpr std::size_t kMaxMessageBytes = 2048;

struct LevelNames {
  std::string_view text;
  std::string_view journal_priority;  // sd-daemon(3)
};

constexpr std::array kLevels = {
    LevelNames{"debug", "<7>"},
    LevelNames{"info", "<6>"},
    LevelNames{"warning", "<4>"},
    LevelNames{"error", "<3>"},
};

// Escapes what would break the line or the quotes around it.
void append_escaped(std::string& line, std::string_view text, bool in_quotes) {
  for (const char c : text) {
    if (c == '\n') {
      line += "\\n";
    } else if (in_quotes && (c == '"' || c == '\\')) {
      line += '\\';
      line += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      line += code.data();
    } else {
      line += c;
    }
  }
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\' || c == 0x7F) return true;
  }
  return false;
}

std::string format_record(WallTime time, const LogRecord& record) {
  std::string line = format_micro_time(time);
  line += ' ';
  line += kLevels[static_cast<std::size_t>(record.level)].text;
  line += ' ';
  line += record.component;
  line += ": ";
  append_escaped(line, truncate_utf8(record.message, kMaxMessageBytes), false);
  for (const LogField& field : record.fields) {
    line += ' ';
    line += field.key;
    line += '=';
    const std::string_view value = truncate_utf8(field.value, kMaxFieldBytes);
    const bool quoted = needs_quotes(value);
    if (quoted) line += '"';
    append_escaped(line, value, quoted);
    if (value.size() < field.value.size()) line += "...";
    if (quoted) line += '"';
  }
  line += '\n';
  return line;
}

// systemd names the device and inode of the stream that leads to the journal; standard error may
// have been redirected since.
bool standard_error_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status = {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

class TextLogSink : public LogSink {
 public:
  TextLogSink(LogLevel level, const std::string& file, bool also_standard_error)
      : level_(level), journal_(standard_error_is_journal()) {
    if (file.empty()) return;
    auto opened = RotatingFile::open(file);
    if (opened.ok()) {
      file_ = std::move(opened).value();
      standard_error_ = also_standard_error;
      return;
    }
    TextLogSink::write({LogLevel::Warning,
                        "log",
                        "cannot open the log file, logging to standard error only",
                        {{"error", opened.error()}}});
  }

  bool enabled(LogLevel level) const override { return level >= level_; }

  void write(const LogRecord& record) override {
    const std::string line = format_record(std::chrono::system_clock::now(), record);
    if (file_ != nullptr) file_->write(line);
    if (!standard_error_) return;
    if (journal_) {
      write_line(STDERR_FILENO, std::string(kLevels[static_cast<std::size_t>(record.level)].journal_priority) + line);
    } else {
      write_line(STDERR_FILENO, line);
    }
  }

 private:
  const LogLevel level_;
  const bool journal_;
  bool standard_error_ = true;
  std::unique_ptr<RotatingFile> file_;
};

class NullLogSink : public LogSink {
 public:
  bool enabled(LogLevel) const override { return false; }
  void write(const LogRecord&) override {}
};

}  // namespace

std::shared_ptr<LogSink> make_log_sink(LogLevel level, const std::string& file, bool also_standard_error) {
  return std::make_shared<TextLogSink>(level, file, also_standard_error);
}

std::shared_ptr<LogSink> null_log_sink() {
  return std::make_shared<NullLogSink>();
}

}  // namespace coracle
