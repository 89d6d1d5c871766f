#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <numeric>

#include "cli/models/digit_picture.h"
#include "cli/models/predict_input.h"
#include "cli/models/trained_model.h"
#include "cli/present/listing.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "common/command_line/options.h"
#include "proto/names.h"
#include "worker/data/batch.h"

namespace sweep::cli {
namespace {

// More images than kMostBlocks are printed as a table, more than kMostTableRows as totals.
constexpr std::size_t kMostBlocks = 12;
constexpr std::size_t kMostTableRows = 100;
constexpr int kImagesPerPass = 500;
constexpr int kBarColumns = 24;

struct PredictOptions {
  std::string model;
  std::vector<std::string> images;
  std::string index;
  std::string labels;
  std::string invert = "auto";
  bool last = false;
};

// The prediction for one image.
struct Prediction {
  std::string name;
  std::string file;
  std::int64_t index = -1;           // in an IDX file
  std::vector<std::uint8_t> pixels;  // kept only if a picture may be drawn
  std::vector<float> log_probabilities;
  int digit = 0;
  int label = -1;  // -1: unknown

  double Probability(int digit_of) const {
    return std::exp(double{log_probabilities[static_cast<std::size_t>(digit_of)]});
  }
};

bool IsFolder(const std::string& text) {
  std::error_code error;
  return std::filesystem::is_directory(text, error);
}

absl::StatusOr<TrainedModel> LoadModel(const PredictOptions& options, const Session& session) {
  if (IsFolder(options.model)) {
    if (options.last) {
      return absl::InvalidArgumentError("--last is for a trial; a folder has one set of weights");
    }
    return ReadTrainedModel(options.model);
  }
  if (!ParseTrialResource(options.model).ok()) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' is neither a folder nor a trial, as SWEEP/NUMBER", Printable(options.model)));
  }
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return connection.status();
  const absl::StatusOr<TrialModel> model = FetchTrialModel(
      **connection, options.model, options.last ? WeightsChoice::kLast : WeightsChoice::kBest,
      BlobCache::OfUser());
  if (!model.ok()) return model.status();
  return MakeTrainedModel(*model);
}

// Predicts every image of a file.
absl::StatusOr<std::vector<Prediction>> PredictFile(const TrainedModel& model,
                                                    const InputImages& input) {
  const Network& network = model.network.network();
  const BatchOptions normalize{.mean = model.normalize_mean, .stddev = model.normalize_stddev};
  const auto classes = static_cast<std::size_t>(network.classes);
  const auto pixels = static_cast<std::size_t>(network.input.elements());
  std::vector<std::int32_t> order(static_cast<std::size_t>(input.images.count));
  std::iota(order.begin(), order.end(), 0);
  std::vector<Prediction> predictions;
  std::vector<float> batch;
  for (std::size_t first = 0; first < order.size(); first += kImagesPerPass) {
    const std::size_t count = std::min<std::size_t>(kImagesPerPass, order.size() - first);
    batch.resize(count * pixels);
    FillBatch(input.images, std::span(order).subspan(first, count), normalize, batch.data());
    const std::vector<float> results = model.network.Run(batch);
    for (std::size_t i = 0; i < count; ++i) {
      Prediction& made = predictions.emplace_back();
      const std::span<const float> row = std::span(results).subspan(i * classes, classes);
      if (!std::all_of(row.begin(), row.end(), [](float value) { return !std::isnan(value); })) {
        return absl::DataLossError(
            fmt::format("{}: the network's outputs overflow on it; its weights "
                        "are of no use",
                        input.Name(first + i)));
      }
      made.name = input.Name(first + i);
      made.file = input.file;
      if (input.is_idx) made.index = input.indices[first + i];
      if (order.size() <= kMostBlocks) {
        const auto begin =
            input.images.pixels.begin() + static_cast<std::ptrdiff_t>((first + i) * pixels);
        made.pixels.assign(begin, begin + static_cast<std::ptrdiff_t>(pixels));
      }
      made.log_probabilities.assign(row.begin(), row.end());
      made.digit = ArgMax(row);
    }
  }
  return predictions;
}

Listing PredictionListing(const std::vector<Prediction>& predictions, int classes) {
  Listing listing;
  listing.columns = {{"IMAGE", "image", false, true, true},
                     {"", "file", false, false},
                     {"", "index", true, false},
                     {"DIGIT", "digit", true},
                     {"PROBABILITY", "probability", true},
                     {"LABEL", "label", true},
                     {"", "right", false, false}};
  for (int c = 0; c < classes; ++c)
    listing.columns.push_back({"", fmt::format("p{}", c), true, false});
  for (const Prediction& made : predictions) {
    const double probability = made.Probability(made.digit);
    const bool labelled = made.label >= 0;
    const nlohmann::json none;
    std::vector<Cell> row = {
        {made.name, made.name},
        {made.file, made.file},
        {"", made.index < 0 ? none : nlohmann::json(made.index)},
        {std::to_string(made.digit), made.digit},
        {Percent(probability), probability},
        {labelled ? fmt::format("{}{}", made.label, made.label == made.digit ? "" : " (wrong)")
                  : "",
         labelled ? nlohmann::json(made.label) : none},
        {"", labelled ? nlohmann::json(made.label == made.digit) : none}};
    for (int c = 0; c < classes; ++c) row.push_back({"", made.Probability(c)});
    listing.rows.push_back(std::move(row));
  }
  return listing;
}

nlohmann::json PredictionsJson(const std::vector<Prediction>& predictions, int classes) {
  nlohmann::json document = nlohmann::json::array();
  for (const Prediction& made : predictions) {
    nlohmann::json row = {{"image", made.name}, {"file", made.file}, {"digit", made.digit}};
    row["index"] = made.index < 0 ? nlohmann::json() : nlohmann::json(made.index);
    row["label"] = made.label < 0 ? nlohmann::json() : nlohmann::json(made.label);
    row["right"] = made.label < 0 ? nlohmann::json() : nlohmann::json(made.label == made.digit);
    row["probability"] = made.Probability(made.digit);
    row["probabilities"] = nlohmann::json::array();
    for (int c = 0; c < classes; ++c) row["probabilities"].push_back(made.Probability(c));
    row["log_probabilities"] = made.log_probabilities;
    document.push_back(std::move(row));
  }
  return document;
}

// Prints the picture with the probabilities to its right.
void PrintBlock(const Prediction& made, const Shape& input, const Session& session) {
  const PictureStyle style = session.color      ? PictureStyle::kColor
                             : session.terminal ? PictureStyle::kBlocks
                                                : PictureStyle::kAscii;
  const std::vector<std::string> picture =
      DigitPicture(made.pixels, input.width, input.height, style);
  std::vector<std::string> lines = {
      fmt::format("{}  {}", Styled(session, Style::kBold, std::to_string(made.digit)),
                  Percent(made.Probability(made.digit)))};
  if (made.label >= 0) {
    lines[0] +=
        made.label == made.digit
            ? "  " + Styled(session, Style::kGreen, "right")
            : "  " + Styled(session, Style::kRed, fmt::format("wrong: it is {}", made.label));
  }
  lines.emplace_back();
  for (int c = 0; c < static_cast<int>(made.log_probabilities.size()); ++c) {
    const double probability = made.Probability(c);
    const std::string bar =
        session.terminal
            ? Bar(probability, kBarColumns)
            : Pad(std::string(static_cast<std::size_t>(std::lround(probability * kBarColumns)),
                              '#'),
                  kBarColumns);
    const std::string line = fmt::format("{:>2} {} {:>8}", c, bar, Percent(probability));
    lines.push_back(c == made.digit ? Styled(session, Style::kGreen, line) : line);
  }
  std::cout << Printable(made.name) << '\n';
  const int columns = picture.empty() ? 0 : std::min(input.width, 40);
  for (std::size_t i = 0; i < std::max(picture.size(), lines.size()); ++i) {
    // Pads by hand, since escapes have no width.
    std::string line =
        i < picture.size() ? picture[i] : std::string(static_cast<std::size_t>(columns), ' ');
    if (i < lines.size() && !lines[i].empty()) line += "   " + lines[i];
    if (!session.color) line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
  }
  std::cout << '\n';
}

// Rows are true labels, columns predictions.
void PrintConfusion(const std::vector<Prediction>& predictions, int classes) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes) * classes);
  for (const Prediction& made : predictions) {
    ++counts[static_cast<std::size_t>(made.label) * classes + made.digit];
  }
  Listing listing;
  listing.columns = {{"LABEL", "label", true}};
  for (int c = 0; c < classes; ++c) listing.columns.push_back({fmt::format("AS {}", c), "", true});
  listing.columns.push_back({"RIGHT", "right", true});
  for (int label = 0; label < classes; ++label) {
    const std::int64_t* const row = &counts[static_cast<std::size_t>(label) * classes];
    const std::int64_t total = std::accumulate(row, row + classes, std::int64_t{0});
    std::vector<Cell> cells = {{std::to_string(label), label}};
    for (int c = 0; c < classes; ++c)
      cells.push_back({row[c] == 0 ? "." : WithSeparators(row[c]), row[c]});
    cells.push_back(
        {total == 0 ? "" : Percent(static_cast<double>(row[label]) / static_cast<double>(total)),
         nullptr});
    listing.rows.push_back(std::move(cells));
  }
  PrintListing(listing, Format::kTable, 0, std::cout);
}

