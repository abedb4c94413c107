// A view as a report for people; see include/fixpoint/engine/report.hpp. Pure.
#pragma once

#include "engine/view.hpp"
#include "fixpoint/engine/report.hpp"

namespace fixpoint {

ShardReport report_of(const View& view);  // all but which row the loop would take

}  // namespace fixpoint
