// See field.h.
#include "program/field.h"

#include <nlohmann/json.hpp>

#include "program/attrs.h"

namespace ostrich::program {

Field Field::member(const char* key) const {
  if (!json_->is_object()) fail("expected an object, got ", describe(*json_));
  const auto found = json_->find(key);
  if (found == json_->end()) fail("expected a member ", key, ", got none");
  return Field(*found, path_.empty() ? key : path_ + "." + key);
}

bool Field::has(const char* key) const { return json_->contains(key); }

Field Field::item(size_t index) const {
  OSTRICH_CHECK(index < size());
  return Field((*json_)[index], path_ + "[" + std::to_string(index) + "]");
}

size_t Field::size() const {
  if (!json_->is_array()) fail("expected a list, got ", describe(*json_));
  return json_->size();
}

int64_t Field::integer(int64_t min, int64_t max) const {
  const bool whole = json_->is_number_integer();
  const bool huge = json_->is_number_unsigned() && json_->get<uint64_t>() > uint64_t(INT64_MAX);
  if (!whole || huge || json_->get<int64_t>() < min || json_->get<int64_t>() > max) {
    fail("expected an integer from ", min, " to ", max, ", got ", describe(*json_));
  }
  return json_->get<int64_t>();
}

const std::string& Field::string() const {
  if (!json_->is_string()) fail("expected a string, got ", describe(*json_));
  return json_->get_ref<const std::string&>();
}

const std::string& Field::name() const {
  const std::string& text = string();
  if (text.empty()) fail("expected a name, got an empty string");
  return text;
}

}  // namespace ostrich::program