void PrintCounts(const std::vector<Prediction>& predictions, int classes) {
  Listing listing;
  listing.columns = {
      {"DIGIT", "digit", true}, {"IMAGES", "images", true}, {"MEAN PROBABILITY", "mean", true}};
  for (int c = 0; c < classes; ++c) {
    std::int64_t images = 0;
    double sum = 0;
    for (const Prediction& made : predictions) {
      if (made.digit != c) continue;
      ++images;
      sum += made.Probability(c);
    }
    listing.rows.push_back(
        {{std::to_string(c), c},
         {WithSeparators(images), images},
         {images == 0 ? "–" : Percent(sum / static_cast<double>(images)), nullptr}});
  }
  PrintListing(listing, Format::kTable, 0, std::cout);
}

void PrintAccuracy(const std::vector<Prediction>& predictions, const Session& session) {
  const auto right = std::count_if(predictions.begin(), predictions.end(),
                                   [](const Prediction& made) { return made.digit == made.label; });
  const auto total = static_cast<std::int64_t>(predictions.size());
  std::cout << Styled(
                   session, Style::kBold,
                   fmt::format("{} of {} right: {}", WithSeparators(right), WithSeparators(total),
                               Percent(static_cast<double>(right) / static_cast<double>(total))))
            << '\n';
}

