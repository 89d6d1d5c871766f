// Sweeps that bring their own trainer: `program` and `files`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/protocol/program_files.h"
#include "common/spec/search_space.h"
#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string Program(const std::string& more) {
  return "name: s\nprogram: [tool, train.py]\nmethod: grid\n" + more;
}

SweepSpec Parse(const SweepSource& source) {
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(source, &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return spec.ok() ? *std::move(spec) : SweepSpec();
}

TEST(Program, IsAListOfWordsOrOneWord) {
  EXPECT_THAT(MustParse(Program("")).program, ElementsAre("tool", "train.py"));
  EXPECT_THAT(MustParse("name: s\nmethod: grid\nprogram: ./train.sh\n").program,
              ElementsAre("./train.sh"));
  EXPECT_THAT(MustParse("name: s\nmethod: grid\nprogram: [\"my tool\", --n, 3, true]\n").program,
              ElementsAre("my tool", "--n", "3", "true"))
      << "words as they are written";
}

TEST(Program, RefusesWhatIsNoCommand) {
  const auto complaint = [](const std::string& program) {
    return Complaints("name: s\nmethod: grid\nprogram: " + program + "\n");
  };
  EXPECT_EQ(complaint("python3 train.py"),
            "s.yaml:3: 'program' is one text with spaces; write its words as a list: "
            "[\"python3\", \"train.py\"]");
  EXPECT_THAT(complaint("[]"), HasSubstr("s.yaml:3: 'program' must be a list of values"));
  EXPECT_THAT(complaint("\"\""), HasSubstr("s.yaml:3: 'program' is empty"));
  EXPECT_THAT(complaint("[\"\", x]"), HasSubstr("s.yaml:3: 'program' is empty"));
  EXPECT_THAT(complaint("[sh, \"a\\0b\"]"), HasSubstr("a word of 'program' has a NUL"));
  EXPECT_THAT(complaint("{run: sh}"), HasSubstr("'program' must be a list of values"));
  EXPECT_THAT(complaint("[[sh]]"), HasSubstr("an item of 'program' must be a single value"));
  EXPECT_THAT(complaint("[sh, " + std::string(5000, 'x') + "]"), HasSubstr("the limit is 4096"));
}

TEST(Program, NeedsNeitherModelNorDataset) {
  const SweepSpec spec =
      MustParse(Program("parameters:\n  width: {values: [4, 8]}\n  layers: {values: [1, 2, 3]}\n"
                        "  lr: 0.5\nepochs: 3\nconstraints: [\"width * layers < 20\"]\n"));
  EXPECT_TRUE(spec.models.empty());
  EXPECT_EQ(spec.dataset.name, "none");
  EXPECT_EQ(spec.points, 5);
  const absl::StatusOr<Configuration> point =
      spec.Complete(1, {{"width", std::int64_t{8}}, {"layers", std::int64_t{2}}, {"lr", 0.5}});
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_TRUE(point->network.layers.empty());
  EXPECT_EQ(point->resolved.count("model"), 0u);
  EXPECT_EQ(LookUpConfiguration(*point, "layers"), Value(std::int64_t{2}));
  const TrialSpec trial = spec.MakeTrialSpec(*point, 0);
  EXPECT_EQ(trial.epochs, 3);
  EXPECT_EQ(trial.lr, 0.5);
  EXPECT_TRUE(SameValue(trial.parameters.at("width"), std::int64_t{8}));
  EXPECT_FALSE(trial.parameters.contains("batch_size")) << "nobody wrote it";
}

TEST(Program, MayHaveAModelAndItsRecipe) {
  const SweepSpec spec = MustParse(
      Program("model: nets/widths.yaml\nrecipe: seed\ndataset: mnist\nparameters: {depth: 3}\n"
              "require: {parameters: \"< 20000\"}\n"));
  const absl::StatusOr<Configuration> point = spec.Complete(1, {{"depth", std::int64_t{3}}});
  ASSERT_TRUE(point.ok()) << point.status();
  const TrialSpec trial = spec.MakeTrialSpec(*point, 0);
  EXPECT_EQ(trial.network.name, "widths");
  EXPECT_EQ(trial.lr, 0.07);
  EXPECT_TRUE(SameValue(trial.parameters.at("model"), std::string("nets/widths.yaml")));
  EXPECT_TRUE(SameValue(trial.parameters.at("width"), std::int64_t{4}));
  EXPECT_EQ(trial.dataset.name, "mnist");
}

TEST(Program, WithoutItTheTrialsLineIsAsEver) {
  const SweepSpec spec = MustParse(Random("parameters: {lr: 0.1}\n"));
  const absl::StatusOr<Configuration> point = spec.Complete(1, {{"lr", 0.1}});
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_TRUE(spec.MakeTrialSpec(*point, 0).parameters.empty());
}

TEST(Program, FactsOfANetworkNeedAModel) {
  EXPECT_EQ(Complaints(Program("require: {parameters: \"< 20000\", layers: 3}\n")),
            "s.yaml:4: gate 'parameters' is held against a fact of the network, which needs "
            "'model'\ns.yaml:4: gate 'layers' is held against a fact of the network, which needs "
            "'model'");
  EXPECT_THAT(Complaints(Program("constraints: [\"receptive_field > 3\"]\n")),
              HasSubstr("s.yaml:4: constraint 'receptive_field > 3' refers to unknown "
                        "'receptive_field', a fact of the network, which needs 'model'"));
  EXPECT_THAT(Complaints(Program("parameters:\n  a: {value: 1, when: \"layers > 3\"}\n")),
              HasSubstr("refers to unknown 'layers', a fact of the network, which needs 'model'"));
  EXPECT_THAT(Complaints(Program("recipe: tuned\n")), HasSubstr("'recipe' goes with 'model'"));
  EXPECT_EQ(Complaints(Program("require: {accuracy: \">= 0.9\", epochs: \"< 5\"}\n")), "");
}

TEST(Program, KeepsTheChecksOfNames) {
  EXPECT_THAT(Complaints(Program("parameters: {accuracy: 1}\n")), HasSubstr("reserved name"));
  EXPECT_THAT(Complaints(Program("parameters: {\"a b\": 1}\n")), HasSubstr("no valid name"));
  EXPECT_THAT(Complaints(Program("parameters: {a: 1}\nconstraints: [\"b > 0\"]\n")),
              HasSubstr("refers to unknown 'b'"));
  EXPECT_THAT(Complaints(Program("parametres: {a: 1}\n")), HasSubstr("did you mean 'parameters'?"));
}

TEST(Program, SaysWhichConstraintCannotBeEvaluated) {
  EXPECT_THAT(
      Complaints(Program("parameters: {a: {values: [x, y]}}\nconstraints:\n  - \"a > 0\"\n")),
      HasSubstr("s.yaml:6: constraint 'a > 0'"));
  EXPECT_THAT(Complaints(Program("parameters: {a: {values: [1, 2]}}\nconstraints: [\"a > 5\"]\n")),
              HasSubstr("no point of the search space satisfies the constraints"));
}

TEST(Program, ConditionsWorkWithoutAModel) {
  const SweepSpec spec = MustParse(Program(
      "parameters:\n  kind: {values: [a, b]}\n  depth: {values: [1, 2], when: \"kind == 'a'\"}\n"));
  EXPECT_EQ(spec.points, 3);
}

TEST(ProgramFiles, NeedAProgram) {
  EXPECT_THAT(Complaints(Random("files: [train.py]\n")),
              HasSubstr("s.yaml:4: 'files' goes with 'program'"));
}

TEST(ProgramFiles, AreNamesBelowTheSweepFile) {
  const auto complaint = [](const std::string& files) {
    return Complaints(Program("files: " + files + "\n"));
  };
  EXPECT_EQ(complaint("[/etc/passwd]"),
            "s.yaml:4: 'files': file '/etc/passwd' has an absolute path; it must be below the "
            "sweep file");
  EXPECT_THAT(complaint("[a/../../b]"), HasSubstr("has '..' in its path"));
  EXPECT_THAT(complaint("[./a]"), HasSubstr("write it as 'folder/file'"));
  EXPECT_THAT(complaint("[a//b]"), HasSubstr("has an empty part"));
  EXPECT_THAT(complaint("[a/]"), HasSubstr("has an empty part"));
  EXPECT_THAT(complaint("[\"\"]"), HasSubstr("a file has no name"));
  EXPECT_THAT(complaint("[\"a\\nb\"]"), HasSubstr("characters that cannot be shown"));
  EXPECT_THAT(complaint("[a, b, a]"), HasSubstr("'files' lists 'a' twice"));
  EXPECT_THAT(complaint("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]"),
              HasSubstr("'files' has 17 files; the limit is 16"));
  EXPECT_THAT(complaint("[train.py]"), HasSubstr("file 'train.py' was not sent along"));
}

TEST(ProgramFiles, AreHeldAgainstTheRulesWhereverTheyComeFrom) {
  const std::string text = Program("files: [a, b]\n");
  EXPECT_EQ(ComplaintsOf(WithFiles(text, {{"a", "x"}, {"b", "y"}})), "");
  EXPECT_THAT(ComplaintsOf(WithFiles(text, {{"a", "x"}, {"b", "\xff"}})),
              HasSubstr("s.yaml:4: 'files': file 'b' is not UTF-8 text"));
  EXPECT_THAT(ComplaintsOf(WithFiles(text, {{"a", "x"}, {"b", std::string(1, '\0')}})),
              HasSubstr("file 'b' is no text"));
  const std::string half(600'000, 'x');
  EXPECT_THAT(ComplaintsOf(WithFiles(text, {{"a", half}, {"b", half}})),
              HasSubstr("the files have 1200000 bytes together; the limit is 1048576"));
  EXPECT_THAT(ComplaintsOf(WithFiles(text, {{"a", "x"}, {"b", "y"}, {"../c", "z"}})),
              HasSubstr("file '../c' was sent along, but is not in 'files'"));
  EXPECT_THAT(ComplaintsOf(WithFiles(Program("files: [a, a/b]\n"), {{"a", "x"}, {"a/b", "y"}})),
              HasSubstr("file 'a' is the folder of file 'a/b' as well"));
}

TEST(ProgramFiles, CountInTheDigest) {
  const std::string text = Program("files: [a]\n");
  const SweepSpec one = Parse(WithFiles(text, {{"a", "x"}}));
  const SweepSpec other = Parse(WithFiles(text, {{"a", "y"}}));
  const SweepSpec renamed = Parse(WithFiles(Program("files: [b]\n"), {{"b", "x"}}));
  const SweepSpec none = MustParse(Program(""));
  EXPECT_EQ(one.program_digest, ProgramDigest({{"a", "x"}}));
  EXPECT_EQ(none.program_digest, "");
  EXPECT_EQ((std::set<std::string>{one.digest, other.digest, renamed.digest, none.digest}).size(),
            4u);
  EXPECT_NE(none.digest,
            MustParse("name: s\nprogram: [tool, \"train.py \"]\nmethod: grid\n").digest)
      << "the command counts";
  EXPECT_EQ(one.digest, Parse(WithFiles("# a comment\n" + text, {{"a", "x"}})).digest);
}

class ProgramSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "sweep_program_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  std::string LoadComplaints(const std::string& path) {
    Diagnostics diagnostics;
    EXPECT_FALSE(LoadSweepSource(path, &diagnostics).ok());
    return FormatDiagnostics(diagnostics);
  }

  std::filesystem::path folder_;
};

