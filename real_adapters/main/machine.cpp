// See machine.hpp. One thread runs everything but blocking calls, which the adapters have threads of their
// own for. Destroyed in the reverse order: first what waits, then the adapters, then the context.
#include "real_adapters/main/machine.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <optional>

#include "real_adapters/daemon/clock.hpp"
#include "real_adapters/daemon/judges.hpp"
#include "real_adapters/mysql/session.hpp"
#include "real_adapters/sqlite/sqlite_store.hpp"

namespace fixpoint::real {

namespace {

namespace asio = boost::asio;

// SIGTERM and SIGINT: the first asks, the second insists.
class Termination {
  public:
    Termination(asio::io_context& context, Signal& stop) : signals_(context, SIGTERM, SIGINT), stop_(stop) {
        wait();
    }
    void end() { signals_.cancel(); }

  private:
    void wait() {
        signals_.async_wait([this](const boost::system::error_code& error, int /*number*/) {
            if (error) return;
            stop_.raise();
            wait();
        });
    }
    asio::signal_set signals_;
    Signal& stop_;
};

}  // namespace

ExitCode run_on_this_machine(const CommandLine& line) {
    const auto configuration = load_configuration(line.configuration, line.flags, process_environment());
    if (!configuration) {
        std::fprintf(stderr, "fixpoint: %s\n", configuration.error().to_string().c_str());
        return ExitCode::refused;
    }
    asio::io_context context(1);
    MachineClock clock;
    LogOptions log_options = configuration->log;
    // What a person is told anyway is not said twice.
    if (line.for_a_person && log_options.file.empty() && line.flags.log_level.empty())
        log_options.level = "error";
    Log log(log_options, clock, Redactor(configuration->secrets()));
    const History history(configuration->history);
    MysqlConnector sql(context.get_executor(), {configuration->manager, configuration->replication});
    Signal stop(context.get_executor());
    Termination termination(context, stop);
    const Site site{
        *configuration,
        clock,
        sql,
        log,
        history,
        [&](bool create) -> std::expected<std::unique_ptr<topo::Store>, StoreOpening> {
            SqliteOptions options;
            options.create = create;
            options.store_locked_after = configuration->defaults.limits.lease;
            auto store = SqliteStore::open(context.get_executor(), clock, configuration->store, options);
            if (!store)
                return std::unexpected(
                    StoreOpening{store.error().fault == SqliteFault::missing, store.error().text});
            return *std::move(store);
        },
        [&](const MysqlAddress& address) {
            return judge_replication_account(address, *configuration,
                                             configuration->defaults.limits.connecting * 3);
        },
        [&](const MysqlAddress& address) {
            return judge_channel(address, *configuration, configuration->defaults.limits.connecting * 3);
        },
        stop};

    ExitCode code = ExitCode::own_fault;
    std::exception_ptr failed;
    asio::co_spawn(context, line.command(site), [&](std::exception_ptr error, ExitCode result) {
        failed = std::move(error);
        code = result;
        termination.end();
    });
    context.run();
    if (failed) std::rethrow_exception(failed);
    return code;
}

}  // namespace fixpoint::real
