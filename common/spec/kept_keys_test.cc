#include "common/spec/kept_keys.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"

namespace sweep {
namespace {

const std::vector<std::pair<std::string, std::string>> kAdded = {{"name", "b"},
                                                                 {"try_first", "[{\"lr\": 0.1}]"}};

TEST(KeptKeys, KeepTheirBytes) {
  const auto made = WithKeptKeys(
      "# first\nname: a\nmodel: cnn-18718  # as built in\nparameters:\n  lr: {min: 0.1, max: 1}\n\n"
      "  momentum: 0.9\nrun_cap: 5\nepochs: 3",
      {"model", "parameters", "epochs"}, kAdded);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(*made,
            "model: cnn-18718  # as built in\nparameters:\n  lr: {min: 0.1, max: 1}\n\n"
            "  momentum: 0.9\nepochs: 3\nname: b\ntry_first: [{\"lr\": 0.1}]\n");
}

TEST(KeptKeys, OfAFileInFlowStyleToo) {
  const auto made = WithKeptKeys("{\"name\": \"a\", \"model\": \"cnn-18718\",\n \"epochs\": 3 }\n",
                                 {"model", "epochs"}, kAdded);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(
      *made,
      "{\"model\": \"cnn-18718\",\n \"epochs\": 3,\n name: b,\n try_first: [{\"lr\": 0.1}]}\n");
}

TEST(KeptKeys, AnAnchorThatGoesIsAnError) {
  const std::string text = "run_cap: &n 5\nepochs: *n\n";
  EXPECT_TRUE(WithKeptKeys(text, {"run_cap", "epochs"}, {}).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(WithKeptKeys(text, {"epochs"}, {}).status()));
}

}  // namespace
}  // namespace sweep
