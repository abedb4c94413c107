// A fake MySQL server in virtual time: one process, one network endpoint, one disk. It does what lines M1–M57
// of the contract say, no more politely than the real one: looks are no snapshots, a killed session ends
// after a while, a statement holds its locks until its client is answered, waits are waits. What happens
// within a server is here; the network between a client and a server is the caller's, the one between two
// servers is its own. It refuses what the seam has no statement for: CLONE, full disks.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/tablet.hpp"
#include "fixpoint/ports/sql_statement.hpp"
#include "fixpoint/sim/state.hpp"
#include "sim/core/chooser.hpp"
#include "sim/core/network.hpp"
#include "sim/core/scheduler.hpp"
#include "sim/fakes/mysql/durable.hpp"
#include "sim/fakes/mysql/global_read_lock.hpp"
#include "sim/fakes/mysql/semi_sync.hpp"
#include "sim/fakes/mysql/session.hpp"
#include "sim/fakes/mysql/settings.hpp"
#include "sim/fakes/mysql/timing.hpp"
#include "sim/fakes/mysql/transaction.hpp"
#include "sim/fakes/mysql/user_locks.hpp"
#include "sim/fakes/mysql/world.hpp"

namespace fixpoint::sim::mysql {

// What makes a server one that Fixpoint does not manage, or only in part.
struct Peculiarities {
    std::string version = "9.7.4";
    bool gtid_mode_on = true;
    bool log_replica_updates = true;
    bool filters = false;
    std::string group_replication;
    std::vector<std::string> extra_channels;
    std::vector<std::string> missing_privileges;  // of the managers' account
    bool operator==(const Peculiarities&) const = default;
};

class FakeMysql {
  public:
    // Blank, running at once (a world begins with servers that run), with the configuration given.
    FakeMysql(MysqlWorld& world, TabletAlias alias, MysqlAddress address, StartOptions options);
    ~FakeMysql() = default;
    FakeMysql(const FakeMysql&) = delete;
    FakeMysql& operator=(const FakeMysql&) = delete;

    const TabletAlias& alias() const { return alias_; }
    const MysqlAddress& address() const { return address_; }
    Process& process() { return process_; }
    Endpoint endpoint() const { return endpoint_; }  // named as the alias is

    // ---- the client door. Called in the server's process, when the network has brought the request; answers
    // are called in it, too. When `on_ended` is called the connection is closed, and answers that are
    // outstanding never come: the client's 2013. A statement for a session that has gone gets 2006 (lost).
    using LoginAnswer = std::move_only_function<void(std::expected<SessionId, sql::Error>)>;
    void connect(LoginRequest login, std::move_only_function<void()> on_ended, LoginAnswer answer);
    // Statements of one session run one after the other, in the order in which they came.
    void execute(SessionId session, sql::Statement statement, std::int64_t lock_id, StatementAnswer answer);
    void work(SessionId session, ClientWork work, ClientAnswer answer);
    // The client went away: what it has sent may still take effect (M21). `on_ended` is not called any more.
    void disconnect(SessionId session);

    // ---- life and death
    bool up() const { return up_; }
    bool listens() const { return up_ && !stopping_; }  // otherwise the machine refuses at once (2003)
    bool starting() const { return starting_; }
    bool paused() const { return process_.paused(); }
    std::uint64_t boot() const { return boot_; }
    void crash();  // kill -9 (M23)
    enum class CrashPoint { before_durable, after_durable };
    void crash_at_next_commit(CrashPoint point);  // of a client's or a manager's write
    void lose_machine(
        std::uint64_t unsynced);  // as a crash; with sync_binlog != 1 the log's last `unsynced` go
    void shut_down();             // SIGTERM (M32, M58); down when `!up()`
    bool stopping() const { return stopping_; }
    void start() { start(options_); }  // up after a while; during a shutdown, after that one has ended
    void start(StartOptions options);
    void start_once(StartOptions once);  // these for this start only
    void pause();   // SIGSTOP
    void resume();  // SIGCONT
    const StartOptions& options() const { return options_; }
    void set_options(StartOptions options) { options_ = std::move(options); }  // of later starts

