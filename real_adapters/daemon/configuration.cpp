// See configuration.hpp. Reading is a walk through the file's sections; the first complaint ends it.
#include "real_adapters/daemon/configuration.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fixpoint/engine/record_codec.hpp"
#include "real_adapters/daemon/json_places.hpp"
#include "real_adapters/daemon/text.hpp"

namespace fixpoint::real {

namespace {

namespace fs = std::filesystem;

// MySQL cuts nothing off and says so only when a channel is configured.
constexpr std::size_t longest_replication_password = 32;

std::optional<std::string> read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in || fs::is_directory(file)) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", text);
}

fs::path relative_to(const fs::path& file, const std::string& path) {
    return path.empty() ? fs::path() : file.parent_path() / path;
}

class Reader {
  public:
    Reader(fs::path file, const ConfigurationFlags& flags, const Environment& environment,
           const JsonPlaces& document)
        : file_(std::move(file)), flags_(flags), environment_(environment), document_(document) {}

    Configuration read() {
        Configuration c;
        c.file = file_;
        JsonSection root(document_, document_.root(), "");
        root.only({"store", "manager", "replication", "shards", "log", "history", "defaults"});
        read_store(root, c);
        read_manager(root, c);
        read_replication(root, c);
        read_shards(root, c);
        read_log(root, c);
        c.history = relative_to(file_, root.text("history", ""));
        read_defaults(root, c);
        return c;
    }

  private:
    JsonSection section(JsonSection& root, const std::string& key, const std::string& remedy) {
        if (!root.has(key)) root.fail(key, "it is missing", remedy);
        return {document_, root.at(key), key};
    }

    void read_store(JsonSection& root, Configuration& c) {
        const std::string remedy = R"(name a file: "store": {"sqlite": "/var/lib/fixpoint/topology.db"})";
        const std::optional<std::string> from_environment = environment_("FIXPOINT_STORE");
        if (root.has("store")) {
            JsonSection store = section(root, "store", remedy);
            store.only({"sqlite"});
            c.store = relative_to(file_, store.text("sqlite", ""));
        }
        if (from_environment) c.store = *from_environment;
        if (!flags_.store.empty()) c.store = flags_.store;
        if (c.store.empty()) root.fail("store", "no store is named", remedy);
    }

    static void refuse_passwords(JsonSection& account, const std::string& variable) {
        for (const char* key : {"password", "passwd", "pwd"})
            account.refuse(key, "a password does not stand in this file",
                           fmt::format("put it into a file of its own and name that in {}, or set {}",
                                       in_quotes("password_file"), variable));
    }

    std::string password(JsonSection& account, const std::string& variable) {
        const std::string named = account.text("password_file", "");
        if (const std::optional<std::string> value = environment_(variable)) {
            if (value->empty())
                throw ConfigurationError{"environment " + variable, "it is empty",
                                         "set the password or unset it"};
            return *value;
        }
        if (named.empty())
            account.fail("password_file", "there is no password",
                         fmt::format("name a file that holds nothing but the password, or set {}", variable));
        const fs::path path = relative_to(file_, named);
        std::optional<std::string> text = read_file(path);
        if (!text)
            account.fail("password_file", fmt::format("{} cannot be read", path.string()),
                         "make it readable for the user that runs this program");
        while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
        if (text->empty() || text->find('\n') != std::string::npos)
            account.fail("password_file", fmt::format("{} does not hold one line", path.string()),
                         "write the password into it, on one line, and nothing else");
        return *std::move(text);
    }

    void read_manager(JsonSection& root, Configuration& c) {
        JsonSection manager = section(
            root, "manager", R"(add "manager": {"user": "…", "password_file": "…"} (see `fixpoint grants`))");
        refuse_passwords(manager, "FIXPOINT_MANAGER_PASSWORD");
        manager.only({"name", "user", "password_file", "tls", "tls_ca"});
        c.manager_name = manager.text("name", "");
        if (c.manager_name.empty()) {
            char host[256] = "manager";
            ::gethostname(host, sizeof host - 1);
            c.manager_name = fmt::format("{}-{}", host, ::getpid());
        }
        c.manager.user = manager.required_text("user", "name the manager's MySQL account");
        c.manager.password = password(manager, "FIXPOINT_MANAGER_PASSWORD");
        const std::string tls = manager.text("tls", "where_offered");
        if (tls == "off") {
            c.manager.tls = Tls::off;
        } else if (tls == "where_offered") {
            c.manager.tls = Tls::where_offered;
        } else if (tls == "required") {
            c.manager.tls = Tls::required;
        } else {
            manager.fail(
                "tls",
                in_quotes(tls) + " is not known" + did_you_mean(tls, {"off", "where_offered", "required"}),
                "write off, where_offered or required");
        }
        c.manager.tls_ca = relative_to(file_, manager.text("tls_ca", "")).string();
        if (!c.manager.tls_ca.empty() && !read_file(c.manager.tls_ca))
            manager.fail("tls_ca", c.manager.tls_ca + " cannot be read",
                         "name a file with certificates in PEM");
    }

