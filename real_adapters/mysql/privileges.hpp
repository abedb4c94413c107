// Which of the manager's privileges an account lacks, judged from SHOW GRANTS: roles that are active are
// expanded there by the server, partial revokes are lines of their own. Never inferred from errors, some of
// which do not come.
#pragma once

#include <string>
#include <vector>

namespace fixpoint::real {

// Each as it stands in a GRANT: "PROCESS ON *.*". SELECT on `mysql` is not among them: without it a report is
// poorer, and no shard has to go without a failover for that.
std::vector<std::string> missing_privileges(const std::vector<std::string>& grants);

}  // namespace fixpoint::real