    // ---- what faults and people do (nemesis.cpp); none of them asks for privileges
    void lose_relay_log();             // M45; while it is down
    void make_relay_log_hole();        // M44: as one start with relay_log_recovery=1 would; while it is down
    void tear_relay_log();             // its last transaction; while it is down
    void block_applier(bool blocked);  // LOCK TABLES … READ by somebody
    void set_apply_delay(Duration delay) { apply_delay_ = delay; }
    void set_source_delay(Duration delay);
    void fail_applier(int error_number);  // on the next transaction that it applies
    void set_by_hand(sql::Variable variable, std::int64_t value);
    // SET GLOBAL super_read_only=ON, on a session of its own: it may wait (M20). `closed`: it took effect.
    void close_by_hand(std::move_only_function<void()> closed);
    void persist_by_hand(sql::Variable variable, std::optional<std::int64_t> value);
    void stop_receiver_by_hand();
    void start_receiver_by_hand();
    void stop_applier_by_hand();
    void start_applier_by_hand();
    void reset_replica_by_hand(bool all);
    void repoint_by_hand(MysqlAddress source, bool start = true);
    void write_errant(WriteId id);  // past read-only; waits for nobody
    void flush_by_hand();           // M50
    void execute_empty(const Gtid& gtid);
    void insert_unlogged(WriteId id);
    void delete_unlogged(WriteId id);
    void purge_binary_logs();                   // gtid_purged = gtid_executed
    void reset_binary_logs();                   // RESET BINARY LOGS AND GTIDS
    void restore_journal(sql::JournalRow row);  // from elsewhere: in no binary log
    void make_new_uuid();                       // auto.cnf removed; takes effect at the next start
    bool kill_by_hand(std::uint64_t connection);
    void fill_connections(bool full) { connections_full_ = full; }  // by others; M26, M57
    void reject_passwords(bool reject) { passwords_rejected_ = reject; }
    Peculiarities& peculiarities() { return peculiarities_; }
    DurableState backup() const { return disk_; }
    void restore(DurableState state);  // while it is down; the uuid and the persisted variables of the backup

    // ---- set-up of a world: what a fixture needs to build a converged shard without a statement
    DurableState& disk() { return disk_; }
    void set_variable_silently(sql::Variable variable, std::int64_t value);
    void start_replication_silently();  // both threads, if there is a channel

    // ---- what can be seen from outside
    ServerState snapshot(const ShardName& shard) const;
    std::uint64_t version() const { return version_; }  // grows with every change that somebody could see
    bool has_write(WriteId id) const { return disk_.rows.writes.has(id); }
    bool in_log(WriteId id) const;
    const GtidSet& executed() const { return disk_.executed; }
    GtidSet owned() const;
    const std::string& manager_of(std::uint64_t connection) const;  // "" : nobody's