void PrintForPeople(const std::vector<Prediction>& predictions, const TrainedModel& model,
                    bool labelled, const Session& session) {
  const Network& network = model.network.network();
  Say(session, Styled(session, Style::kDim, Printable(model.title)));
  if (model.batch_softmax) {
    Say(session,
        "its accuracy was measured with a softmax over batches; this is the one over the classes");
  }
  Say(session, "");
  if (predictions.size() <= kMostBlocks) {
    for (const Prediction& made : predictions) PrintBlock(made, network.input, session);
  } else if (labelled) {
    PrintConfusion(predictions, network.classes);
    std::cout << '\n';
  } else if (predictions.size() <= kMostTableRows) {
    PrintListing(PredictionListing(predictions, network.classes), Format::kTable, session.width,
                 std::cout);
  } else {
    PrintCounts(predictions, network.classes);
    Say(session, "one line per image: --format csv or json");
  }
  if (labelled) PrintAccuracy(predictions, session);
}

absl::Status AddFile(const PredictOptions& options, const std::string& argument,
                     const std::vector<std::int64_t>& indices, const TrainedModel& model,
                     std::vector<Prediction>* predictions) {
  const Network& network = model.network.network();
  const Invert invert = options.invert == "yes"  ? Invert::kYes
                        : options.invert == "no" ? Invert::kNo
                                                 : Invert::kAuto;
  const absl::StatusOr<InputImages> input = ReadInput(argument, network.input, indices, invert);
  if (!input.ok()) return input.status();
  std::vector<int> labels;
  if (!options.labels.empty()) {
    if (!input->is_idx) {
      return absl::InvalidArgumentError(argument + ": --labels is for an IDX file, this is a PNG");
    }
    absl::StatusOr<std::vector<int>> read = ReadLabels(options.labels, *input, network.classes);
    if (!read.ok()) return read.status();
    labels = *std::move(read);
  }
  absl::StatusOr<std::vector<Prediction>> made = PredictFile(model, *input);
  if (!made.ok()) return made.status();
  for (std::size_t i = 0; i < made->size(); ++i) {
    if (!labels.empty()) (*made)[i].label = labels[i];
    predictions->push_back(std::move((*made)[i]));
  }
  return absl::OkStatus();
}

