// What every backend's builder keeps of a program while it is built: its steps in order, which storage each touches,
// and how it ends. A state is read as it was before the run by everything, and all assigned values take effect
// together.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "program/program_spec.h"
#include "program/storage.h"

namespace ostrich::program {

class Placement {
 public:
  explicit Placement(const ProgramSpec& program);
  Placement(const Placement&) = delete;
  Placement& operator=(const Placement&) = delete;
  virtual ~Placement() = default;

  // False when nothing reads output `index` (no node, assign or fetch), so that a factory may skip computing it.
  bool is_used(const NodeSpec& node, size_t index) const { return used_[size_t(node.outputs[index])]; }
  // Extents and declared type of output `index`.
  const core::Shape& shape(const NodeSpec& node, size_t index) const;
  core::DType dtype(const NodeSpec& node, size_t index) const;
  // Whether a step that expects the elements of `index` in 0 .. limit - 1 can meet others: false where an earlier step
  // expects the same.
  bool may_fail(const Slot* index, int64_t limit);
  // An index that is made of others holds what they hold, and is checked where all of them are.
  void joins(const std::vector<Slot*>& parts, const Slot* whole);
  // True for a state whose home layout is still open.
  bool homeless(const Slot* slot) const;
  // A step before the one that a factory returns. A state that is read in the layout it has keeps it.
  void add_step(std::unique_ptr<Step> step);

  const ProgramSpec& spec;
  std::deque<Storage> storages;
  Steps steps;
  std::vector<Slot*> feeds, states, fetches;  // in program order; feeds and fetches are row-major

 protected:
  Storage* add_storage(Place place, size_t bytes);
  // The state that a slot looks into; -1 for none.
  int state_of(const Slot* slot) const;
  void keep_home_of(const Slot* slot);
  void add_copy(Slot* source, Slot* target, const char* why);
  // The contents of `slot` as they are now.
  Slot* saved(Slot* slot);
  // Assigned values become the new contents of their states: in place where no later reader needs the old contents and
  // the run can no longer fail, else by a copy after everything else has run.
  void add_assigns();

  // What only the backend knows of a state's buffer, by number of the state.
  virtual bool has_home(size_t state) const = 0;
  virtual void keep_home(size_t state) = 0;
  // A step that copies between two layouts (or two element types) of one value.
  virtual std::unique_ptr<Step> copy_step(Slot* source, Slot* target) = 0;
  // A slot of its own in the arena, of the same type and layout.
  virtual Slot* scratch_like(const Slot* slot) = 0;
  // The form of the value that is nearest to the state that it is assigned to; a state without a home takes the layout
  // of the value.
  virtual Slot* assigned_form(int value, Slot* state) = 0;

  const NodeSpec* current_ = nullptr;  // whose steps are being added

 private:
  struct Checked {
    const Storage* storage;
    size_t offset;
    int64_t count, limit;
  };

  // The smallest limit below which all elements are known to lie; none: -1.
  int64_t limit_of(const Slot* index) const;
  void let_updates_wait();

  std::vector<bool> used_;  // by value id
  std::vector<Checked> checked_;
};

// The elements of a constant, as its declared type.
void write_constant(const Constant& constant, const ValueSpec& value, char* to);

}  // namespace ostrich::program
