// Opening: nothing is made unless asked for, everything that is no store of ours is refused with the place
// and the remedy, and is left as it was.
#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "property_tests/store_contract/child.hpp"
#include "property_tests/store_contract/faulty_vfs.hpp"
#include "property_tests/store_contract/solo.hpp"

namespace fixpoint::store_contract {
namespace {

using real::SqliteError;
using real::SqliteFault;
using real::SqliteOptions;
using ::testing::HasSubstr;

// What opening it is refused with; fails where it is not.
SqliteError refused(const std::filesystem::path& file, SqliteOptions options = {}) {
    boost::asio::io_context loop;
    const BootClock clock(boot_now);
    const auto opened = real::SqliteStore::open(loop.get_executor(), clock, file, std::move(options));
    if (!opened) return opened.error();
    ADD_FAILURE() << file << " was opened";
    return {};
}

void run_sql(const std::filesystem::path& file, const std::string& sql) {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &connection), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(connection);
    sqlite3_close(connection);
}

std::string content(const std::filesystem::path& file) {
    std::ostringstream bytes;
    bytes << std::ifstream(file, std::ios::binary).rdbuf();
    return bytes.str();
}

void write_file(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

TEST(SqliteOpen, a_missing_file_is_made_only_when_asked_for) {
    const Directory directory;
    const SqliteError error = refused(directory.file());
    EXPECT_EQ(error.fault, SqliteFault::missing);
    EXPECT_THAT(error.text, HasSubstr(directory.file().string()));
    EXPECT_THAT(error.text, HasSubstr("fixpoint init"));
    EXPECT_FALSE(std::filesystem::exists(directory.file()));
    {
        Solo(directory.file(), creating()).put("a", "1", 0);
    }
    Solo again(directory.file(), {});
    EXPECT_EQ(again.await(again.store().get("a", 2s)).value()->bytes, "1");
}

TEST(SqliteOpen, making_one_that_is_there_changes_nothing_of_it) {
    const Directory directory;
    topo::Version version = 0;
    {
        version = Solo(directory.file(), creating()).put("a", "1", 0);
    }
    Solo again(directory.file(), creating());
    EXPECT_EQ(again.await(again.store().get("a", 2s)).value()->version, version);
    EXPECT_GT(again.put("a", "2", version), version) << "versions go on where they were";
}

TEST(SqliteOpen, a_missing_directory_is_not_made) {
    const Directory directory;
    const SqliteError error = refused(directory.path() / "no" / "topology.db", creating());
    EXPECT_EQ(error.fault, SqliteFault::missing);
    EXPECT_THAT(error.text, HasSubstr((directory.path() / "no").string()));
}

TEST(SqliteOpen, a_directory_is_no_store) {
    const Directory directory;
    EXPECT_EQ(refused(directory.path()).fault, SqliteFault::not_a_store);
}

TEST(SqliteOpen, what_is_no_database_is_left_alone) {
    const Directory directory;
    const std::string text = "{\"shards\": []} and so on, longer than any header of a database would be: " +
                             std::string(1000, '.');
    write_file(directory.file(), text);
    for (const SqliteOptions& options : {SqliteOptions{}, creating()}) {
        const SqliteError error = refused(directory.file(), options);
        EXPECT_EQ(error.fault, SqliteFault::not_a_store) << error.text;
        EXPECT_THAT(error.text, HasSubstr(directory.file().string()));
    }
    EXPECT_EQ(content(directory.file()), text);
}

TEST(SqliteOpen, another_programs_database_is_left_alone) {
    const Directory directory;
    run_sql(directory.file(), "CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x')");
    const std::string before = content(directory.file());
    for (const SqliteOptions& options : {SqliteOptions{}, creating()})
        EXPECT_EQ(refused(directory.file(), options).fault, SqliteFault::not_a_store);
    EXPECT_EQ(content(directory.file()), before);
}

TEST(SqliteOpen, an_empty_file_is_completed_by_init_only) {
    const Directory directory;
    write_file(directory.file(), "");
    const SqliteError error = refused(directory.file());
    EXPECT_EQ(error.fault, SqliteFault::not_a_store);
    EXPECT_THAT(error.text, HasSubstr("fixpoint init"));
    EXPECT_GT(Solo(directory.file(), creating()).put("a", "1", 0), 0);
}

TEST(SqliteOpen, an_unknown_schema_is_refused) {
    const Directory directory;
    {
        Solo(directory.file(), creating()).put("a", "1", 0);
    }
    run_sql(directory.file(), "PRAGMA user_version = 2");
    const SqliteError error = refused(directory.file(), creating());
    EXPECT_EQ(error.fault, SqliteFault::other_schema);
    EXPECT_THAT(error.text, HasSubstr("version 2"));
    run_sql(directory.file(), "PRAGMA user_version = 1");
    Solo again(directory.file(), {});
    EXPECT_EQ(again.await(again.store().get("a", 2s)).value()->bytes, "1");
}

TEST(SqliteOpen, a_damaged_file_is_named) {
    const Directory directory;
    {
        Solo solo(directory.file(), creating());
        for (int i = 0; i < 200; ++i) solo.put("record" + std::to_string(i), std::string(500, 'x'), 0);
    }
    std::string bytes = content(directory.file());
    ASSERT_GT(bytes.size(), 40'000U);
    for (std::size_t at = 8192; at < 30'000; ++at) bytes[at] = static_cast<char>(at * 7);
    write_file(directory.file(), bytes);
    const SqliteError error = refused(directory.file());
    EXPECT_EQ(error.fault, SqliteFault::damaged) << error.text;
    EXPECT_THAT(error.text, HasSubstr(directory.file().string()));
    EXPECT_THAT(error.text, HasSubstr("backup"));
}

TEST(SqliteOpen, a_file_that_was_cut_short_is_named) {
    const Directory directory;
    {
        Solo solo(directory.file(), creating());
        for (int i = 0; i < 200; ++i) solo.put("record" + std::to_string(i), std::string(500, 'x'), 0);
    }
    std::filesystem::resize_file(directory.file(), 20'000);
    EXPECT_EQ(refused(directory.file()).fault, SqliteFault::damaged);
}

TEST(SqliteOpen, a_network_file_system_is_refused) {
    const Directory directory;
    for (const char* kind : {"nfs4", "cifs", "fuse.sshfs"}) {
        SqliteOptions options = creating();
        std::filesystem::path asked;
        options.machine.foreign_file_system = [&](const std::filesystem::path& place) {
            asked = place;
            return std::string(kind);
        };
        const SqliteError error = refused(directory.file(), options);
        EXPECT_EQ(error.fault, SqliteFault::not_local);
        EXPECT_THAT(error.text, HasSubstr(kind));
        EXPECT_THAT(error.text, HasSubstr("local"));
        EXPECT_EQ(asked, directory.path()) << "where the file would be";
    }
    EXPECT_FALSE(std::filesystem::exists(directory.file()));
    EXPECT_EQ(real::SqliteMachine::real().foreign_file_system(directory.path()), "") << "a local one";
}

TEST(SqliteOpen, a_file_that_may_not_be_written_is_named) {
    const Directory directory;
    {
        Solo(directory.file(), creating()).put("a", "1", 0);
    }
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0555));
    std::filesystem::permissions(directory.file(), std::filesystem::perms(0444));
    Child nobody([&](const Child::Parent& parent) {
        if (::geteuid() == 0 && ::setuid(65534) != 0) throw std::runtime_error("cannot be nobody");
        const SqliteError error = refused(directory.file());
        parent.tell(std::to_string(static_cast<int>(error.fault)) + " " + error.text);
    });
    const std::string said = nobody.line().value();
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
    EXPECT_THAT(said, ::testing::StartsWith(std::to_string(static_cast<int>(SqliteFault::not_permitted))));
    EXPECT_THAT(said, HasSubstr(directory.file().string()));
}

TEST(SqliteOpen, a_disk_that_fails_is_named) {
    const Directory directory;
    {
        Solo(directory.file(), creating()).put("a", "1", 0);
    }
    SqliteOptions options;
    options.machine.vfs = FaultyVfs::name();
    FaultyVfs::hook([](DiskCall call) {
        return call.what == DiskCall::What::open && call.file == DiskCall::File::log ? SQLITE_CANTOPEN : 0;
    });
    const SqliteError error = refused(directory.file(), options);
    FaultyVfs::hook(nullptr);
    EXPECT_EQ(error.fault, SqliteFault::io);
    EXPECT_THAT(error.text, HasSubstr(directory.file().string()));
}

TEST(SqliteOpen, a_machine_without_a_boot_id_is_refused) {
    const Directory directory;
    SqliteOptions options = creating();
    options.machine.boot_id = [] { return std::string(); };
    EXPECT_THAT(refused(directory.file(), options).text, HasSubstr("/proc"));
    EXPECT_FALSE(std::filesystem::exists(directory.file()));
}

}  // namespace
}  // namespace fixpoint::store_contract
