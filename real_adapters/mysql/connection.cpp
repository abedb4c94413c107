// The common subset of MariaDB's connector and Oracle's libmysqlclient; they differ in how TLS is asked for.
#include "real_adapters/mysql/connection.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <mysql.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <mutex>

#include "real_adapters/mysql/render.hpp"

namespace fixpoint::real {

namespace {

constexpr int first_client_error = 2000;
constexpr int last_client_error = 2999;
constexpr int no_tls_offered = 2026;  // CR_SSL_CONNECTION_ERROR
constexpr int local_refused = 2002;   // CR_CONNECTION_ERROR
constexpr int unknown_host = 2005;    // CR_UNKNOWN_HOST
constexpr int not_supported_yet = 1235;
constexpr unsigned long oldest_version = 80400;  // as the client library counts

// Beyond any limit of ours: the caller's is kept by break_off(), this only saves a thread that everybody
// forgot.
constexpr unsigned forgotten_after_s = 3600;

bool is_client_error(int number) {
    return number >= first_client_error && number <= last_client_error;
}

void initialise_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        mysql_library_init(0, nullptr, nullptr);
        std::signal(SIGPIPE,
                    SIG_IGN);  // a server that has gone is an error of one statement, not the end of us
    });
}

// The library keeps state per thread, and asks to be told when a thread ends.
struct ThreadState {
    ThreadState() { mysql_thread_init(); }
    ~ThreadState() { mysql_thread_end(); }
};

void initialise_thread() {
    initialise_library();
    thread_local const ThreadState state;
    static_cast<void>(state);
    // A TLS session that ends badly leaves its complaint in the thread's queue, where the next call on
    // another session would find it and take it for its own: a healthy session would be given up.
    ERR_clear_error();
}

// What the server said before TLS was there, the client library hides in a text of its own: who is full is
// alive, and must not be taken for nobody.
int number_before_tls(std::string_view text) {
    constexpr std::string_view before_tls = "Received error packet before completion of TLS handshake";
    const std::size_t end = text.rfind(" - ");
    if (!text.starts_with(before_tls) || end == std::string_view::npos) return 0;
    const std::size_t begin = text.rfind(' ', end - 1) + 1;
    int number = 0;
    std::from_chars(text.data() + begin, text.data() + end, number);
    return number;
}

sql::Error login_error(MYSQL* mysql, bool over_tcp) {
    int number = static_cast<int>(mysql_errno(mysql));
    if (const int said = number_before_tls(mysql_error(mysql)); said != 0) number = said;
    sql::Error error{sql::ErrorKind::refused, number, mysql_error(mysql)};
    if (!is_client_error(number)) return error;
    const bool refused =
        number == local_refused || number == sql::error_number::cannot_connect || number == unknown_host;
    if (!refused) error.kind = sql::ErrorKind::lost;
    if (over_tcp && number == local_refused)
        error.number = sql::error_number::cannot_connect;  // one number for one thing
    return error;
}

sql::Error statement_error(MYSQL* mysql) {
    // A failure without a number would be taken for a success somewhere: it is a loss.
    const int number =
        mysql_errno(mysql) != 0 ? static_cast<int>(mysql_errno(mysql)) : sql::error_number::server_lost;
    const bool lost = is_client_error(number);
    return {lost ? sql::ErrorKind::lost : sql::ErrorKind::server, number, mysql_error(mysql)};
}

void ask_for_tls(MYSQL* mysql, const Login& login, bool with_tls) {
    const bool verify = with_tls && !login.tls_ca.empty();
    if (verify) mysql_options(mysql, MYSQL_OPT_SSL_CA, login.tls_ca.c_str());
#ifdef LIBMARIADB
    const my_bool enforce = with_tls;
    const my_bool verify_server = verify;
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify_server);
#else
    const unsigned mode = !with_tls ? SSL_MODE_DISABLED
                          : verify  ? SSL_MODE_VERIFY_IDENTITY
                                    : SSL_MODE_REQUIRED;
    const bool ask_for_key = !with_tls;
    mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode);
    mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &ask_for_key);
#endif
}

Rows read_rows(MYSQL_RES* result) {
    Rows rows;
    const unsigned width = mysql_num_fields(result);
    const MYSQL_FIELD* const fields = mysql_fetch_fields(result);
    for (unsigned i = 0; i < width; ++i) rows.columns.emplace_back(fields[i].name);
    while (const MYSQL_ROW row = mysql_fetch_row(result)) {
        const unsigned long* const lengths = mysql_fetch_lengths(result);
        std::vector<Field>& fields_of_row = rows.rows.emplace_back(width);
        for (unsigned i = 0; i < width; ++i) {
            if (row[i] != nullptr) fields_of_row[i].emplace(row[i], lengths[i]);
        }
    }
    return rows;
}

}  // namespace

