// One connection to a server over the C client library, blocking, one statement at a time. Knows packets,
// rows and error numbers; neither the statements of the seam nor an event loop. break_off() may be called
// from any thread, and is what ends a call that takes too long. It never retries and never reconnects.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "fixpoint/model/tablet.hpp"
#include "real_adapters/mysql/rows.hpp"

namespace fixpoint::real {

enum class Tls { off, where_offered, required };

struct Login {
    std::string user;
    std::string password;
    Tls tls = Tls::where_offered;
    std::string tls_ca;  // a file; empty: encrypted, but the server is not verified
};

class Connection {
  public:
    // Bounds the connecting and the login together, to the next whole second.
    static std::expected<std::shared_ptr<Connection>, sql::Error> open(const MysqlAddress& address,
                                                                       const Login& login,
                                                                       std::chrono::nanoseconds limit);

    // Over a unix socket, for tests and for people on the machine itself.
    static std::expected<std::shared_ptr<Connection>, sql::Error> open_local(const std::string& socket_path,
                                                                             const Login& login,
                                                                             std::chrono::nanoseconds limit);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Sends one packet and reads every result of it. After an error of kind lost the connection is of no use.
    RawAnswer query(std::string_view text);

    // Ends what is under way, from any thread: its query() returns with 2013. The socket stays owned until
    // the end.
    void break_off() noexcept;

    std::uint64_t id() const;
    std::string server_version() const;
    bool is_mariadb() const;
    bool is_too_old() const;

    // The socket, for polling only (its reading is the library's). Valid as long as this object.
    int descriptor() const { return descriptor_; }

    // Readable while nothing is asked: the server has closed it, or said a last word before doing so.
    bool seen_closed() const;

  private:
    struct Handle;
    static std::expected<std::shared_ptr<Connection>, sql::Error> open(const char* host, unsigned port,
                                                                       const char* socket_path,
                                                                       const Login& login,
                                                                       std::chrono::nanoseconds limit,
                                                                       bool with_tls);
    explicit Connection(std::unique_ptr<Handle> handle);

    std::unique_ptr<Handle> handle_;
    int descriptor_ =
        -1;  // a duplicate: the library closes its own at an error, and the number is then another's
};

}  // namespace fixpoint::real
