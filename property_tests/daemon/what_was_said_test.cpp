// Passwords: random ones, searched for in all that the run has left, outputs, logs, histories, reports, the
// store and the command lines of all processes; none is there, and one that is planted is found wherever it
// is. Its name makes it the last: what the tests before it have said is there.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {
namespace {

class Secrets : public testing::Test {};

// A process with these words on its command line; ended by its id.
class Careless {
  public:
    explicit Careless(const std::string& words) {
        std::string name = words;
        std::vector<char*> argv{const_cast<char*>("cat"), const_cast<char*>("--"), const_cast<char*>("-"),
                                name.data(), nullptr};
        const pid_t parent = ::getpid();
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) ::_exit(126);
            ::dup2(ends[0], 0);  // which nobody writes to: it waits
            ::execv("/bin/cat", argv.data());
            ::_exit(127);
        }
        ::close(ends[0]);
        open_ = ends[1];
    }
    ~Careless() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        ::close(open_);
    }
    Careless(const Careless&) = delete;
    Careless& operator=(const Careless&) = delete;

  private:
    pid_t pid_ = 0;
    int open_ = -1;
};

TEST_F(Secrets, nothing_that_was_said_holds_a_password_and_the_search_finds_one_that_is_planted) {
    Stage& stage = Stage::the();
    stage.converged();
    {
        // At least one statement with a password in it.
        const int replica = (stage.primary() + 1) % 3;
        stage.server(replica).as_root({"STOP REPLICA", "RESET REPLICA ALL"});
        Daemon daemon(stage);
        EXPECT_TRUE(daemon.logs("CHANGE REPLICATION SOURCE")) << daemon.log();
        EXPECT_TRUE(stage.settles(40s));
        EXPECT_EQ(daemon.stop(), 0);
    }
    ASSERT_EQ(stage.fixpoint({"history", "commerce/0", "--export"}).code, 0);
    const std::map<std::string, std::string> all = stage.everything_said();
    // There is something to be searched.
    EXPECT_NE(all.at("commands").find("CREATE USER"), std::string::npos);
    EXPECT_NE(all.at("commands").find("\"faults\""), std::string::npos);
    EXPECT_NE(all.at("command lines").find("mysqld"), std::string::npos);
    EXPECT_NE(all.at("history.jsonl").find("recovery_began"), std::string::npos);
    EXPECT_NE(all.at("s0/error.log").find("ready for connections"), std::string::npos);
    EXPECT_TRUE(std::ranges::any_of(all, [](const auto& place) {
        return place.first.starts_with("run-") &&
               place.second.find("CHANGE REPLICATION SOURCE") != std::string::npos;
    }));
    EXPECT_GT(all.at("topology.db").size(), 4'096u);
    EXPECT_EQ(stage.places_of_passwords(), std::vector<std::string>{});

    const auto as_json = [](const std::string& text) { return nlohmann::json(text).dump(); };
    for (const std::string& secret : stage.secrets()) {
        for (const std::string& text : {secret, real::literal(secret), as_json(secret)}) {
            const auto report = stage.write("report.txt", "a careless line with " + text + " in it\n");
            EXPECT_EQ(stage.places_of_passwords(), std::vector<std::string>{"report.txt"}) << text;
            std::filesystem::remove(report);
        }
        const Careless careless("password=" + secret);
        EXPECT_TRUE(eventually(
            5s, [&] { return stage.places_of_passwords() == std::vector<std::string>{"command lines"}; }));
    }
    EXPECT_EQ(stage.places_of_passwords(), std::vector<std::string>{});
    stage.remember("and said by a command: " + stage.secrets().front());
    EXPECT_EQ(stage.places_of_passwords(), std::vector<std::string>{"commands"});
}

}  // namespace
}  // namespace fixpoint::daemon_tests
