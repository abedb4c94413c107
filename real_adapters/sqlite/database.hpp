// One connection to one SQLite file, and its statements: resources that free themselves, and nothing of what
// the file is for. Blocking, for one thread at a time. It never waits for a busy file longer than it was
// told, and never retries. Whatever SQLite complains of is thrown as SqliteTrouble.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "real_adapters/sqlite/trouble.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace fixpoint::real {

class Database;

// A statement that is being used. The next use of the same text needs this one's end.
class Statement {
  public:
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    // Parameters are numbered from 1 in the order of these calls.
    Statement& text(std::string_view value);
    Statement& bytes(std::string_view value);
    Statement& number(std::int64_t value);

    bool next();  // the next row: is there one?
    void run();   // to its end

    // Columns from 0.
    std::string string(int column) const;  // text or bytes, as they are
    std::int64_t integer(int column) const;

  private:
    friend class Database;
    Statement(Database& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
    void check(int code);
    Database& database_;
    sqlite3_stmt* statement_;
    int bound_ = 0;
};

class Database {
  public:
    Database(const std::filesystem::path& file, bool create, const std::string& vfs);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // Prepared at its first use, and kept.
    Statement statement(std::string_view sql);
    void execute(const char* sql);  // several statements without results
    std::int64_t ask_number(std::string_view sql) { return ask<std::int64_t>(sql); }
    std::string ask_text(std::string_view sql) { return ask<std::string>(sql); }

    std::int64_t last_id() const;  // that the last INSERT was given
    void wait_while_busy(int ms);
    bool read_only() const;
    bool in_transaction() const;
    void roll_back() noexcept;  // nothing to roll back is fine

    [[noreturn]] void complain(int code);

  private:
    friend class Statement;
    struct Close {
        void operator()(sqlite3* connection) const;
    };
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    template <class T>
    T ask(std::string_view sql);
    std::unique_ptr<sqlite3, Close> connection_;
    std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements_;
};

// Ends itself by rolling back unless it was committed. `write`: takes the file's write lock at once.
class Transaction {
  public:
    enum class Kind { read, write };
    Transaction(Database& database, Kind kind);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

  private:
    Database& database_;
};

}  // namespace fixpoint::real