  private:
    struct Commit {  // in the binary log, not yet committed in the engine
        BinaryLog::Position position = 0;
        TransactionPtr transaction = nullptr;
        SessionId session = 0;  // 0: the applier's, or nobody's
        bool applier = false;
        bool visible = false;  // committed in the engine already (AFTER_COMMIT)
        bool waited = false;
        Instant waits_since{};
    };
    struct Dump {  // a dump thread, and what the source knows of its replica
        std::uint64_t connection = 0;
        SessionId session = 0;
        FakeMysql* replica = nullptr;
        Uuid replica_uuid;
        std::int64_t replica_server_id = 0;
        bool acks = false;
        Duration heartbeat{};
        std::shared_ptr<const GtidSet> had;  // what the replica had when it connected
        BinaryLog::Position had_until = 0;   // beyond this nothing was had
        BinaryLog::Position next = 0;        // to be sent
        std::uint64_t packets = 0;           // sent
        Channel channel;
        std::vector<BinaryLog::Position> sent;  // by packet
        BinaryLog::Position acked = 0;
        Instant acks_heard_from{};  // M34
        std::optional<Instant> peer_gone_since;
    };
    struct DumpRequest {
        std::uint64_t attempt = 0;
        FakeMysql* replica = nullptr;
        std::uint64_t replica_boot = 0;
        Uuid uuid;
        std::int64_t server_id = 0;
        bool acks = false;
        Duration heartbeat{};
        std::shared_ptr<const GtidSet> had;
    };
    struct DumpReply {
        int error = 0;
        bool fatal = false;  // the receiver stops, and stays stopped
        std::string text;
        Uuid source_uuid;
        bool acks = false;
    };
    struct Receiver {
        sql::ThreadState state = sql::ThreadState::no;
        int error = 0;
        std::string text;
        FakeMysql* source = nullptr;
        std::uint64_t connection = 0;  // of the attempt under way, or of the stream
        bool attempting = false;
        bool acks = false;           // in effect
        std::uint64_t expected = 0;  // next packet of the stream
        std::uint64_t expected_at_last_tick = 0;
        BinaryLog::Position last_ack = 0;
        Instant heard{};
        Duration net_timeout{};  // as it was when it was started
        std::int64_t attempts_left = 0;
        TimerId tick, retry, limit;
        Channel to_source;
        std::move_only_function<void()> when_stopped;
        bool by_hand = false;
    };
    struct Applier {
        bool running = false;
        int error = 0;
        std::string text;
        bool busy = false;      // a transaction is being applied
        bool sleeping = false;  // SOURCE_DELAY: a STOP ends that
        GlobalReadLock::Ticket ticket = 0;
        bool holds_statement_lock = false, holds_commit_lock = false;
        bool waits_for_table = false;
        bool committing = false;
        bool stop_requested = false;
        TimerId timer;
        std::vector<std::move_only_function<void()>> when_stopped;
    };
    using Continuation = std::move_only_function<void()>;
    using Refused = std::move_only_function<void(int)>;  // with an error number

    // helpers
    Scheduler& scheduler() { return world_.scheduler; }
    Instant now() const { return world_.scheduler.now(); }
    Duration draw(Range range);
    TimerId after(Duration delay, Action action) {
        return world_.scheduler.after(process_, delay, std::move(action));
    }
    void touch() { ++version_; }
    bool var(sql::Variable variable) const { return settings_.on(variable); }
    std::int64_t value(sql::Variable variable) const { return settings_.get(variable); }

    // session.cpp
    Session* find(SessionId id);
    const Session* find(SessionId id) const;
    Session* find_connection(std::uint64_t connection);
    void login(LoginRequest login, std::move_only_function<void()> on_ended, LoginAnswer answer);
    SessionId add_session(LoginRequest login, std::move_only_function<void()> on_ended, bool extra);
    void take_in(Session& session, Request request);
    void begin(Session& session, Request request);
    void dispatch(SessionId id);
    void finish(SessionId id, sql::Result result);
    void tell_ended(Session& session);
    void remove(SessionId id);
    void kill_session(Session& session);
    void end_killed(SessionId id);
    void wait_in(Session& session, const char* state, Continuation interrupt);
    void wait_over(Session& session);
    void refuse_interrupted(SessionId id);
    std::size_t connections() const;
    void when_globals_free(Continuation action);

