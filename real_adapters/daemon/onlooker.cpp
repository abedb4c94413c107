// See onlooker.hpp.
#include "real_adapters/daemon/onlooker.hpp"

namespace fixpoint::real {

namespace {

constexpr const char* only_looks = "this one only looks";

class OnlookerSession final : public SqlSession {
  public:
    explicit OnlookerSession(std::unique_ptr<SqlSession> base) : base_(std::move(base)) {}

    awaitable<sql::Result> execute(sql::Statement statement, Duration limit) override {
        if (sql::is_mutating(statement))
            co_return std::unexpected(
                sql::Error{sql::ErrorKind::server, sql::error_number::option_prevents_statement, only_looks});
        co_return co_await base_->execute(std::move(statement), limit);
    }
    bool broken() const override { return base_->broken(); }
    std::uint64_t connection_id() const override { return base_->connection_id(); }
    void on_broken(std::function<void()> callback) override { base_->on_broken(std::move(callback)); }

  private:
    std::unique_ptr<SqlSession> base_;
};

// `over` laid over what the base listed.
std::vector<topo::Listed> laid_over(std::vector<topo::Listed> listed,
                                    const std::map<std::string, std::string>& over,
                                    const std::string& prefix) {
    for (const auto& [path, bytes] : over) {
        if (!path.starts_with(prefix)) continue;
        std::erase_if(listed, [&](const topo::Listed& item) { return item.path == path; });
        listed.push_back({path, {bytes, 1}});
    }
    return listed;
}

}  // namespace

OnlookerStore::OnlookerStore(topo::Store* base, std::vector<ProposedRecord> proposed) : StoreDecorator(base) {
    for (ProposedRecord& record : proposed) proposed_[record.cell][record.path] = std::move(record.bytes);
}

bool OnlookerStore::proposes_cell(const std::string& cell) const {
    return proposed_.contains(cell);
}

awaitable<topo::Result<std::optional<topo::Value>>> OnlookerStore::get(std::string path, Duration limit) {
    if (const auto global = proposed_.find(""); global != proposed_.end()) {
        if (const auto it = global->second.find(path); it != global->second.end())
            co_return std::optional<topo::Value>(topo::Value{it->second, 1});
    }
    if (base() == nullptr) co_return std::optional<topo::Value>();
    co_return co_await base()->get(std::move(path), limit);
}

awaitable<topo::Result<std::vector<topo::Listed>>> OnlookerStore::list(std::string prefix, Duration limit) {
    topo::Result<std::vector<topo::Listed>> listed;
    if (base() != nullptr) listed = co_await base()->list(prefix, limit);
    if (!listed || !proposes_cell("")) co_return listed;
    co_return laid_over(*std::move(listed), proposed_.at(""), prefix);
}

awaitable<topo::Result<std::vector<topo::Listed>>> OnlookerStore::list_cell(std::string cell,
                                                                            std::string prefix,
                                                                            Duration limit) {
    topo::Result<std::vector<topo::Listed>> listed;
    if (base() != nullptr) listed = co_await base()->list_cell(cell, prefix, limit);
    if (!proposes_cell(cell)) co_return listed;
    // A cell that is only proposed does not exist yet.
    co_return laid_over(listed ? *std::move(listed) : std::vector<topo::Listed>{}, proposed_.at(cell),
                        prefix);
}

awaitable<topo::Result<std::optional<topo::LockHolder>>> OnlookerStore::lock_holder(std::string path,
                                                                                    Duration limit) {
    if (base() == nullptr) co_return std::optional<topo::LockHolder>();
    co_return co_await base()->lock_holder(std::move(path), limit);
}

std::optional<topo::Error> OnlookerStore::refusal() const {
    return topo::Error{topo::ErrorKind::unreachable, only_looks};
}
// Whoever looks once waits for nothing.
void OnlookerStore::on_change(std::function<void()> /*callback*/) {}

awaitable<std::expected<std::unique_ptr<SqlSession>, sql::Error>> OnlookerConnector::connect(
    MysqlAddress address, Duration limit) {
    auto session = co_await base_.connect(std::move(address), limit);
    if (!session) co_return std::unexpected(std::move(session.error()));
    co_return std::make_unique<OnlookerSession>(*std::move(session));
}

}  // namespace fixpoint::real
