// What the commands of fixpoint-sim share: one timed run, exit codes, files, the progress line.
#pragma once

#include <string>
#include <string_view>

#include "fixpoint/sim/run.hpp"
#include "reports/report.hpp"
#include "sim/main/child_pool.hpp"

namespace fixpoint::sim {

enum ExitCode {
    all_passed = 0,
    own_fault = 1,
    bad_input = 2,
    wrong_outcome = 3,
    unknown_outcome = 4,
    violated = 5
};

// Of one run that did not pass.
ExitCode exit_code_of(const Run& run);

// simulate(), and how long it took.
Run timed_run(const Scenario& scenario, const SimulateOptions& options);

reports::Case make_case(Run run, const Scenario& scenario, std::uint64_t lost_notification = 0);

// False, and a message on stderr: could not be written.
bool write_file(const std::string& path, std::string_view text);
// The folder that findings are saved in ("": none is wanted) is there. False, and a message on stderr: it
// cannot be.
bool make_save_folder(const std::string& path);

double wall_seconds();  // since some moment

// One line that is written over on a terminal, and only at the end elsewhere.
class Progress {
  public:
    Progress();
    ~Progress();
    void show(const std::string& line);
    void clear();

  private:
    bool terminal_;
    double shown_at_ = 0;
    std::size_t width_ = 0;
};

}  // namespace fixpoint::sim
