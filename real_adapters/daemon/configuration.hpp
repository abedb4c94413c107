// The one configuration file: JSON with comments, under the environment and the command line. What is wrong
// in it is a value with its place and its remedy; an unknown key is wrong. Passwords come from a file of
// their own or from the environment; there is no key and no flag to write one into.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fixpoint/model/durability.hpp"
#include "fixpoint/model/limits.hpp"
#include "fixpoint/model/tablet.hpp"
#include "real_adapters/mysql/connection.hpp"
#include "real_adapters/mysql/render.hpp"

namespace fixpoint::real {

enum class LogFormat { text, json };

struct LogOptions {
    LogFormat format = LogFormat::text;
    std::string level = "info";  // debug, info, warning, error
    std::filesystem::path file;  // empty: standard error
};

// What `init` declares where its command line says nothing.
struct DeclarationDefaults {
    DurabilityPolicy policy{DurabilityName::semi_sync, 1};
    Limits limits;
    std::string limits_json = "{}";  // as in the file, for the goal
};

struct Configuration {
    std::filesystem::path file;
    std::filesystem::path store;  // the SQLite file
    std::string manager_name;     // in lock contents, operation ids, the log
    Login manager;
    ReplicationCredentials replication;
    std::vector<ShardName> shards;
    LogOptions log;
    std::filesystem::path history;  // empty: none is kept
    DeclarationDefaults defaults;

    std::vector<std::string> secrets() const { return {manager.password, replication.password}; }
};

struct ConfigurationError {
    std::string place;   // fixpoint.json:12: manager.tls
    std::string text;    // what is wrong
    std::string remedy;  // what to do
    std::string to_string() const { return place + ": " + text + "; " + remedy; }
};

// By name: FIXPOINT_STORE, FIXPOINT_MANAGER_PASSWORD, FIXPOINT_REPLICATION_PASSWORD, FIXPOINT_LOG_FORMAT.
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment process_environment();

struct ConfigurationFlags {  // of the command line; they stand above the environment and the file
    std::string store;
    std::string log_format;
    std::string log_level;
};

std::expected<Configuration, ConfigurationError> load_configuration(const std::filesystem::path& file,
                                                                    const ConfigurationFlags& flags,
                                                                    const Environment& environment);

// commerce/0
std::expected<ShardName, std::string> parse_shard(std::string_view text);

}  // namespace fixpoint::real
