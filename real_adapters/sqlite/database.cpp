// See database.hpp. Statements are kept prepared, since each call of the store runs the same few.
#include "real_adapters/sqlite/database.hpp"

#include <sqlite3.h>

#include <cerrno>

namespace fixpoint::real {

// ---- statements

Statement::~Statement() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Statement::check(int code) {
    if (code != SQLITE_OK) database_.complain(code);
}

// A null pointer would be bound as NULL: an empty value has a pointer all the same.
Statement& Statement::text(std::string_view value) {
    const char* const begin = value.empty() ? "" : value.data();
    check(sqlite3_bind_text64(statement_, ++bound_, begin, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bytes(std::string_view value) {
    const char* const begin = value.empty() ? "" : value.data();
    check(sqlite3_bind_blob64(statement_, ++bound_, begin, value.size(), SQLITE_TRANSIENT));
    return *this;
}

Statement& Statement::number(std::int64_t value) {
    check(sqlite3_bind_int64(statement_, ++bound_, value));
    return *this;
}

bool Statement::next() {
    errno = 0;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) database_.complain(code);
    return false;
}

void Statement::run() {
    while (next()) {
    }
}

std::string Statement::string(int column) const {
    const void* const begin = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return begin == nullptr ? std::string() : std::string(static_cast<const char*>(begin), size);
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

// ---- the connection

void Database::Close::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}
void Database::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Database::Database(const std::filesystem::path& file, bool create, const std::string& vfs) {
    sqlite3* opened = nullptr;
    errno = 0;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (create ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(file.c_str(), &opened, flags, vfs.empty() ? nullptr : vfs.c_str());
    connection_.reset(opened);  // even a failed one is to be closed
    if (code != SQLITE_OK) complain(code);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

Database::~Database() = default;

void Database::complain(int code) {
    const int last_errno = errno;  // SQLite's own note of it is not made in a COMMIT
    if (!connection_) throw SqliteTrouble(code, sqlite3_errstr(code), 0);
    const int family = code & 0xff;
    const bool of_system = family == SQLITE_IOERR || family == SQLITE_CANTOPEN;
    throw SqliteTrouble(code, sqlite3_errmsg(connection_.get()), of_system ? last_errno : 0);
}

Statement Database::statement(std::string_view sql) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        sqlite3_stmt* prepared = nullptr;
        const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                            SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
        std::unique_ptr<sqlite3_stmt, Finalize> owned(prepared);
        if (code != SQLITE_OK) complain(code);
        found = statements_.emplace(std::string(sql), std::move(owned)).first;
    }
    return Statement(*this, found->second.get());
}

void Database::execute(const char* sql) {
    errno = 0;
    const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) complain(code);
}

template <class T>
T Database::ask(std::string_view sql) {
    Statement asked = statement(sql);
    if (!asked.next()) return T{};
    if constexpr (std::is_same_v<T, std::string>)
        return asked.string(0);
    else
        return asked.integer(0);
}
template std::int64_t Database::ask<std::int64_t>(std::string_view);
template std::string Database::ask<std::string>(std::string_view);

std::int64_t Database::last_id() const {
    return sqlite3_last_insert_rowid(connection_.get());
}

void Database::wait_while_busy(int ms) {
    sqlite3_busy_timeout(connection_.get(), ms);
}

bool Database::read_only() const {
    return sqlite3_db_readonly(connection_.get(), "main") == 1;
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(connection_.get()) == 0;
}

void Database::roll_back() noexcept {
    if (in_transaction()) sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

// ---- transactions

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
    database_.statement(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN").run();
}

Transaction::~Transaction() {
    database_.roll_back();
}

void Transaction::commit() {
    try {
        database_.statement("COMMIT").run();
    } catch (SqliteTrouble& trouble) {
        trouble.in_commit = !trouble.busy();
        throw;
    }
}

}  // namespace fixpoint::real
