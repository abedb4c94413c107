// The configuration: what is read from where, and that whatever is wrong is named with its line and its
// remedy.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "real_adapters/daemon/configuration.hpp"
#include "real_adapters/daemon/text.hpp"

namespace fixpoint::real {
namespace {

namespace fs = std::filesystem;

class ConfigurationTest : public testing::Test {
  protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("fixpoint-configuration-" + std::to_string(::getpid()));
        fs::create_directories(folder_);
        write("manager.password", "of the manager\n");
        write("replication.password", "of replication");
    }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    std::expected<Configuration, ConfigurationError> load(const std::string& text) {
        return load_configuration(write("fixpoint.json", text), flags, [this](const std::string& name) {
            const auto it = environment.find(name);
            return it == environment.end() ? std::nullopt : std::optional(it->second);
        });
    }
    // The error of a text that must be refused.
    ConfigurationError refused(const std::string& text) {
        const auto loaded = load(text);
        EXPECT_FALSE(loaded.has_value()) << text;
        return loaded ? ConfigurationError{} : loaded.error();
    }

    fs::path folder_;
    ConfigurationFlags flags;
    std::map<std::string, std::string> environment;
};

const std::string good = R"({
  // where the records are
  "store": {"sqlite": "topology.db"},
  "manager": {
    "name": "m1", "user": "fixpoint", "password_file": "manager.password"
  },
  /* for the channels */
  "replication": {"user": "repl", "password_file": "replication.password", "tls": false},
  "shards": ["commerce/0", "commerce/80-"],
  "log": {"format": "json", "level": "debug"},
  "history": "history.jsonl",
  "defaults": {"durability_policy": "cross_cell:2", "limits": {"poll_ms": 250}}
})";

TEST_F(ConfigurationTest, everything_is_read_and_paths_are_relative_to_the_file) {
    const auto loaded = load(good);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().to_string();
    EXPECT_EQ(loaded->store, folder_ / "topology.db");
    EXPECT_EQ(loaded->manager_name, "m1");
    EXPECT_EQ(loaded->manager.user, "fixpoint");
    EXPECT_EQ(loaded->manager.password, "of the manager");
    EXPECT_EQ(loaded->manager.tls, Tls::where_offered);
    EXPECT_EQ(loaded->replication.password, "of replication");
    EXPECT_FALSE(loaded->replication.tls);
    ASSERT_EQ(loaded->shards.size(), 2u);
    EXPECT_EQ(loaded->shards[1], (ShardName{"commerce", "80-"}));
    EXPECT_EQ(loaded->log.format, LogFormat::json);
    EXPECT_EQ(loaded->log.level, "debug");
    EXPECT_EQ(loaded->history, folder_ / "history.jsonl");
    EXPECT_EQ(loaded->defaults.policy, (DurabilityPolicy{DurabilityName::cross_cell, 2}));
    EXPECT_EQ(loaded->defaults.limits.poll, std::chrono::milliseconds(250));
}

TEST_F(ConfigurationTest, what_is_left_out_has_its_default) {
    const auto loaded =
        load(R"({"store": {"sqlite": "/x"}, "manager": {"user": "a", "password_file": "manager.password"},
                                 "replication": {"user": "b", "password_file": "replication.password"}})");
    ASSERT_TRUE(loaded.has_value()) << loaded.error().to_string();
    EXPECT_EQ(loaded->store, "/x");
    EXPECT_FALSE(loaded->manager_name.empty());
    EXPECT_TRUE(loaded->replication.tls);
    EXPECT_TRUE(loaded->shards.empty() && loaded->history.empty());
    EXPECT_EQ(loaded->log.format, LogFormat::text);
    EXPECT_EQ(loaded->defaults.policy, (DurabilityPolicy{DurabilityName::semi_sync, 1}));
}

TEST_F(ConfigurationTest, flags_stand_above_the_environment_and_that_above_the_file) {
    environment = {{"FIXPOINT_STORE", "/environment.db"},
                   {"FIXPOINT_LOG_FORMAT", "text"},
                   {"FIXPOINT_MANAGER_PASSWORD", "from the environment"}};
    const auto from_environment = load(good);
    ASSERT_TRUE(from_environment.has_value());
    EXPECT_EQ(from_environment->store, "/environment.db");
    EXPECT_EQ(from_environment->log.format, LogFormat::text);
    EXPECT_EQ(from_environment->manager.password, "from the environment");
    EXPECT_EQ(from_environment->replication.password, "of replication");
    flags = {"/flag.db", "json", "error"};
    const auto from_flags = load(good);
    ASSERT_TRUE(from_flags.has_value());
    EXPECT_EQ(from_flags->store, "/flag.db");
    EXPECT_EQ(from_flags->log.format, LogFormat::json);
    EXPECT_EQ(from_flags->log.level, "error");
}

struct Wrong {
    const char* from;
    const char* to;
    const char* place;  // how it begins, after the file's name
    const char* says;   // in the text or the remedy
};

