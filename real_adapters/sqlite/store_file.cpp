// See store_file.hpp. A new file gets its schema, its number and its first row in one transaction, so a
// process that dies while it makes one leaves an empty database, which the next `init` completes and
// everybody else refuses.
#include "real_adapters/sqlite/store_file.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <chrono>
#include <optional>
#include <thread>

#include "real_adapters/sqlite/writer.hpp"

namespace fixpoint::real {
namespace {

constexpr std::int64_t application = 0x46785074;  // "FxPt", in the header of every file of ours
constexpr std::int64_t schema_version = 1;
constexpr auto opening_at_most = std::chrono::seconds(1);  // in a file that somebody keeps busy
constexpr int busy_at_opening_ms = 50;

// A lock's id is never given twice: AUTOINCREMENT remembers the greatest, which a plain rowid does not.
constexpr const char* schema = R"(
CREATE TABLE global_record (
    path TEXT PRIMARY KEY NOT NULL, bytes BLOB NOT NULL, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cell_record (
    cell TEXT NOT NULL, path TEXT NOT NULL, bytes BLOB NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (cell, path)) STRICT, WITHOUT ROWID;
CREATE TABLE shard_lock (
    id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, content BLOB NOT NULL,
    deadline_ns INTEGER NOT NULL, boot_id TEXT NOT NULL) STRICT;
CREATE TABLE change_counter (
    one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL) STRICT;
INSERT INTO change_counter VALUES (1, 0);
)";

SqliteError refusal(SqliteFault fault, std::string text) {
    return {fault, std::move(text)};
}

enum class Content { ours, empty };

// What stands in the file; throws where it is somebody else's. Within a transaction: it may be being made.
Content content_of(Database& database, const std::filesystem::path& file) {
    const std::int64_t made_by = database.ask_number("PRAGMA application_id");
    const std::int64_t version = database.ask_number("PRAGMA user_version");
    if (made_by == application && version == schema_version) return Content::ours;
    if (made_by == application)
        throw refusal(SqliteFault::other_schema,
                      fmt::format("{} has schema version {}, and this program knows {} only: use the program "
                                  "that made it, or a newer one",
                                  file.string(), version, schema_version));
    if (made_by == 0 && version == 0 && database.ask_number("SELECT count(*) FROM sqlite_schema") == 0)
        return Content::empty;
    throw refusal(SqliteFault::not_a_store,
                  fmt::format("{} is a database of another program: name the topology store's own file",
                              file.string()));
}

// Why this place cannot hold a store; nothing where it can.
std::optional<SqliteError> unfit(const std::filesystem::path& file, const SqliteOptions& options) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(file, error);
    const bool exists = std::filesystem::exists(status);
    if (status.type() == std::filesystem::file_type::none)
        return refusal(SqliteFault::not_permitted,
                       fmt::format("{} cannot be looked at: {}", file.string(), error.message()));
    if (!exists && !options.create)
        return refusal(
            SqliteFault::missing,
            fmt::format("there is no topology store at {}: `fixpoint init` makes it, or name the file "
                        "that holds it",
                        file.string()));
    if (exists && !std::filesystem::is_regular_file(status))
        return refusal(
            SqliteFault::not_a_store,
            fmt::format("{} is no regular file: name the topology store's own file", file.string()));
    const std::filesystem::path place = exists ? file : std::filesystem::absolute(file).parent_path();
    if (!std::filesystem::exists(place, error))
        return refusal(
            SqliteFault::missing,
            fmt::format("there is no directory {} for the topology store: make it", place.string()));
    const std::string kind = options.machine.foreign_file_system(place);
    if (kind.empty()) return std::nullopt;
    return refusal(
        SqliteFault::not_local,
        fmt::format("{} is on a file system of kind {}, where SQLite's locks are not to be relied on: "
                    "put the topology store on a local disk, or use a store of several machines",
                    file.string(), kind));
}

}  // namespace

std::expected<std::unique_ptr<StoreFile>, SqliteError> StoreFile::open(const std::filesystem::path& file,
                                                                       const SqliteOptions& options) {
    if (std::optional<SqliteError> why = unfit(file, options)) return std::unexpected(*std::move(why));
    std::unique_ptr<StoreFile> opened(new StoreFile);
    opened->path_ = file;
    opened->machine_ = options.machine;
    opened->boot_id_ = options.machine.boot_id();
    if (opened->boot_id_.empty())
        return std::unexpected(refusal(SqliteFault::io, "the machine's boot id cannot be read: mount /proc"));
    // Some locks of the opening (the change to WAL) are not waited for by SQLite itself.
    for (const auto deadline = std::chrono::steady_clock::now() + opening_at_most;;) {
        try {
            opened->make(options.create);
            return opened;
        } catch (const SqliteTrouble& trouble) {
            if (!trouble.busy()) return std::unexpected(explain(trouble, file));
            if (std::chrono::steady_clock::now() >= deadline) {
                SqliteError busy = explain(trouble, file);
                const Writer writer = writer_of(opened->path_);
                if (!writer.processes.empty()) busy.text += ": " + writer.to_text();
                return std::unexpected(std::move(busy));
            }
        } catch (SqliteError& error) {
            return std::unexpected(std::move(error));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

void StoreFile::make(bool create) {
    database_ = std::make_unique<Database>(path_, create, machine_.vfs);
    database_->wait_while_busy(busy_at_opening_ms);
    if (database_->read_only()) throw SqliteTrouble(SQLITE_READONLY, "opened for reading only", 0);
    std::error_code vanished;  // then it will be missed below, and each call will say so
    const std::filesystem::path whole = std::filesystem::canonical(path_, vanished);
    if (!vanished) path_ = whole;
    struct stat status{};
    if (::stat(path_.c_str(), &status) == 0) {
        device_ = status.st_dev;
        inode_ = status.st_ino;
    }
    const Content found = [this] {
        Transaction snapshot(*database_, Transaction::Kind::read);
        return content_of(*database_, path_);
    }();
    if (found == Content::empty && !create)
        throw refusal(
            SqliteFault::not_a_store,
            fmt::format("{} is an empty database, as is left when its making is interrupted: `fixpoint "
                        "init` completes it",
                        path_.string()));
    if (database_->ask_text("PRAGMA journal_mode") != "wal" &&
        database_->ask_text("PRAGMA journal_mode = WAL") != "wal")
        throw refusal(SqliteFault::io,
                      fmt::format("{} cannot keep a write-ahead log where it is: put it on a "
                                  "local disk",
                                  path_.string()));
    database_->execute("PRAGMA synchronous = FULL");
    if (found == Content::empty) {
        Transaction making(*database_, Transaction::Kind::write);
        if (content_of(*database_, path_) == Content::empty) {  // nobody was faster
            database_->execute(schema);
            database_->execute(fmt::format("PRAGMA application_id = {}", application).c_str());
            database_->execute(fmt::format("PRAGMA user_version = {}", schema_version).c_str());
            making.commit();
        }
    }
    if (database_->ask_text("PRAGMA quick_check(1)") != "ok")
        throw SqliteTrouble(SQLITE_CORRUPT, "quick_check has found it", 0);
    database_->wait_while_busy(0);
}

bool StoreFile::still_there() const {
    struct stat status{};
    return ::stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

topo::Error StoreFile::gone() const {
    return {topo::ErrorKind::unreachable,
            fmt::format("{} was removed or replaced while this process had it open: start the process again",
                        path_.string())};
}

}  // namespace fixpoint::real
