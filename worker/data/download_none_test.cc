#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worker/data/dataset.h"
#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

using sweep::testing::DataErrorOf;
using sweep::testing::ScopedVariable;
using sweep::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(DownloadNone, MnistThatIsNotThereGivesTheReasonAndAdvice) {
  const TemporaryFolder folder;
  const ScopedVariable data_dir("SWEEP_DATA_DIR", std::nullopt);
  const ScopedVariable cache("XDG_CACHE_HOME", folder.path());
  EXPECT_THAT(DataErrorOf([] { EnsureMnist({}); }),
              AllOf(HasSubstr(folder / "sweep/mnist"), HasSubstr("this build cannot download"),
                    HasSubstr("--data-dir")));
}

}  // namespace
}  // namespace sweep
