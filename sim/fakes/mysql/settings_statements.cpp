// SET GLOBAL and SET PERSIST_ONLY, and what setting a variable does: switching source-side semi-sync off
// releases what waits and blocks logins for a while (M15), offline_mode throws people out (M33).
#include <utility>
#include <vector>

#include "sim/fakes/mysql/errors.hpp"
#include "sim/fakes/mysql/fake_mysql.hpp"

namespace fixpoint::sim::mysql {

using sql::Variable;

void FakeMysql::run_set_global(Session& session, Variable variable, std::int64_t new_value) {
    const SessionId id = session.id;
    if (misses(session, "SYSTEM_VARIABLES_ADMIN")) {
        return finish(id, std::unexpected(server_error(error_number::missing_privilege)));
    }
    if (Settings::is_semi_sync(variable) && !running_.semi_sync_plugins) {
        return finish(id, std::unexpected(server_error(error_number::unknown_system_variable)));
    }
    if (Settings::is_read_only_variable(variable)) {
        return finish(id, std::unexpected(server_error(error_number::read_only_variable)));
    }
    if (variable == Variable::read_only || variable == Variable::super_read_only) {
        return run_set_read_only(id, variable == Variable::super_read_only, new_value != 0);
    }
    took_effect(session);
    const bool was = var(variable);
    set_effective(variable, new_value);
    if (variable != Variable::rpl_semi_sync_source_enabled || was == (new_value != 0)) {
        return finish(id, sql::Nothing{});
    }
    // Nothing ends it early, a KILL neither: only its client is told.
    const Duration lasts = draw(new_value != 0 ? timing::semi_sync_on : timing::semi_sync_off);
    globals_busy_until_ = std::max(globals_busy_until_, now() + lasts);
    after(lasts, [this, id] { finish(id, sql::Nothing{}); });
}

void FakeMysql::set_effective(Variable variable, std::int64_t new_value) {
    const std::int64_t before = value(variable);
    settings_.set(variable, new_value);
    touch();
    switch (variable) {
        case Variable::rpl_semi_sync_source_enabled:
            if (before != value(variable)) switch_semi_sync_source(new_value != 0);
            break;
        case Variable::rpl_semi_sync_source_wait_for_replica_count:
        case Variable::rpl_semi_sync_source_wait_no_replica:
        case Variable::rpl_semi_sync_source_wait_point:
            acks_changed();
            break;
        case Variable::offline_mode:
            if (before != new_value) set_offline_mode(new_value != 0);
            break;
        default:
            break;
    }
}

void FakeMysql::switch_semi_sync_source(bool on) {
    acks_.clear();
    acknowledged_ = 0;
    semi_sync_status_ = on;
    run_commits();  // off: everything that waits is released as a success
}

void FakeMysql::set_offline_mode(bool on) {
    if (!on) return;
    ++offline_switches_;
    std::vector<Session*> ended;
    for (const auto& session : sessions_) {
        if (!session->login.privileged) ended.push_back(session.get());
    }
    for (Session* session : ended) kill_session(*session);
    end_dumps(true);
}

void FakeMysql::set_by_hand(Variable variable, std::int64_t new_value) {
    if (!up_) return;
    set_effective(variable, new_value);
    if (variable == Variable::read_only && new_value == 0) settings_.set(Variable::super_read_only, 0);
    if (variable == Variable::rpl_semi_sync_replica_enabled) receiver_.by_hand = true;
}

void FakeMysql::persist_by_hand(Variable variable, std::optional<std::int64_t> new_value) {
    if (new_value) {
        disk_.persisted[variable] = *new_value;
    } else {
        disk_.persisted.erase(variable);
    }
    touch();
}

void FakeMysql::set_variable_silently(Variable variable, std::int64_t new_value) {
    settings_.set(variable, new_value);
    if (variable == Variable::rpl_semi_sync_source_enabled) semi_sync_status_ = new_value != 0;
    touch();
}

}  // namespace fixpoint::sim::mysql
