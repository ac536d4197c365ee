#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/json.h"
#include "base/text.h"
#include "kube/apiserver/internal/strategies/internal_form.h"

namespace coracle::kube::apiserver {

namespace {

constexpr std::size_t kContextLines = 3;

using Lines = std::vector<std::string_view>;

// Lines that both texts have, one after the other.
struct Run {
  std::size_t before = 0;
  std::size_t after = 0;
  std::size_t size = 0;
};

// The longest run between the ends, the first of equals.
Run longest_run(const Lines& before, const Lines& after, Run from, Run to) {
  Run best{from.before, from.after, 0};
  std::vector<std::size_t> ending(after.size() + 1, 0);
  for (std::size_t i = from.before; i < to.before; ++i) {
    std::vector<std::size_t> next(after.size() + 1, 0);
    for (std::size_t j = from.after; j < to.after; ++j) {
      if (before[i] != after[j]) continue;
      next[j + 1] = ending[j] + 1;
      if (next[j + 1] > best.size) best = {i + 1 - next[j + 1], j + 1 - next[j + 1], next[j + 1]};
    }
    ending = std::move(next);
  }
  return best;
}

void collect_runs(const Lines& before, const Lines& after, Run from, Run to, std::vector<Run>& runs) {
  const Run best = longest_run(before, after, from, to);
  if (best.size == 0) return;
  collect_runs(before, after, from, best, runs);
  // Neighbours are one run.
  if (!runs.empty() && runs.back().before + runs.back().size == best.before &&
      runs.back().after + runs.back().size == best.after) {
    runs.back().size += best.size;
  } else {
    runs.push_back(best);
  }
  collect_runs(before, after, {best.before + best.size, best.after + best.size, 0}, to, runs);
}

std::string range_text(std::size_t begin, std::size_t size) {
  if (size == 1) return std::to_string(begin + 1);
  return std::to_string(size == 0 ? begin : begin + 1) + "," + std::to_string(size);
}

// Writes hunks: changes with a few lines around them.
class DiffWriter {
 public:
  DiffWriter(const Lines& before, const Lines& after) : before_(before), after_(after) {}

  // The lines up to the next run differ; `lead` lines before them do not.
  void change(const Run& from, const Run& to, std::size_t lead) {
    if (!open_) {
      begin_ = end_ = {from.before - lead, from.after - lead, 0};
      body_.clear();
      open_ = true;
      keep(lead);
    }
    add('-', before_, end_.before, to.before);
    add('+', after_, end_.after, to.after);
    end_ = to;
  }
  // Lines that are the same follow.
  void same(std::size_t lines, bool last) {
    if (!open_) return;
    if (!last && lines <= 2 * kContextLines) return keep(lines);
    keep(std::min(lines, kContextLines));
    open_ = false;
    text_ += "@@ -" + range_text(begin_.before, end_.before - begin_.before) + " +" +
             range_text(begin_.after, end_.after - begin_.after) + " @@\n" + body_;
  }
  std::string take() && { return std::move(text_); }

 private:
  void add(char sign, const Lines& lines, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      body_ += sign;
      body_ += lines[i];
      body_ += '\n';
    }
  }
  void keep(std::size_t lines) {
    add(' ', before_, end_.before, end_.before + lines);
    end_ = {end_.before + lines, end_.after + lines, 0};
  }

  const Lines& before_;
  const Lines& after_;
  std::string text_;
  std::string body_;
  Run begin_;
  Run end_;
  bool open_ = false;
};

}  // namespace

std::string internal_diff(const Value& before, const Value& after) {
  const std::string old_text = json::write_pretty(before, 1);
  const std::string new_text = json::write_pretty(after, 1);
  const Lines old_lines = split(old_text, '\n');
  const Lines new_lines = split(new_text, '\n');
  const Run end{old_lines.size(), new_lines.size(), 0};
  std::vector<Run> runs;
  collect_runs(old_lines, new_lines, {}, end, runs);
  runs.push_back(end);

  DiffWriter writer(old_lines, new_lines);
  Run at;
  std::size_t lead = 0;
  for (const Run& run : runs) {
    if (at.before != run.before || at.after != run.after) writer.change(at, run, lead);
    at = {run.before + run.size, run.after + run.size, 0};
    lead = std::min(run.size, kContextLines);
    writer.same(run.size, at.before == end.before && at.after == end.after);
  }
  return std::move(writer).take();
}

}  // namespace coracle::kube::apiserver
