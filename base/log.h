#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coracle {

// Error: a person should look; fails simulation and integration tests. Warning: something works
// less well, and the line says what to do. Info: milestones. Debug: everything else.
enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };

// One key=value of a log line. Values longer than 512 bytes are cut.
struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  LogField(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, double v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, const coracle::Error& e) : key(k), value(e.message()) {}
};

struct LogRecord {
  LogLevel level;
  std::string_view component;
  std::string_view message;
  std::initializer_list<LogField> fields;
};

// Where log lines go. Thread-safe.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual bool enabled(LogLevel level) const = 0;
  virtual void write(const LogRecord& record) = 0;
};

// Text lines to `file` (see base/rotating_file.h), and to standard error (with journald's priority prefix when that is
// where they go) where there is no file or that is wanted beside it.
std::shared_ptr<LogSink> make_log_sink(LogLevel level, const std::string& file = "", bool also_standard_error = false);
// Swallows everything.
std::shared_ptr<LogSink> null_log_sink();

// A value: a sink and the component's name. Messages are constant text, lower case, no full stop;
// what varies goes into fields. Never log a secret.
class Logger {
 public:
  Logger(std::shared_ptr<LogSink> sink, std::string component)
      : sink_(std::move(sink)), component_(std::move(component)) {}

  Logger named(std::string component) const { return {sink_, std::move(component)}; }
  const std::shared_ptr<LogSink>& sink() const { return sink_; }

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    log(LogLevel::Debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    log(LogLevel::Info, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    log(LogLevel::Warning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const {
    log(LogLevel::Error, message, fields);
  }

 private:
  void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
    if (sink_->enabled(level)) sink_->write({level, component_, message, fields});
  }

  std::shared_ptr<LogSink> sink_;
  std::string component_;
};

}  // namespace coracle
