// TLS between genuine servers and this program, and between replicas and their source: with the authority
// that signed the servers' certificates everything works, with another nothing is let through, and it is said
// why. Authorities and certificates are made here, for this run only.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "property_tests/daemon/stage.hpp"

namespace fixpoint::daemon_tests {
namespace {

namespace fs = std::filesystem;

void openssl(const std::string& words) {
    const std::string command = "openssl " + words + " >/dev/null 2>&1";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl " + words);
}

class Tls : public testing::Test {
  protected:
    static Stage& stage() { return Stage::the(); }
    static int another_than(int i) { return (i + 1) % 3; }
    static std::string file(const std::string& name) { return stage().in_folder(name).string(); }

    // An authority of its own, and a certificate for 127.0.0.1 that it signed.
    static void make_authority(const std::string& name) {
        const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(fmt::format("req -x509 {} -days 2 -subj /CN={}-authority -keyout {} -out {}", key, name,
                            file(name + "-ca.key"), file(name + "-ca.pem")));
        openssl(fmt::format("req {} -subj /CN=127.0.0.1 -keyout {} -out {}", key, file(name + ".key"),
                            file(name + ".csr")));
        stage().write(name + ".ext", "subjectAltName=IP:127.0.0.1\n");
        openssl(fmt::format("x509 -req -days 2 -in {} -CA {} -CAkey {} -CAcreateserial -extfile {} -out {}",
                            file(name + ".csr"), file(name + "-ca.pem"), file(name + "-ca.key"),
                            file(name + ".ext"), file(name + ".pem")));
    }
    static void serve_with(const std::string& ca, const std::string& certificate, const std::string& key) {
        for (int i = 0; i < 3; ++i)
            stage().server(i).as_root({fmt::format("SET GLOBAL ssl_ca = '{}'", ca),
                                       fmt::format("SET GLOBAL ssl_cert = '{}'", certificate),
                                       fmt::format("SET GLOBAL ssl_key = '{}'", key),
                                       "ALTER INSTANCE RELOAD TLS"});
    }
    static void SetUpTestSuite() {
        stage().converged();
        make_authority("ours");
        make_authority("strange");
        serve_with(file("ours-ca.pem"), file("ours.pem"), file("ours.key"));
    }
    static void TearDownTestSuite() {
        serve_with("ca.pem", "server-cert.pem", "server-key.pem");
        stage().spoil();
    }
    static fs::path configuration(const std::string& name, const std::string& manager,
                                  const std::string& replication) {
        std::string text = stage().configuration_text();
        const auto put = [&](const std::string& behind, const std::string& more) {
            text.insert(text.find(behind) + behind.size(), more);
        };
        put("\"manager.password\"", manager);
        put("\"replication.password\"", replication);
        return stage().write(name + ".json", text);
    }
    static std::string of_channel(int i, const std::string& column) {
        real::BlockingSession root = stage().server(i).root();
        const real::RawAnswer answer = root.query("SHOW REPLICA STATUS");
        if (answer.error || answer.results.at(0).rows.empty()) return {};
        const real::Rows& rows = answer.results.at(0);
        const auto at = std::ranges::find(rows.columns, column) - rows.columns.begin();
        return rows.rows[0].at(static_cast<std::size_t>(at)).value_or("");
    }
};

TEST_F(Tls, sessions_are_opened_with_the_right_authority_and_refused_with_another) {
    const auto right = configuration("tls-right", R"(, "tls": "required", "tls_ca": "ours-ca.pem")", "");
    for (const char* command : {"check", "status", "plan"}) {
        const Said said = stage().fixpoint_with(right, {command});
        EXPECT_EQ(said.code, 0) << said.all();
    }
    // Not even where plain sessions would do: a CA that was named is meant.
    for (const char* how : {"required", "where_offered"}) {
        const auto wrong =
            configuration("tls-wrong", fmt::format(R"(, "tls": "{}", "tls_ca": "strange-ca.pem")", how), "");
        const std::string before = stage().states();
        const Said said = stage().fixpoint_with(wrong, {"check"});
        EXPECT_EQ(said.code, 3) << said.all();
        EXPECT_TRUE(said.has("(2026)") && said.has("certificate") &&
                    said.has("manager.tls_ca is the authority that signed its certificate"))
            << said.all();
        EXPECT_EQ(stage().states(), before);
    }
    const auto absent = configuration("tls-absent", R"(, "tls_ca": "nowhere.pem")", "");
    const Said said = stage().fixpoint_with(absent, {"check"});
    EXPECT_EQ(said.code, 2) << said.all();
    EXPECT_TRUE(said.has("tls-absent.json:4: manager.tls_ca") && said.has("cannot be read")) << said.all();
}

TEST_F(Tls, channels_are_verified_with_the_authority_that_is_configured) {
    const auto right = configuration("channel-right", R"(, "tls": "required", "tls_ca": "ours-ca.pem")",
                                     fmt::format(R"(, "tls_ca": "{}")", file("ours-ca.pem")));
    const auto wrong = configuration("channel-wrong", R"(, "tls": "required", "tls_ca": "ours-ca.pem")",
                                     fmt::format(R"(, "tls_ca": "{}")", file("strange-ca.pem")));
    const int from = stage().primary();
    const int to = another_than(from);
    const int third = another_than(to);
    const Said done =
        stage().fixpoint_with(right, {"reparent", "commerce/0", "--to", stage().alias(to)}, 60s);
    ASSERT_EQ(done.code, 0) << done.all();
    for (const int replica : {from, third}) {
        EXPECT_TRUE(eventually(10s, [&] { return of_channel(replica, "Replica_IO_Running") == "Yes"; }))
            << of_channel(replica, "Last_IO_Error");
        EXPECT_EQ(of_channel(replica, "Source_SSL_Verify_Server_Cert"), "Yes");
        EXPECT_EQ(of_channel(replica, "Source_SSL_CA_File"), file("ours-ca.pem"));
    }
    // Whoever changes the configuration is told that the channels have kept what they had.
    EXPECT_EQ(stage().fixpoint_with(right, {"check"}).code, 0);
    const Said kept = stage().fixpoint_with(wrong, {"check"});
    EXPECT_EQ(kept.code, 3) << kept.all();
    for (const int replica : {from, third})
        EXPECT_TRUE(
            kept.has(fmt::format("{}: its channel verifies its source by {}, the configuration says "
                                 "replication.tls_ca = {}: a channel keeps what it was pointed with; "
                                 "`fixpoint reparent`",
                                 stage().alias(replica), file("ours-ca.pem"), file("strange-ca.pem"))))
            << kept.all();
    // A replica that is pointed with another authority does not follow, and says why.
    stage().server(third).as_root({"STOP REPLICA", "RESET REPLICA ALL"});
    {
        Daemon daemon(stage(), {"run"}, wrong);
        EXPECT_TRUE(eventually(15s, [&] { return of_channel(third, "Last_IO_Errno") == "2026"; }))
            << of_channel(third, "Last_IO_Error") << daemon.log();
        EXPECT_EQ(daemon.stop(), 0);
    }
    const Said said = stage().fixpoint_with(right, {"check"});
    EXPECT_EQ(said.code, 3) << said.all();
    EXPECT_TRUE(said.has(stage().alias(third)) && said.has("error 2026") &&
                said.has("certificate verify failed") && said.has("replication.tls_ca"))
        << said.all();
    // What a channel was given stays until it is pointed anew.
    stage().server(third).as_root({"STOP REPLICA", "RESET REPLICA ALL"});
    Daemon daemon(stage(), {"run"}, right);
    EXPECT_TRUE(eventually(15s, [&] { return of_channel(third, "Replica_IO_Running") == "Yes"; }))
        << of_channel(third, "Last_IO_Error") << daemon.log();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Tls, a_path_that_servers_cannot_know_is_refused) {
    const auto relative = configuration("channel-relative", "", R"(, "tls_ca": "ours-ca.pem")");
    const Said said = stage().fixpoint_with(relative, {"status"});
    EXPECT_EQ(said.code, 2) << said.all();
    EXPECT_TRUE(said.has("replication.tls_ca") && said.has("no absolute path")) << said.all();
    const auto senseless =
        configuration("channel-senseless", "", R"(, "tls": false, "tls_ca": "/etc/ssl/ca.pem")");
    EXPECT_EQ(stage().fixpoint_with(senseless, {"status"}).code, 2);
}

// The library's TLS errors are kept by thread: what one session left behind must not end another.
TEST_F(Tls, a_session_that_breaks_takes_no_other_with_it) {
    const real::Login login{"client", stage().client_password(), real::Tls::required, ""};
    const MysqlAddress address = stage().server(0).address();
    auto healthy = real::BlockingSession::connect(address, login, 5s);
    ASSERT_TRUE(healthy.has_value()) << healthy.error().text;
    for (int round = 0; round < 3; ++round) {
        {
            auto breaking = real::BlockingSession::connect(address, login, 5s);
            ASSERT_TRUE(breaking.has_value()) << breaking.error().text;
            breaking->break_off();
            EXPECT_TRUE(breaking->query("SELECT 1").error.has_value());
        }
        const real::RawAnswer answer = healthy->query("SELECT SLEEP(0.1)");
        EXPECT_FALSE(answer.error.has_value()) << answer.error->text;
    }
}

}  // namespace
}  // namespace fixpoint::daemon_tests