    // execute.cpp, look.cpp, replication_statements.cpp
    void execute_statement(Session& session, const sql::Statement& statement);
    void took_effect(const Session& session, const Session* killed = nullptr);
    void observed(const Session& session);
    bool misses(const Session& session, std::string_view privilege) const;
    std::vector<std::string> missing_privileges(const Session& session) const;
    void run_look(SessionId id, ShardName shard);
    struct LookUnderWay;
    void look_step(SessionId id, std::shared_ptr<LookUnderWay> look, int step);
    void fill_server_row(sql::ServerRow& row) const;
    std::vector<sql::ReplicaRow> replica_rows() const;
    sql::SemiSyncStatusRow semi_sync_row() const;
    sql::LockHolders lock_holders(const ShardName& shard) const;
    void run_wait_for_executed(Session& session, const sql::WaitForExecuted& statement);
    void executed_changed();
    void run_get_lock(Session& session, const sql::GetLock& statement);
    void run_kill(Session& session, std::uint64_t connection);
    void run_read_journal(Session& session, const ShardName& shard);
    std::vector<sql::SessionRow> session_rows() const;
    void run_replication_statement(SessionId id, Continuation begin);
    void channel_free();
    void start_thread(SessionId id, bool receiver);
    void stop_receiver(SessionId id);
    void stop_applier(SessionId id);
    void change_source(SessionId id, const sql::ChangeSource& statement);
    void reset_replica(SessionId id, bool all);
    void end_replication_statement(SessionId id, sql::Result result);

    // settings_statements.cpp, read_only.cpp
    void run_set_global(Session& session, sql::Variable variable, std::int64_t value);
    void set_effective(sql::Variable variable, std::int64_t value);
    void switch_semi_sync_source(bool on);
    void set_offline_mode(bool on);
    void run_set_read_only(SessionId id, bool super, bool on);
    void close_phase(SessionId id, bool super);
    void phase_closed(SessionId id, bool super);
    void run_close_in_one_packet(SessionId id);
    void take_global_read_lock(SessionId id, Continuation taken, Refused refused);
    void release_global_read_lock();
    void refuse_read_only(SessionId id);
    bool may_write(const Session& session) const;

    // client_work.cpp, locks.cpp, commit.cpp
    void run_client_work(Session& session, const ClientWork& work);
    void run_write(SessionId id, Transaction draft);
    void with_lock(SessionId id, GlobalReadLock& lock, bool closer, Continuation taken, Refused refused);
    void execute_write(SessionId id, Transaction draft);
    void commit_write(SessionId id, Transaction draft);
    void end_write(SessionId id, int error);
    void leave_statement(Session& session);
    void make_durable(SessionId id, Transaction draft);
    Gtid next_gtid() const;
    void append(TransactionPtr transaction, SessionId session, bool applier);
    bool must_wait(const Commit& commit) const;
    void run_commits();
    void commit_in_engine(Commit& commit);
    void complete(const Commit& commit, bool by_shutdown);
    void report_acknowledged(const Session& session, const Transaction& transaction, bool by_shutdown);
    void table_lock_changed();
    bool journal_table_locked() const;
    bool journal_schema_locked() const;
    bool rows_locked_for(SessionId id) const;
    bool created_table_waits(const std::string& name) const;
    bool nudge_of_this_name_waits(const std::string& name) const;
    void when_unlocked(SessionId id, std::function<bool()> locked, Continuation then, Refused refused);
    void run_create_journal(SessionId id);

    // dump.cpp
    void accept_dump(DumpRequest request);
    void reply_to(const DumpRequest& request, DumpReply reply);
    void pump_all();
    void pump(Dump& dump);
    void on_ack(std::uint64_t connection, BinaryLog::Position position);
    void count_ack(std::int64_t server_id, BinaryLog::Position position);
    void acks_changed();
    void end_dump(std::uint64_t connection, bool tell);
    void end_dumps(bool tell);
    void reset_stream_of(const Dump& dump);
    void peer_gone(std::uint64_t connection);
    void resend_from(std::uint64_t connection, std::uint64_t packet);
    Dump* find_dump(std::uint64_t connection);
    bool has_noticed_the_end_of(const Dump& dump) const;
    void forget_gone_peers();
    std::int64_t semi_sync_clients() const;

