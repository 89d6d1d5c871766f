#include "coordinator/http/page_routes.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Optional;

TEST(PageRoutes, AnAddressLeadsToItsRouteBehindTheHash) {
  EXPECT_THAT(PageRoute("/sweeps", ""), Optional(std::string("./#/sweeps")));
  EXPECT_THAT(PageRoute("/sweeps/", ""), Optional(std::string("../#/sweeps/")));
  EXPECT_THAT(PageRoute("/sweeps/night", ""), Optional(std::string("../#/sweeps/night")));
  EXPECT_THAT(PageRoute("/sweeps/night/trials/3", ""),
              Optional(std::string("../../../#/sweeps/night/trials/3")));
  EXPECT_THAT(PageRoute("/sweeps/night/trials", "where=lr+%3E+1&sort=lr"),
              Optional(std::string("../../#/sweeps/night/trials?where=lr+%3E+1&sort=lr")));
  EXPECT_THAT(PageRoute("/workers", ""), Optional(std::string("./#/workers")));
}

TEST(PageRoutes, WhatIsNoRouteOfThePageLeadsNowhere) {
  for (const char* path : {"/", "/many", "/sweep/many", "/favicon.ico", "//sweeps/x", "/..", ""}) {
    EXPECT_EQ(PageRoute(path, ""), std::nullopt) << path;
  }
}

TEST(PageRoutes, TheTargetIsRelativeAndHasNothingThatEndsAHeader) {
  const std::string target = *PageRoute("/sweeps/\r\nSet-Cookie: a=b\xff\"<", "q=\n#x");
  EXPECT_TRUE(target.starts_with("../#/sweeps/%0D%0ASet-Cookie:%20a=b%FF%22%3C?q=%0A%23x"))
      << target;
  EXPECT_TRUE(PageRoute("/sweeps//evil.example/", "")->starts_with("../../../#/"));
}

TEST(PageRoutes, ThePageOfNoSuchPageLinksBackAndReflectsNothing) {
  const std::string page = PageOfNoSuchPage("/a/b/<script>");
  EXPECT_THAT(page, HasSubstr("href=\"../../#/\""));
  EXPECT_THAT(page, Not(HasSubstr("script>")));
  EXPECT_THAT(PageOfNoSuchPage("/a"), HasSubstr("href=\"./#/workers\""));
}

}  // namespace
}  // namespace sweep
