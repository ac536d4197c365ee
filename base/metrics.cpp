#include "base/metrics.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "base/json/json.h"

namespace coracle {
namespace {

std::string metric_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return json::format_double(value);
}

// Backslash and line end are escaped everywhere, the quote in label values.
std::string escape_metric_text(std::string_view text, bool quoted) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quoted && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

// `a="1",b="2"`, without the braces, so that more labels can follow.
std::string join_labels(const MetricLabels& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out += ',';
    out += key;
    out += "=\"";
    out += escape_metric_text(value, true);
    out += '"';
  }
  return out;
}

void print_sample(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out += name;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

void print_series(std::string& out, const std::string& name, const std::string& labels, const Counter& counter) {
  print_sample(out, name, labels, std::to_string(counter.value()));
}

void print_series(std::string& out, const std::string& name, const std::string& labels, const Gauge& gauge) {
  print_sample(out, name, labels, metric_number(gauge.value()));
}

void print_series(std::string& out, const std::string& name, const std::string& labels, const Histogram& histogram) {
  const std::string more = labels.empty() ? "" : labels + ",";
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    total += histogram.bucket(i);
    const std::string bound = i < histogram.bounds().size() ? metric_number(histogram.bounds()[i]) : "+Inf";
    print_sample(out, name + "_bucket", more + "le=\"" + bound + "\"", std::to_string(total));
  }
  print_sample(out, name + "_sum", labels, metric_number(histogram.sum()));
  print_sample(out, name + "_count", labels, std::to_string(total));
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (const auto& one : counts_) total += one.load(std::memory_order_relaxed);
  return total;
}

template <class Instrument>
struct MetricRegistry::Families {
  struct Family {
    std::string help;
    std::map<std::string, std::unique_ptr<Instrument>> series;  // by joined labels
  };
  std::map<std::string, Family, std::less<>> by_name;

  void print(std::map<std::string_view, std::string>& texts, std::string_view type) const {
    for (const auto& [name, family] : by_name) {
      std::string& out = texts[name];
      out += "# HELP " + name + " " + escape_metric_text(family.help, false) + "\n";
      out += "# TYPE " + name + " " + std::string(type) + "\n";
      for (const auto& [labels, instrument] : family.series) print_series(out, name, labels, *instrument);
    }
  }
};

MetricRegistry::MetricRegistry()
    : counters_(std::make_unique<Families<Counter>>()),
      gauges_(std::make_unique<Families<Gauge>>()),
      histograms_(std::make_unique<Families<Histogram>>()) {}

MetricRegistry::~MetricRegistry() = default;

template <class Instrument, class Make>
Instrument& MetricRegistry::find(Families<Instrument>& families, std::string_view name, std::string_view help,
                                 const MetricLabels& labels, const Make& make) {
  std::string key = join_labels(labels);
  std::lock_guard lock(mutex_);
  auto family = families.by_name.find(name);
  if (family == families.by_name.end()) {
    const bool taken =
        counters_->by_name.contains(name) || gauges_->by_name.contains(name) || histograms_->by_name.contains(name);
    // Nobody could read what is printed; the instrument itself works.
    static_cast<void>(BUG_IF(taken));
    family = families.by_name.try_emplace(std::string(name)).first;
    family->second.help = help;
  }
  auto& series = family->second.series;
  if (series.size() >= kMaxSeriesPerName && !series.contains(key)) {
    MetricLabels other = labels;
    for (auto& label : other) label.second = "other";
    key = join_labels(other);
  }
  std::unique_ptr<Instrument>& instrument = series[key];
  if (instrument == nullptr) instrument = make();
  return *instrument;
}

Counter& MetricRegistry::counter(std::string_view name, std::string_view help, const MetricLabels& labels) {
  return find(*counters_, name, help, labels, [] { return std::make_unique<Counter>(); });
}

Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, const MetricLabels& labels) {
  return find(*gauges_, name, help, labels, [] { return std::make_unique<Gauge>(); });
}

Histogram& MetricRegistry::histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                                     const MetricLabels& labels) {
  return find(*histograms_, name, help, labels,
              [&] { return std::make_unique<Histogram>(std::vector<double>(bounds.begin(), bounds.end())); });
}

std::string MetricRegistry::print() const {
  std::lock_guard lock(mutex_);
  std::map<std::string_view, std::string> texts;
  counters_->print(texts, "counter");
  gauges_->print(texts, "gauge");
  histograms_->print(texts, "histogram");
  std::string out;
  for (const auto& [name, text] : texts) out += text;
  return out;
}

}  // namespace coracle
