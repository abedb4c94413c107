// Two managers of one shard of genuine servers: the one at work is killed or paused in the midst of an
// operation, and the other finishes; whoever wakes up too late finds himself fenced, changes nothing, and
// says so. And a process that sleeps in the midst of a transaction of the store is named. A round counts only
// if the victim was still at work when it was struck: it is struck again otherwise.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <future>
#include <optional>
#include <thread>

#include "property_tests/daemon/stage.hpp"
#include "real_adapters/sqlite/database.hpp"

namespace fixpoint::daemon_tests {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto lease = 4s;
constexpr auto beyond_the_lease = 2s;
constexpr auto limit_of_a_stop = 4s;

// `fixpoint run` under a name of its own, and what it has said since the last mark.
class NamedManager {
  public:
    NamedManager(Stage& stage, const std::string& name) : stage_(stage) {
        std::string text = stage.configuration_text();
        text.replace(text.find("\"m1\""), 4, '"' + name + '"');
        configuration_ = stage.write(name + ".json", text);
        begin();
    }
    void begin() {
        daemon_.emplace(stage_, std::vector<std::string>{"run"}, configuration_);
        mark_ = 0;
    }
    void mark() { mark_ = daemon_->log().size(); }
    std::string said() const { return daemon_->log().substr(mark_); }
    bool has_said(const std::string& words) const { return said().find(words) != std::string::npos; }
    bool says(const std::string& words, std::chrono::milliseconds limit = 15s) const {
        return eventually(limit, [&] { return has_said(words); });
    }
    // Only of one that was struck: it says nothing any more.
    bool was_at_work() const {
        for (const char* end : {"recovery_succeeded wrong_primary", "recovery_refused wrong_primary",
                                "recovery_failed wrong_primary"}) {
            if (has_said(end)) return false;
        }
        return true;
    }
    Daemon& daemon() { return *daemon_; }

  private:
    Stage& stage_;
    std::filesystem::path configuration_;
    std::optional<Daemon> daemon_;
    std::size_t mark_ = 0;
};

struct Moment {
    const char* name;
    const char* said;      // by the victim, just before
    bool held_up = false;  // by a table lock, so that it is inside of that statement
    bool in_a_stop = false;
};

class Managers : public testing::Test {
  protected:
    static Stage& stage() { return Stage::the(); }
    static int another_than(int i) { return (i + 1) % 3; }
    static bool is_open(int i) {
        return stage().ask(i, "SELECT @@GLOBAL.read_only OR @@GLOBAL.super_read_only") == "0";
    }
    static void declare(const std::vector<std::string>& words) {
        std::vector<std::string> all{"declare", "commerce/0"};
        all.insert(all.end(), words.begin(), words.end());
        const Said said = stage().fixpoint(all);
        ASSERT_TRUE(said.code == 0 || said.has("nothing would change")) << said.all();
    }
    static void leases_last(std::chrono::milliseconds duration) {
        declare({"--limit", fmt::format("lease_ms={}", duration.count())});
    }
    static void TearDownTestSuite() { leases_last(10s); }