TEST_F(ProgramSourceTest, FilesAreReadBesideTheSweepFile) {
  Write("train.py", "print()\n");
  Write("lib/util.py", "# \xC3\xBC\n");
  const std::string path = Write("s.yaml", Program("files: [train.py, lib/util.py]\n"));
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSource> source = LoadSweepSource(path, &diagnostics);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_THAT(source->program_files, UnorderedElementsAre(Pair("train.py", "print()\n"),
                                                          Pair("lib/util.py", "# \xC3\xBC\n")));
  EXPECT_EQ(Parse(*source).program_digest, ProgramDigest(source->program_files));
}

TEST_F(ProgramSourceTest, WhatCannotBeReadIsNamedWithItsLine) {
  std::filesystem::create_directories(folder_ / "folder");
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const std::string path =
      Write("s.yaml", Program("files:\n  - missing.py\n  - folder\n  - pipe\nepocs: 3\n"));
  const std::string complaints = LoadComplaints(path);
  EXPECT_THAT(complaints, HasSubstr(absl::StrCat(path, ":5: 'files': ", folder_.string(),
                                                 "/missing.py: no such file")));
  EXPECT_THAT(complaints, HasSubstr(absl::StrCat(path, ":6: 'files': ", folder_.string(),
                                                 "/folder: is a folder, not a file")));
  EXPECT_THAT(complaints, HasSubstr("/pipe: is a pipe, not a file"));
  EXPECT_THAT(complaints, HasSubstr("did you mean 'epochs'?")) << "all that is wrong at once";
  EXPECT_THAT(complaints, ::testing::Not(HasSubstr("was not sent along")));
}

