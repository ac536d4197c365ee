#include <set>
#include <string>

#include "base/text.h"
#include "kube/apiserver/internal/strategies/internal_form.h"
#include "kube/apiserver/internal/strategies/validation_common.h"
#include "kube/apiserver/internal/strategies/workloads/job_validation.h"
#include "kube/object/conditions.h"
#include "kube/schema/field_error.h"

namespace coracle::kube::apiserver {

namespace {

const FieldPath kJobStatusPath("status");
const FieldPath kJobConditionsPath = kJobStatusPath.child("conditions");
constexpr InternalField kUncountedForm[] = {{"succeeded", "Succeeded"}, {"failed", "Failed"}};

// A status as the rules see it.
struct JobState {
  explicit JobState(const Object& job)
      : status(job["status"]),
        complete(condition_is_true(status["conditions"], "Complete")),
        failed(condition_is_true(status["conditions"], "Failed")),
        failure_target(condition_is_true(status["conditions"], "FailureTarget")),
        success(condition_is_true(status["conditions"], "SuccessCriteriaMet")) {}
  bool finished() const { return complete || failed; }

  const Value& status;
  bool complete, failed, failure_target, success;
};

class JobStatusCheck {
 public:
  JobStatusCheck(const Object& object, const Object& old, FieldErrors& errors)
      : spec_(object["spec"]), old_(old), now_(object), errors_(errors) {}

  void run() {
    check_counts();
    check_uncounted();
    check_outcome();
    check_times();
    check_success();
    check_finished();
    check_indexes();
    check_transitions();
  }

 private:
  bool changed(std::string_view field) const { return !(old_.status[field] == now_.status[field]); }
  bool complete_changed() const { return old_.complete != now_.complete; }
  bool failed_changed() const { return old_.failed != now_.failed; }
  bool finished_changed() const { return old_.finished() != now_.finished(); }
  bool indexed() const { return spec_["completionMode"].as_string() == "Indexed"; }

  void bad_conditions(std::string_view detail) { errors_.push_back(invalid_unshown(kJobConditionsPath, detail)); }
  void bad(std::string_view field, std::string_view detail) {
    errors_.push_back(field_error::invalid(kJobStatusPath.child(field).text(), now_.status[field], detail));
  }
  void missing(std::string_view field, std::string_view detail) {
    errors_.push_back(field_error::required(kJobStatusPath.child(field).text(), detail));
  }

  void check_counts() {
    for (const std::string_view field : {"active", "succeeded", "failed", "ready", "terminating"}) {
      check_not_negative(now_.status[field], kJobStatusPath.child(field), errors_);
    }
  }

  void check_uncounted() {
    const FieldPath path = kJobStatusPath.child("uncountedTerminatedPods");
    std::set<std::string_view> seen;
    for (const std::string_view field : {"succeeded", "failed"}) {
      const Value& uids = now_.status["uncountedTerminatedPods"][field];
      for (std::size_t i = 0; i < uids.size(); ++i) {
        const std::string at = path.child(field).index(i).text();
        if (uids.at(i).as_string().empty()) {
          errors_.push_back(field_error::invalid(at, "", "must not be empty"));
        } else if (!seen.insert(uids.at(i).as_string()).second) {
          errors_.push_back(field_error::duplicate(at, uids.at(i)));
        }
      }
    }
  }

  void check_outcome() {
    if ((complete_changed() || failed_changed()) && now_.complete && now_.failed) {
      bad_conditions("cannot set Complete=True and Failed=true conditions");
    }
    if ((complete_changed() || old_.failure_target != now_.failure_target) && now_.complete && now_.failure_target) {
      bad_conditions("cannot set Complete=True and FailureTarget=true conditions");
    }
  }

  void check_times() {
    const Value& start = now_.status["startTime"];
    const Value& end = now_.status["completionTime"];
    if (complete_changed() || changed("completionTime")) {
      if (end.is_string() && !now_.complete) {
        bad("completionTime", "cannot set completionTime when there is no Complete=True condition");
      }
      if (end.is_null() && now_.complete) missing("completionTime", "completionTime is required for Complete jobs");
    }
    // Stored times are in UTC with whole seconds, so that their texts have their order.
    if ((changed("startTime") || changed("completionTime")) && start.is_string() && end.is_string() &&
        end.as_string() < start.as_string()) {
      bad("completionTime", "must be equal to or after `startTime`");
    }
  }