struct Connection::Handle {
    MYSQL mysql{};
    Handle() { mysql_init(&mysql); }
    ~Handle() { mysql_close(&mysql); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
};

std::expected<std::shared_ptr<Connection>, sql::Error> Connection::open(const MysqlAddress& address,
                                                                        const Login& login,
                                                                        std::chrono::nanoseconds limit) {
    const auto begun = std::chrono::steady_clock::now();
    const bool with_tls = login.tls != Tls::off;
    auto first = open(address.host.c_str(), address.port, nullptr, login, limit, with_tls);
    // With a CA there is nothing to fall back to: its complaint bears the same number.
    const bool insists = login.tls == Tls::required || !login.tls_ca.empty();
    if (first || !with_tls || insists || first.error().number != no_tls_offered) return first;
    const auto left = limit - (std::chrono::steady_clock::now() - begun);
    return open(address.host.c_str(), address.port, nullptr, login, left, false);
}

std::expected<std::shared_ptr<Connection>, sql::Error> Connection::open_local(
    const std::string& socket_path, const Login& login, std::chrono::nanoseconds limit) {
    return open("localhost", 0, socket_path.c_str(), login, limit, false);
}

std::expected<std::shared_ptr<Connection>, sql::Error> Connection::open(const char* host, unsigned port,
                                                                        const char* socket_path,
                                                                        const Login& login,
                                                                        std::chrono::nanoseconds limit,
                                                                        bool with_tls) {
    initialise_thread();
    auto handle = std::make_unique<Handle>();
    MYSQL* const mysql = &handle->mysql;
    const auto whole = std::chrono::ceil<std::chrono::seconds>(limit).count();
    const auto connect_s = static_cast<unsigned>(std::max<std::int64_t>(whole, 1));
    const unsigned protocol = socket_path != nullptr ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &forgotten_after_s);
    mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &forgotten_after_s);
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    ask_for_tls(mysql, login, with_tls);

    const auto begun = std::chrono::steady_clock::now();
    if (mysql_real_connect(mysql, host, login.user.c_str(), login.password.c_str(), nullptr, port,
                           socket_path, CLIENT_MULTI_STATEMENTS) == nullptr) {
        sql::Error error = login_error(mysql, socket_path == nullptr);
        const bool in_time = std::chrono::steady_clock::now() - begun < limit;
        if (!in_time && is_client_error(error.number))
            error = {sql::ErrorKind::timed_out, 0, std::move(error.text)};
        return std::unexpected(std::move(error));
    }
    std::shared_ptr<Connection> connection(new Connection(std::move(handle)));
    if (connection->is_mariadb()) return connection;
    if (connection->is_too_old())
        return std::unexpected(sql::Error{sql::ErrorKind::refused, not_supported_yet,
                                          fmt::format("it is MySQL {}, and 8.4 is the oldest that can be led",
                                                      connection->server_version())});
    RawAnswer setup = connection->query(session_setup());
    if (setup.error) return std::unexpected(*std::move(setup.error));
    return connection;
}

Connection::Connection(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {
#ifdef LIBMARIADB
    const int own = static_cast<int>(mysql_get_socket(&handle_->mysql));
#else
    const int own = static_cast<int>(handle_->mysql.net.fd);
#endif
    descriptor_ = ::fcntl(own, F_DUPFD_CLOEXEC, 0);
}

Connection::~Connection() {
    initialise_thread();
    handle_.reset();
    if (descriptor_ >= 0) ::close(descriptor_);
}

RawAnswer Connection::query(std::string_view text) {
    initialise_thread();
    MYSQL* const mysql = &handle_->mysql;
    RawAnswer answer;
    bool failed = mysql_real_query(mysql, text.data(), text.size()) != 0;
    for (bool more = !failed; more;) {
        MYSQL_RES* const result = mysql_store_result(mysql);
        failed = result == nullptr && mysql_errno(mysql) != 0;
        if (failed) break;
        answer.results.push_back(result != nullptr ? read_rows(result) : Rows{});
        if (result != nullptr) mysql_free_result(result);
        const int status = mysql_next_result(mysql);  // -1: there is no more, and all went well
        failed = status > 0;
        more = status == 0;
    }
    if (failed) answer.error = statement_error(mysql);
    return answer;
}

void Connection::break_off() noexcept {
    if (descriptor_ >= 0) ::shutdown(descriptor_, SHUT_RDWR);
}

std::uint64_t Connection::id() const {
    return mysql_thread_id(&handle_->mysql);
}

std::string Connection::server_version() const {
    return mysql_get_server_info(&handle_->mysql);
}

bool Connection::is_mariadb() const {
    return server_version().find("MariaDB") != std::string::npos;
}

bool Connection::is_too_old() const {
    return !is_mariadb() && mysql_get_server_version(&handle_->mysql) < oldest_version;
}

bool Connection::seen_closed() const {
    pollfd waiting{descriptor_, POLLIN | POLLRDHUP, 0};
    return ::poll(&waiting, 1, 0) > 0;
}

}  // namespace fixpoint::real