TEST_F(ConfigurationTest, whatever_is_wrong_is_named_with_its_line_and_its_remedy) {
    const std::vector<Wrong> all{
        {"\"store\": {", "\"stor\": {", ":3: stor", "did you mean store?"},
        {"\"name\": \"m1\"", "\"nmae\": \"m1\"", ":5: manager.nmae", "did you mean name?"},
        {"\"name\": \"m1\"", "\"password\": \"x\"", ":5: manager.password", "password_file"},
        {"\"name\": \"m1\"", "\"name\": 7", ":5: manager.name", "quotes"},
        {"\"name\": \"m1\"", "\"tls\": \"of\"", ":5: manager.tls", "did you mean off?"},
        {"\"name\": \"m1\"", "\"tls_ca\": \"absent.pem\"", ":5: manager.tls_ca", "cannot be read"},
        {"\"manager.password\"", "\"absent\"", ":5: manager.password_file", "cannot be read"},
        {"\"user\": \"fixpoint\", ", "", ":4: manager.user", "missing"},
        {"\"tls\": false", "\"tls\": \"no\"", ":8: replication.tls", "true or false"},
        {"\"commerce/0\"", "\"commerce\"", ":9: shards", "keyspace/shard"},
        {"\"commerce/0\", ", "\"commerce/80-\", ", ":9: shards", "twice"},
        {"[\"commerce/0\", \"commerce/80-\"]", "\"commerce/0\"", ":9: shards", "list"},
        {"\"format\": \"json\"", "\"format\": \"jsn\"", ":10: log.format", "did you mean json?"},
        {"\"level\": \"debug\"", "\"level\": \"all\"", ":10: log.level", "warning"},
        {"cross_cell:2", "cross_sell", ":12: defaults.durability_policy", "semi_sync"},
        {"\"poll_ms\": 250", "\"pol_ms\": 250", ":12: defaults.limits", "pol_ms"},
        {"\"poll_ms\": 250", "\"poll_ms\": \"250\"", ":12: defaults.limits", "poll_ms"},
        {"\"history\": \"history.jsonl\",", "\"history\": \"history.jsonl\"", ":12", "JSON"},
        {"\"history\":", "\"shards\": [], \"history\":", ":9: shards", "twice"},
    };
    for (const Wrong& wrong : all) {
        std::string text = good;
        const std::size_t at = text.find(wrong.from);
        ASSERT_NE(at, std::string::npos) << wrong.from;
        text.replace(at, std::string(wrong.from).size(), wrong.to);
        const ConfigurationError error = refused(text);
        const std::string said = error.to_string();
        EXPECT_TRUE(error.place.ends_with(wrong.place) ||
                    error.place.find(std::string(wrong.place) + ":") != std::string::npos)
            << wrong.to << ": " << said;
        EXPECT_NE(said.find(wrong.says), std::string::npos) << wrong.to << ": " << said;
        EXPECT_FALSE(error.remedy.empty()) << said;
    }
}

TEST_F(ConfigurationTest, a_password_that_cannot_be_one_is_refused_and_never_repeated) {
    for (const char* bad : {"", "\n", "two\nlines"}) {
        write("manager.password", bad);
        EXPECT_NE(refused(good).text.find("one line"), std::string::npos) << bad;
    }
    const std::string longer = "a password of more than thirty-two characters";
    write("manager.password", "fine");
    write("replication.password", longer);
    const std::string said = refused(good).to_string();
    EXPECT_NE(said.find("32"), std::string::npos);
    EXPECT_EQ(said.find(longer), std::string::npos);
}

TEST_F(ConfigurationTest, a_file_that_is_not_there_is_named) {
    const auto loaded =
        load_configuration(folder_ / "absent.json", {}, [](const std::string&) { return std::nullopt; });
    ASSERT_FALSE(loaded.has_value());
    EXPECT_NE(loaded.error().to_string().find("absent.json"), std::string::npos);
    EXPECT_NE(loaded.error().remedy.find("--config"), std::string::npos);
}

RC_GTEST_FIXTURE_PROP(ConfigurationTest, whatever_is_cut_out_of_a_good_file_is_read_or_refused_with_its_place,
                      ()) {
    const auto first = *rc::gen::inRange<std::size_t>(0, good.size());
    const auto length = *rc::gen::inRange<std::size_t>(1, 40);
    std::string text = good;
    text.erase(first, length);
    const auto loaded = load(text);
    if (!loaded) {
        RC_ASSERT(loaded.error().place.find("fixpoint.json") != std::string::npos);
        RC_ASSERT(!loaded.error().text.empty() && !loaded.error().remedy.empty());
    }
    RC_TAG(loaded.has_value());
}

// ---- texts

TEST(Text, the_nearest_name_is_offered_only_where_one_is_near) {
    const std::vector<std::string> names{"store", "manager", "shards"};
    EXPECT_EQ(nearest("stroe", names), "store");
    EXPECT_EQ(nearest("shard", names), "shards");
    EXPECT_EQ(nearest("quite_another_thing", names), "");
    EXPECT_EQ(did_you_mean("quite_another_thing", names), "");
}

TEST(Text, tables_have_columns_and_no_trailing_blanks) {
    EXPECT_EQ(table({{"A", "B"}, {"long", ""}, {"x", "y"}}), "A     B\nlong\nx     y\n");
}

RC_GTEST_PROP(Redaction, no_text_keeps_a_secret, ()) {
    const auto secret = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab'\\c9")));
    RC_PRE(secret.size() >= 4 && secret.find('*') == std::string::npos);
    const auto before = *rc::gen::string<std::string>();
    const std::string text = Redactor({secret, ""})(before + secret + " and " + secret);
    RC_ASSERT(text.find(secret) == std::string::npos);
    RC_ASSERT(text.ends_with("***"));
}

TEST(Redaction, a_secret_is_found_as_it_stands_in_a_statement_too) {
    EXPECT_EQ(Redactor({"it's"})("SOURCE_PASSWORD = 'it\\'s'"), "SOURCE_PASSWORD = '***'");
}

}  // namespace
}  // namespace fixpoint::real
