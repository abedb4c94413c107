// The accounts as statements, exactly as much as is needed. Passwords are placeholders: none is printed.
#pragma once

#include <string>
#include <vector>

#include "real_adapters/daemon/configuration.hpp"

namespace fixpoint::real {

inline constexpr std::string_view manager_placeholder = "{manager password}";
inline constexpr std::string_view replication_placeholder = "{replication password}";

struct GrantsOptions {
    std::string host = "%";  // from where both log in
    bool without_primary =
        false;  // servers that have no primary yet: run on each, nothing goes to the binary log
};
// One statement each, without the semicolon.
std::vector<std::string> grant_statements(const Configuration& configuration, const GrantsOptions& options);
std::string grants_text(const Configuration& configuration, const GrantsOptions& options);

}  // namespace fixpoint::real