TEST_F(ProgramSourceTest, NoLinkLeadsOutOfTheFolder) {
  const std::string secret = Write("secret", "password\n");
  Write("elsewhere/more", "password\n");
  Write("sweep-old/more", "password\n");  // no folder within `sweep`, though it begins alike
  const auto link = [this](const std::filesystem::path& to, const std::string& name) {
    std::filesystem::create_symlink(to, folder_ / "sweep" / name);
  };
  const std::string path =
      Write("sweep/s.yaml",
            Program("files: [absolute, relative, folder/more, alike/more, chain, none, loop]\n"));
  link(secret, "absolute");
  link("../secret", "relative");
  link("../elsewhere", "folder");
  link("../sweep-old", "alike");
  link("relative", "chain");
  link("gone", "none");
  link("loop", "loop");
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSource> source = LoadSweepSource(path, &diagnostics);
  EXPECT_FALSE(source.ok());
  const std::string complaints = FormatDiagnostics(diagnostics);
  const std::string root = std::filesystem::canonical(folder_).string();
  for (const char* name : {"absolute", "relative", "chain"}) {
    EXPECT_THAT(complaints,
                HasSubstr(absl::StrCat("/sweep/", name, ": is or lies behind a link to ", root,
                                       "/secret, outside of the folder ", root)));
  }
  for (const char* name : {"folder", "alike"}) {
    EXPECT_THAT(complaints,
                HasSubstr(absl::StrCat("/sweep/", name, "/more: is or lies behind a link to ")));
  }
  EXPECT_THAT(complaints, HasSubstr("/sweep/none: is a link that leads nowhere"));
  EXPECT_THAT(complaints, HasSubstr("/sweep/loop: "));
  EXPECT_THAT(complaints, ::testing::Not(HasSubstr("password")));
}