    // receiver.cpp
    void start_receiver();
    void start_attempt();
    void on_reply(std::uint64_t attempt, DumpReply reply);
    void attempt_failed(int error, std::string text);
    void attempt_limit_reached();
    void retry_later();
    void receiver_tick();
    void schedule_tick();
    bool stream_alive() const;
    void on_disconnected();
    void on_reset(std::uint64_t connection);
    void on_refused(std::uint64_t attempt);
    void stop_if_asked();
    void on_event(FakeMysql* source, std::uint64_t connection, std::uint64_t packet,
                  TransactionPtr transaction, BinaryLog::Position position, bool wants_ack);
    void send_ack(BinaryLog::Position position);
    void end_receiver(int error, std::string text);
    void receive(TransactionPtr transaction);

    // applier.cpp
    void start_applier();
    void applier_kick();
    void apply_begin();
    void apply_locked();
    void apply_commit();
    void applied();
    void applier_failed(int error, std::string text);
    void applier_stopped();
    bool clients_table_locked() const;
    void commit_by_hand(Transaction draft);
    void drop_relay_log(const Session* by);
    void forget_replication(const Session* by, bool all);
    void report_discarded(const Session* by);
    GtidSet unexecuted_in_relay_log() const;

    // life.cpp
    void die(bool clean);
    void end_statements_at_shutdown();
    void end_by_shutdown(Duration later);
    void come_up();

    MysqlWorld& world_;
    TabletAlias alias_;
    MysqlAddress address_;
    Process& process_;
    Endpoint endpoint_;
    Stream stream_;
    StartOptions options_;  // of the next start
    StartOptions running_;  // what this process was started with
    Peculiarities peculiarities_;
    DurableState disk_;

    // run-time state: gone with the process
    bool up_ = false, starting_ = false, stopping_ = false;
    std::optional<StartOptions> start_when_stopped_, once_;
    std::uint64_t boot_ = 0;
    Instant started_at_{};
    Settings settings_;
    std::vector<std::unique_ptr<Session>> sessions_;  // by id
    std::uint64_t next_session_ = 8;
    std::int64_t next_free_number_ = 1;  // of own GTIDs: gaps are filled after a start, as the server does it
    std::uint64_t offline_switches_ = 0;
    UserLocks user_locks_;
    GlobalReadLock statements_lock_, commits_lock_;
    int closings_ = 0;                      // super_read_only=ON that wait
    bool super_read_only_pending_ = false;  // what a SELECT reads meanwhile (M20)
    Instant globals_busy_until_{};
    struct ExecutedWaiter {
        SessionId session;
        GtidSet set;
    };
    std::vector<ExecutedWaiter> executed_waiters_;
    struct TableWaiter {
        SessionId session;
        std::function<bool()> locked;
        Continuation then;
    };
    std::vector<TableWaiter> table_waiters_;
    std::deque<Commit> commits_;
    TimerId commit_timer_;
    bool running_commits_ = false;
    bool semi_sync_status_ = false;  // ON and not degraded
    AckTable acks_;
    BinaryLog::Position acknowledged_ = 0;
    std::int64_t yes_transactions_ = 0, no_transactions_ = 0;
    std::vector<std::unique_ptr<Dump>> dumps_;
    Receiver receiver_;
    Applier applier_;
    bool metadata_reset_ = false;  // by RESET REPLICA, until a receiver starts or a CHANGE
    bool channel_busy_ = false;
    std::deque<std::pair<SessionId, Continuation>> channel_queue_;

    // faults
    bool applier_blocked_ = false;
    Duration apply_delay_{};
    int applier_failure_ = 0;
    std::optional<CrashPoint> crash_point_;
    bool connections_full_ = false;
    bool passwords_rejected_ = false;
    bool new_uuid_at_start_ = false;

    std::uint64_t version_ = 1;
    mutable std::size_t executed_prefix_ = 0;  // of the relay log: a snapshot need not look at it again
};

}  // namespace fixpoint::sim::mysql