  void check_success() {
    if ((failed_changed() || changed("failedIndexes")) && now_.failed && !now_.failure_target) {
      bad_conditions("cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if ((complete_changed() || old_.success != now_.success) && now_.complete && !now_.success) {
      bad_conditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
  }

  void check_finished() {
    const Value& uncounted = now_.status["uncountedTerminatedPods"];
    if (!now_.finished()) return;
    if ((finished_changed() || changed("active")) && now_.status["active"].as_int() > 0) {
      bad("active", "active>0 is invalid for finished job");
    }
    // A job that is created suspended and with nothing to do ends without a start.
    const bool nothing_to_do =
        spec_["suspend"].as_bool() && spec_["completions"].is_int() && spec_["completions"].as_int() == 0;
    if ((finished_changed() || changed("startTime")) && !nothing_to_do && now_.status["startTime"].is_null()) {
      missing("startTime", "startTime is required for finished job");
    }
    if ((finished_changed() || changed("uncountedTerminatedPods")) &&
        !(uncounted["failed"].empty() && uncounted["succeeded"].empty())) {
      errors_.push_back(field_error::invalid(kJobStatusPath.child("uncountedTerminatedPods").text(),
                                             internal_form(uncounted, kUncountedForm),
                                             "must be empty for finished job"));
    }
  }

  void check_index_list(std::string_view field) {
    const Value& list = now_.status[field];
    if (!changed(field) || spec_["completions"].is_null() || list.is_null()) return;
    const std::string fault = read_job_indexes(list.as_string(), spec_["completions"].as_int()).fault;
    if (!fault.empty()) bad(field, "error parsing " + std::string(field) + ": " + fault);
  }

  void check_indexes() {
    check_index_list("completedIndexes");
    if (spec_.contains("backoffLimitPerIndex")) check_index_list("failedIndexes");
    if (changed("completedIndexes") && !now_.status["completedIndexes"].as_string().empty() && !indexed()) {
      bad("completedIndexes", "cannot set non-empty completedIndexes when non-indexed completion mode");
    }
    if (changed("failedIndexes") && !spec_.contains("backoffLimitPerIndex") &&
        now_.status["failedIndexes"].is_string()) {
      bad("failedIndexes", "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
    }
    if (changed("failedIndexes") || changed("completedIndexes")) check_overlap();
    if ((finished_changed() || changed("terminating")) && now_.finished() && now_.status["terminating"].as_int() > 0) {
      bad("terminating", "terminating>0 is invalid for finished job");
    }
    if ((changed("ready") || changed("active")) && now_.status["ready"].is_int() &&
        now_.status["ready"].as_int() > now_.status["active"].as_int()) {
      bad("ready", "cannot set more ready pods than active");
    }
  }

  void check_overlap() {
    const std::int64_t completions = spec_["completions"].as_int();
    const JobIndexes done = read_job_indexes(now_.status["completedIndexes"].as_string(), completions);
    const JobIndexes failed = read_job_indexes(now_.status["failedIndexes"].as_string(), completions);
    auto left = done.intervals.begin();
    auto right = failed.intervals.begin();
    while (left != done.intervals.end() && right != failed.intervals.end()) {
      if (left->first <= right->second && right->first <= left->second) {
        bad("failedIndexes", "failedIndexes and completedIndexes overlap at index: " +
                                 std::to_string(std::max(left->first, right->first)));
        return;
      }
      if (left->first <= right->first) {
        ++left;
      } else {
        ++right;
      }
    }
  }

  void check_transitions() {
    if (now_.success && now_.failed) bad_conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions");
    if (now_.success && now_.failure_target) {
      bad_conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
    }
    if (spec_["successPolicy"].is_object() && !now_.success && now_.complete) {
      bad_conditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
    }
    for (const std::string_view type : {"Failed", "Complete", "FailureTarget"}) {
      if (condition_is_true(old_.status["conditions"], type) && !condition_is_true(now_.status["conditions"], type)) {
        bad_conditions("cannot disable the terminal " + std::string(type) + "=True condition");
      }
    }
    check_decrease("failed");
    // An indexed job with as many pods as completions can be scaled down, with what it has done.
    if (!indexed() || !(spec_["completions"] == spec_["parallelism"])) check_decrease("succeeded");
    check_fixed_times();
    if (old_.success && !now_.success) bad_conditions("cannot disable the SuccessCriteriaMet=True condition");
    if (old_.complete && !old_.success && now_.success) {
      bad_conditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
    }
  }

  void check_decrease(std::string_view counter) {
    if (now_.status[counter].as_int() >= old_.status[counter].as_int()) return;
    errors_.push_back(field_error::invalid(kJobStatusPath.child(counter).text(), now_.status[counter].as_int(),
                                           "cannot decrease the " + std::string(counter) + " counter"));
  }

  void check_fixed_times() {
    if (now_.status["completionTime"].is_string() && old_.status["completionTime"].is_string() &&
        changed("completionTime")) {
      bad("completionTime", kImmutableField);
    }
    const Value& before = old_.status["conditions"];
    const bool resumes = condition_is_true(before, "Suspended") &&
                         find_condition(now_.status["conditions"], "Suspended")["status"].as_string() == "False";
    if (old_.status["startTime"].is_string() && changed("startTime") && !spec_["suspend"].as_bool() && !resumes) {
      bad("startTime", "field is immutable for unsuspended job once set");
    }
  }

  const Value& spec_;
  const JobState old_, now_;
  FieldErrors& errors_;
};

}  // namespace

void check_job_status(const Object& object, const Object& old, FieldErrors& errors) {
  JobStatusCheck(object, old, errors).run();
}

}  // namespace coracle::kube::apiserver
