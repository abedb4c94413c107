// Small things that people read: tables, ages, the nearest name to a mistyped one, texts without secrets.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fixpoint/model/time.hpp"

namespace fixpoint::real {

// The one of `names` that differs least from `text`; empty where none is near.
std::string nearest(std::string_view text, const std::vector<std::string>& names);
std::string did_you_mean(std::string_view text,
                         const std::vector<std::string>& names);  // " (did you mean …?)"

std::string age_text(Duration age);  // 340 ms, 12 s, 3 min

// Columns as wide as their widest cell; no trailing blanks.
std::string table(const std::vector<std::vector<std::string>>& rows, std::string_view indent = "");

std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ");

// Takes passwords out of whatever may have caught one: MySQL repeats parts of a statement in its errors.
class Redactor {
  public:
    Redactor() = default;
    explicit Redactor(std::vector<std::string> secrets);
    std::string operator()(std::string text) const;

  private:
    std::vector<std::string> secrets_;
};

}  // namespace fixpoint::real