TEST_F(ProgramSourceTest, ALinkWithinTheFolderIsFollowed) {
  Write("sweep/lib/train.py", "print()\n");
  const std::string path = Write("sweep/s.yaml", Program("files: [train.py, code/train.py]\n"));
  std::filesystem::create_symlink("lib/train.py", folder_ / "sweep/train.py");
  std::filesystem::create_symlink(folder_ / "sweep/lib", folder_ / "sweep/code");
  std::filesystem::create_symlink("sweep", folder_ / "way");
  for (const std::string& way : {path, (folder_ / "way/s.yaml").string()}) {
    Diagnostics diagnostics;
    const absl::StatusOr<SweepSource> source = LoadSweepSource(way, &diagnostics);
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_THAT(source->program_files, UnorderedElementsAre(Pair("train.py", "print()\n"),
                                                            Pair("code/train.py", "print()\n")));
  }
}

TEST_F(ProgramSourceTest, NothingOutsideTheFolderIsRead) {
  const std::string path = Write("s.yaml", Program("files: [../secret, /etc/hostname]\n"));
  Diagnostics diagnostics;
  const absl::StatusOr<SweepSource> source = LoadSweepSource(path, &diagnostics);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_TRUE(source->program_files.empty());
  EXPECT_THAT(ComplaintsOf(*source), HasSubstr("has '..' in its path"));
}

}  // namespace
}  // namespace sweep