int Predict(const PredictOptions& options, const Session& session) {
  std::vector<std::int64_t> indices;
  if (!options.index.empty()) {
    absl::StatusOr<std::vector<std::int64_t>> parsed = ParseIndices(options.index);
    if (!parsed.ok()) return Fail(parsed.status());
    indices = *std::move(parsed);
  }
  if (!options.labels.empty() && options.images.size() != 1) {
    return Fail(absl::InvalidArgumentError("--labels needs exactly one IDX file of images"));
  }
  const absl::StatusOr<TrainedModel> model = LoadModel(options, session);
  if (!model.ok()) return Fail(model.status());
  const Network& network = model->network.network();
  if (network.input.channels != 1) {
    return Fail(absl::InvalidArgumentError(
        fmt::format("{} takes images of {} channels; only grey ones can be predicted here",
                    network.name, network.input.channels)));
  }
  // A bad file does not hide the other results; its error is printed last.
  std::vector<Prediction> predictions;
  std::vector<absl::Status> failures;
  for (const std::string& argument : options.images) {
    const absl::Status status = AddFile(options, argument, indices, *model, &predictions);
    if (!status.ok()) failures.push_back(status);
  }
  const bool labelled = !options.labels.empty();
  if (session.format == Format::kJson) {
    PrintJson(PredictionsJson(predictions, network.classes), std::cout);
  } else if (session.format == Format::kCsv) {
    PrintListing(PredictionListing(predictions, network.classes), Format::kCsv, 0, std::cout);
  } else if (!predictions.empty()) {
    PrintForPeople(predictions, *model, labelled, session);
  }
  std::cout.flush();
  int code = kExitOk;
  for (const absl::Status& status : failures) code = Fail(status);
  return code;
}

}  // namespace

void AddPredictCommand(CLI::App* app, Session* session) {
  CLI::App* predict =
      app->add_subcommand("predict",
                          "What is on images\n"
                          "Shows images to a trained network: the digit, the probability of each, "
                          "and the picture as the\n"
                          "network sees it. IMAGE is a PNG of any kind and size, or an IDX file, "
                          "plain or gzip, of which\n"
                          "FILE:17 or FILE:3,5-9 takes some images. A PNG that has not the "
                          "network's size is cut to what is\n"
                          "drawn, scaled and centred as MNIST's digits were: whatever differs "
                          "from its ground, light or dark,\n"
                          "without shadows, ruled boxes and specks. Many images are told in sums. "
                          "Weights that came over a network are kept in\n"
                          "$XDG_CACHE_HOME/sweep/blobs (at most 256 MiB).");
  auto options = std::make_shared<PredictOptions>();
  predict->group("Networks and models");
  predict->add_option("NAME/N", options->model, "the trial, or a folder written by `sweep model`")
      ->required();
  predict->add_option("FILE", options->images, "PNG and IDX files")->required();
  predict->add_option("--index", options->index, "which images of IDX files, as 3,5-9")
      ->type_name("LIST");
  predict
      ->add_option("--labels", options->labels,
                   "IDX file with what the images are: tells the accuracy")
      ->type_name("FILE");
  predict->add_option("--invert", options->invert, "dark strokes on light: yes, no or auto")
      ->check(OneOf({"yes", "no", "auto"}))
      ->capture_default_str();
  predict->add_flag("--last", options->last, "the weights of the last epoch instead of the best");
  predict->footer(
      "Examples:\n"
      "  sweep predict seed-000/17 digit.png\n"
      "  sweep predict best t10k-images-idx3-ubyte.gz:0-4     a folder of `sweep model`\n"
      "  sweep predict best t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz");
  predict->callback([=] { session->exit_code = Predict(*options, *session); });
}

}  // namespace sweep::cli