    void SetUp() override {
        stage().converged();
        leases_last(lease);
        for (const char* name : {"m1", "m2"})
            managers_.emplace_back(std::make_unique<NamedManager>(stage(), name));
        for (const auto& m : managers_) ASSERT_TRUE(m->says("nothing to do")) << m->said();
    }
    void TearDown() override {
        for (const auto& m : managers_) EXPECT_EQ(m->daemon().stop(), 0) << m->said();
    }
    static std::string lock_session(int i) {
        return stage().ask(i, "SELECT IFNULL(IS_USED_LOCK('fixpoint/commerce/0'), 0)");
    }
    static bool lives(int i, const std::string& session) {
        return stage().ask(i, "SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + session) !=
               "0";
    }
    NamedManager& manager(int i) { return *managers_[static_cast<std::size_t>(i)]; }
    // Somebody wishes for another primary; whichever of the two leads the shard there gets the signal as soon
    // as it has said these words. Which one: -1, none has.
    int strike(int signal, const char* words, int primary) {
        for (const auto& m : managers_) m->mark();
        const auto wish = std::async(std::launch::async, [&] { declare({"--pin", stage().alias(primary)}); });
        for (const auto deadline = Clock::now() + 20s; Clock::now() < deadline;
             std::this_thread::sleep_for(1ms)) {
            for (int i = 0; i < 2; ++i) {
                if (!manager(i).has_said(words)) continue;
                manager(i).daemon().signal(signal);
                struck_ = Clock::now();
                return i;
            }
        }
        ADD_FAILURE() << "nobody says \"" << words << "\":\n" << manager(0).said() << manager(1).said();
        return -1;
    }
    void settles_under(int primary, const NamedManager& finisher) {
        EXPECT_TRUE(eventually(20s, [&] { return stage().primary() == primary; })) << finisher.said();
        declare({"--no-pin"});
        EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all() << finisher.said();
    }

    // Whether the victim was at work.
    bool one_dies_and_the_other_finishes(const Moment& moment);
    bool one_sleeps_and_is_fenced(const Moment& moment);

    std::vector<std::unique_ptr<NamedManager>> managers_;
    Clock::time_point struck_;
    int rounds_ = 0;
};

// ---- killed

bool Managers::one_dies_and_the_other_finishes(const Moment& moment) {
    const int from = stage().primary();
    const int to = another_than(from);
    Writer writer(stage(), 10'000'000 + 1'000'000 * rounds_++, 10ms);
    EXPECT_TRUE(eventually(10s, [&] { return writer.acknowledged() > 5; }));
    std::optional<real::BlockingSession> holder;
    if (moment.held_up) {
        holder = stage().server(from).root();
        EXPECT_FALSE(holder->query("LOCK TABLES contract.`rows` WRITE").error.has_value());
    }
    const int victim = strike(SIGKILL, moment.said, to);
    if (victim < 0) return true;
    NamedManager& finisher = manager(1 - victim);
    holder.reset();
    EXPECT_TRUE(eventually(60s, [&] { return is_open(to); })) << finisher.said();
    writer.point_at(to);
    const std::size_t before = writer.acknowledged() + 1;  // one may be under way on the old primary
    EXPECT_TRUE(eventually(60s, [&] { return writer.acknowledged() > before; })) << finisher.said();
    const auto took = Clock::now() - struck_;
    const bool was_at_work = manager(victim).was_at_work();
    if (was_at_work) {
        EXPECT_LT(took, lease + beyond_the_lease + (moment.in_a_stop ? limit_of_a_stop : 0s))
            << moment.name << '\n'
            << finisher.said();
        fmt::print("    killed {}: a write on the new primary after {} ms\n", moment.name,
                   std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    }
    settles_under(to, finisher);
    EXPECT_EQ(stage().lost(to, writer.end()), std::vector<std::int64_t>{}) << moment.name;
    manager(victim).begin();
    EXPECT_TRUE(manager(victim).says("nothing to do"));
    return was_at_work;
}

TEST_F(Managers, the_other_one_finishes_within_the_lease_and_two_seconds) {
    const std::vector<Moment> moments{
        {"inside the statement that closes the primary", "SET GLOBAL read_only=ON", true},
        {"when the primary is closed", "is closed for writes"},
        {"inside a STOP", "STOP REPLICA IO_THREAD", false, true},
        {"after the commit point", "commit_point"},
    };
    for (const Moment& moment : moments) {
        bool at_work = false;
        for (int again = 0; again < 3 && !at_work; ++again) at_work = one_dies_and_the_other_finishes(moment);
        EXPECT_TRUE(at_work) << moment.name << ": it was always struck too late";
    }
}

// ---- paused

bool Managers::one_sleeps_and_is_fenced(const Moment& moment) {
    const int from = stage().primary();
    const int to = another_than(from);
    std::optional<real::BlockingSession> holder;
    if (moment.held_up) {
        holder = stage().server(from).root();
        EXPECT_FALSE(holder->query("LOCK TABLES contract.`rows` WRITE").error.has_value());
    }
    const int victim = strike(SIGSTOP, moment.said, to);
    if (victim < 0) return true;
    NamedManager& sleeper = manager(victim);
    NamedManager& finisher = manager(1 - victim);
    std::array<std::string, 3> sessions;
    for (int i = 0; i < 3; ++i) sessions[static_cast<std::size_t>(i)] = lock_session(i);
    holder.reset();
    if (!sleeper.was_at_work()) {
        sleeper.daemon().signal(SIGCONT);
        settles_under(to, finisher);
        return false;
    }
    EXPECT_TRUE(finisher.says("recovery_began", lease + beyond_the_lease)) << finisher.said();
    EXPECT_GE(Clock::now() - struck_, lease / 2) << "not before the lease has ended";
    settles_under(to, finisher);
    EXPECT_TRUE(finisher.has_said("recovery_succeeded")) << finisher.said();
    // Its sessions were ended at the servers before anything was changed there.
    for (int i = 0; i < 3; ++i) {
        const std::string& session = sessions[static_cast<std::size_t>(i)];
        EXPECT_NE(session, "0") << moment.name << ": it had no lock on " << stage().alias(i);
        EXPECT_FALSE(lives(i, session)) << moment.name << ": " << stage().alias(i);
    }

    const std::string before = stage().states();
    const Said records = stage().fixpoint({"topology", "show"});
    sleeper.mark();
    sleeper.daemon().signal(SIGCONT);
    EXPECT_TRUE(sleeper.says("recovery_failed wrong_primary")) << sleeper.said();
    EXPECT_TRUE(sleeper.has_said("because lock_lost")) << sleeper.said();
    // From then on it is one of two, and sees that nothing is to be done.
    EXPECT_TRUE(sleeper.says("nothing to do")) << sleeper.said();
    EXPECT_FALSE(sleeper.has_said("recovery_began")) << sleeper.said();
    EXPECT_EQ(stage().states(), before) << moment.name;
    EXPECT_EQ(stage().fixpoint({"topology", "show"}).out, records.out) << moment.name;
    EXPECT_EQ(stage().primary(), to);
    return true;
}

TEST_F(Managers, whoever_wakes_up_too_late_is_fenced_at_the_servers_and_says_so) {
    const std::vector<Moment> moments{
        {"inside the statement that closes the primary", "SET GLOBAL read_only=ON", true},
        {"after the commit point", "commit_point"},
    };
    for (const Moment& moment : moments) {
        bool at_work = false;
        for (int again = 0; again < 3 && !at_work; ++again) at_work = one_sleeps_and_is_fenced(moment);
        EXPECT_TRUE(at_work) << moment.name << ": it was always struck too late";
    }
}

// ---- asleep inside of a transaction of the store

// Ended by its id.
class Sleeper {
  public:
    explicit Sleeper(const std::filesystem::path& store) {
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        try {
            real::Database database(store, false, "");
            database.wait_while_busy(5'000);
            const real::Transaction transaction(database, real::Transaction::Kind::write);
            ::raise(SIGSTOP);
        } catch (...) {
            ::_exit(2);
        }
        ::_exit(0);
    }
    ~Sleeper() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    pid_t pid() const { return pid_; }
    bool sleeps() const {
        int status = 0;
        return ::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
    }
    void wake() {
        ::kill(pid_, SIGCONT);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

  private:
    pid_t pid_ = 0;
};

TEST_F(Managers, a_process_that_sleeps_inside_a_store_transaction_is_named_after_a_lease_of_the_shard) {
    const int replica = another_than(stage().primary());
    for (const auto& m : managers_) m->mark();
    Sleeper sleeper(stage().in_folder("topology.db"));
    ASSERT_TRUE(sleeper.sleeps());
    const auto slept = Clock::now();
    stage().server(replica).as_root({"SET GLOBAL super_read_only = OFF"});  // something to do
    // The shard's lease, 4 s, and not the one that the configuration declares for new shards, 10 s.
    for (const auto& m : managers_) {
        EXPECT_TRUE(m->says(fmt::format("store_locked: process {} (", sleeper.pid()), 9s)) << m->said();
        EXPECT_TRUE(m->has_said("which is suspended")) << m->said();
        EXPECT_TRUE(m->has_said("let it go on (kill -CONT), or end it (kill -9")) << m->said();
    }
    EXPECT_GE(Clock::now() - slept, lease);
    EXPECT_LT(Clock::now() - slept, 10s);
    // Reading goes on: people see how the shard is. Writing is refused, and it is said why.
    EXPECT_EQ(stage().fixpoint({"status"}).code, 3);
    const Said declared = stage().fixpoint({"declare", "commerce/0", "--pin", stage().alias(replica)});
    EXPECT_EQ(declared.code, 1) << declared.all();
    EXPECT_TRUE(declared.has(fmt::format("process {} (", sleeper.pid()))) << declared.all();
    EXPECT_EQ(stage().ask(replica, "SELECT @@GLOBAL.super_read_only"), "0");
    sleeper.wake();
    EXPECT_TRUE(eventually(10s, [&] {
        return stage().ask(replica, "SELECT @@GLOBAL.super_read_only") == "1";
    })) << manager(0).said();
    EXPECT_TRUE(stage().settles(40s)) << stage().fixpoint({"status"}).all();
}

}  // namespace
}  // namespace fixpoint::daemon_tests