    void read_replication(JsonSection& root, Configuration& c) {
        JsonSection replication =
            section(root, "replication",
                    R"(add "replication": {"user": "…", "password_file": "…"} (see `fixpoint grants`))");
        refuse_passwords(replication, "FIXPOINT_REPLICATION_PASSWORD");
        replication.only({"user", "password_file", "tls", "tls_ca"});
        c.replication.user =
            replication.required_text("user", "name the MySQL account that replicas log in with");
        c.replication.password = password(replication, "FIXPOINT_REPLICATION_PASSWORD");
        if (c.replication.password.size() > longest_replication_password)
            replication.fail("password_file",
                             "the password has more than 32 characters, which MySQL refuses for a channel",
                             "give the replication account a shorter one");
        c.replication.tls = replication.boolean("tls", true);
        c.replication.tls_ca = replication.text("tls_ca", "");
        if (c.replication.tls_ca.empty()) return;
        if (!c.replication.tls)
            replication.fail("tls_ca", "without TLS nothing is verified",
                             "set tls to true, or remove tls_ca");
        if (!fs::path(c.replication.tls_ca).is_absolute())
            replication.fail("tls_ca", c.replication.tls_ca + " is no absolute path",
                             "name the file as it lies on every MySQL server: they read it");
    }

    void read_shards(JsonSection& root, Configuration& c) {
        for (const std::string& text : root.texts("shards")) {
            auto shard = parse_shard(text);
            if (!shard) root.fail("shards", shard.error(), "write keyspace/shard, as in commerce/0");
            if (std::ranges::find(c.shards, *shard) != c.shards.end())
                root.fail("shards", in_quotes(text) + " is there twice", "remove one of the two");
            c.shards.push_back(*std::move(shard));
        }
    }

    void read_log(JsonSection& root, Configuration& c) {
        std::string format = "text";
        if (root.has("log")) {
            JsonSection log(document_, root.at("log"), "log");
            log.only({"format", "level", "file"});
            format = log.text("format", format);
            c.log.level = log.text("level", c.log.level);
            c.log.file = relative_to(file_, log.text("file", ""));
        }
        if (const auto value = environment_("FIXPOINT_LOG_FORMAT")) format = *value;
        if (!flags_.log_format.empty()) format = flags_.log_format;
        if (!flags_.log_level.empty()) c.log.level = flags_.log_level;
        if (format != "text" && format != "json")
            document_.fail("log.format",
                           in_quotes(format) + " is not known" + did_you_mean(format, {"text", "json"}),
                           "write text or json");
        c.log.format = format == "json" ? LogFormat::json : LogFormat::text;
        const std::vector<std::string> levels{"debug", "info", "warning", "error"};
        if (std::ranges::find(levels, c.log.level) == levels.end())
            document_.fail("log.level",
                           in_quotes(c.log.level) + " is not known" + did_you_mean(c.log.level, levels),
                           "write one of " + joined(levels));
    }

    void read_defaults(JsonSection& root, Configuration& c) {
        if (!root.has("defaults")) return;
        JsonSection defaults(document_, root.at("defaults"), "defaults");
        defaults.only({"durability_policy", "limits"});
        const std::string policy = defaults.text("durability_policy", c.defaults.policy.to_string());
        const auto parsed = DurabilityPolicy::parse(policy);
        if (!parsed)
            defaults.fail("durability_policy", parsed.error(),
                          "write none, semi_sync, semi_sync:2, cross_cell, …");
        c.defaults.policy = *parsed;
        if (defaults.has("limits")) {
            const nlohmann::json goal = {{"limits", defaults.at("limits")}};
            const auto decoded = decode_goal(goal.dump());
            if (!decoded)
                defaults.fail("limits", decoded.error(),
                              "limits are whole milliseconds, as in \"poll_ms\": 1000");
            c.defaults.limits = decoded->limits;
            c.defaults.limits_json = defaults.at("limits").dump();
        }
    }

    fs::path file_;
    const ConfigurationFlags& flags_;
    const Environment& environment_;
    const JsonPlaces& document_;
};

}  // namespace

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* const value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
}

std::expected<ShardName, std::string> parse_shard(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto plain = [](std::string_view part) {
        return !part.empty() && part.find_first_of("/ \t\n'\"`\\") == std::string_view::npos;
    };
    if (slash == std::string_view::npos || !plain(text.substr(0, slash)) || !plain(text.substr(slash + 1)))
        return std::unexpected(fmt::format("\"{}\" is no shard", text));
    return ShardName{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

std::expected<Configuration, ConfigurationError> load_configuration(const fs::path& file,
                                                                    const ConfigurationFlags& flags,
                                                                    const Environment& environment) {
    const std::optional<std::string> text = read_file(file);
    if (!text)
        return std::unexpected(
            ConfigurationError{file.string(), "it cannot be read",
                               "name the configuration with --config FILE or FIXPOINT_CONFIG"});
    try {
        const JsonPlaces document(file.string(), *text);
        return Reader(file, flags, environment, document).read();
    } catch (const ConfigurationError& error) {
        return std::unexpected(error);
    }
}

}  // namespace fixpoint::real
