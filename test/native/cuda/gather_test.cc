// Row numbers of tables that are larger than a test can have.
#include "cuda/kernels/gather.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "cuda/kernel_library.h"

namespace ostrich::cuda {
namespace {

// Memory of the device that holds `values`, and what it holds later.
template <class T>
class Values {
 public:
  Values(const std::shared_ptr<Context>& context, const std::vector<T>& values)
      : context_(context), stream_(context), memory_(context, values.size() * sizeof(T), "values"), now_(values) {
    OSTRICH_CU(*context_,
               cuMemcpyHtoDAsync(address(memory_.data()), now_.data(), now_.size() * sizeof(T), stream_.get()));
    stream_.wait();
  }
  T* data() const { return reinterpret_cast<T*>(memory_.data()); }
  const std::vector<T>& now() {
    OSTRICH_CU(*context_,
               cuMemcpyDtoHAsync(now_.data(), address(memory_.data()), now_.size() * sizeof(T), stream_.get()));
    stream_.wait();
    return now_;
  }

 private:
  std::shared_ptr<Context> context_;
  Stream stream_;
  DeviceMemory memory_;
  std::vector<T> now_;
};

constexpr int64_t kManyRows = (int64_t(1) << 31) + 10;
constexpr int32_t kSite = 3, kSmallest = std::numeric_limits<int32_t>::min();

// Beyond 2^31 rows a negative number is a row to whoever takes it for an unsigned one.
TEST(CudaGather, RefusesNegativeRowsOfTheLargestTables) {
  const auto context = std::make_shared<Context>(libraries(), 0, 0);
  KernelLibrary kernels(context);
  Stream stream(context);
  for (const int32_t row : {-1, -5, kSmallest}) {
    Values<float> table(context, {5}), y(context, {7, 7});
    Values<int32_t> index(context, {0, row});
    Values<Fault> fault(context, {Fault{}});
    const GatherArgs args{table.data(), index.data(), y.data(), fault.data(), kSite, 2, kManyRows, make_divisor(1)};
    kernels.get("gather", "gather_4").launch(stream.get(), {1}, 256, args);
    stream.wait();
    EXPECT_EQ(fault.now()[0].site, kSite);
    EXPECT_EQ(fault.now()[0].value, row);
    EXPECT_EQ(fault.now()[0].position, 1);
    EXPECT_EQ(y.now(), (std::vector<float>{5, 0}));
  }
}

TEST(CudaScatterAdd, RefusesNegativeRowsOfTheLargestTables) {
  const auto context = std::make_shared<Context>(libraries(), 0, 0);
  KernelLibrary kernels(context);
  Stream stream(context);
  for (const int32_t row : {-1, -5, kSmallest}) {
    Values<int32_t> keys(context, {0, row}), counts(context, std::vector<int32_t>(kSortTile));
    Values<Fault> fault(context, {Fault{}});
    SortArgs args{};
    args.keys = keys.data();
    args.counts = counts.data();
    args.fault = fault.data();
    args.site = kSite;
    args.n = 2;
    args.rows = kManyRows;
    args.tiles = 1;
    kernels.get("gather", "sort_count").launch(stream.get(), {1}, kSortTile, args);
    stream.wait();
    EXPECT_EQ(fault.now()[0].site, kSite);
    EXPECT_EQ(fault.now()[0].value, row);
    EXPECT_EQ(fault.now()[0].position, 1);
    EXPECT_EQ(counts.now()[0], 2) << "a refused row counts as the first";
  }
}

}  // namespace
}  // namespace ostrich::cuda
