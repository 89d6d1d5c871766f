#include "coordinator/search/gp_search.h"

#include <nlopt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>

#include "coordinator/search/median.h"

namespace sweep {
namespace {

using Eigen::ArrayXd;
using Eigen::VectorXd;

// With more values than this, a list of numbers is searched like a range.
constexpr std::int64_t kFewValues = 16;
// Points drawn in the whole space, near the best configurations, and so many of those.
constexpr int kDrawnWide = 512;
constexpr int kDrawnNear = 32;
constexpr std::size_t kBest = 5;
// Draws of all candidates anew, when none is allowed and new.
constexpr int kMostDraws = 5;
// Candidates from which a better place is looked for.
constexpr std::size_t kClimbs = 4;
constexpr int kMostClimbEvaluations = 40;
// Every configuration that ends leads to another fit until so many have.
constexpr std::size_t kFitAlways = 30;
constexpr std::size_t kMostRunning = 100;
constexpr double kManyTimes = 1e4;
constexpr double kInterval = 1.959964;  // deviations, for 95 %
constexpr double kLargestCost = 1e6;    // in distances of the median from the least
// Values differ when their deviation is a larger share of the largest: the rest is rounding.
constexpr double kRounding = 1e-12;
constexpr double kBends[] = {0, 0.1, 0.3, 1, 3};

std::vector<GaussianAxis> GaussianAxesOf(const SearchSpace& space) {
  std::vector<GaussianAxis> axes;
  for (const Dimension& dimension : space.dimensions()) {
    axes.push_back(dimension.ordered ? GaussianAxis::kNumber : GaussianAxis::kCategory);
  }
  axes.push_back(GaussianAxis::kCategory);  // which parameters exist
  return axes;
}

// The largest number of ended configurations, at most `ended`, at which the process is fitted.
std::size_t LastFit(std::size_t ended) {
  if (ended <= kFitAlways) return ended;
  std::size_t fit = kFitAlways;
  while (true) {
    const std::size_t next = fit + std::min<std::size_t>(fit / 10, 50);
    if (next > ended) return fit;
    fit = next;
  }
}

}  // namespace

GpSearch::GpSearch(const SweepSpec* spec, bool distinct)
    : LearningSearch(spec, distinct), process_(GaussianAxesOf(space())) {
  for (std::size_t gate = 0; gate < gates().size(); ++gate) {
    gate_processes_.push_back({.process = GaussianProcess(GaussianAxesOf(space()))});
  }
  for (const std::vector<bool>& shape : SomeShapes()) {
    shapes_.emplace(shape, static_cast<int>(shapes_.size()));
  }
}

void GpSearch::OnKnown(std::int64_t number, const Known& known) {
  shapes_.emplace(ShapeOf(known.point), static_cast<int>(shapes_.size()));
  running_.insert(number);
}

void GpSearch::OnEnded(std::int64_t number, const Known& /*known*/) {
  order_.push_back(number);
  running_.erase(number);
}

void GpSearch::OnReopened(std::int64_t number, const Known& /*known*/) {
  order_.erase(std::find(order_.begin(), order_.end(), number));
  running_.insert(number);
  fitted_ = 0;
}

GaussianPoint GpSearch::ToProcess(const CubePoint& point) const {
  GaussianPoint converted;
  for (std::size_t i = 0; i < point.size(); ++i) {
    // Each value of a list has one coordinate, which stands for it.
    const double missing = space().dimensions()[i].ordered ? 0.5 : -1;
    converted.push_back(std::isnan(point[i]) ? missing : point[i]);
  }
  const auto shape = shapes_.find(ShapeOf(point));
  converted.push_back(shape == shapes_.end() ? -1 : shape->second);
  return converted;
}

std::vector<std::int64_t> GpSearch::Choose(const std::vector<std::int64_t>& order,
                                           std::size_t count, std::size_t most) const {
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(count);
  if (count <= most) return {order.begin(), end};
  const auto recent = end - static_cast<std::ptrdiff_t>(most / 2);
  std::vector<std::size_t> places(count - most / 2);
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(Get(order[a]).rank, a) < std::tie(Get(order[b]).rank, b);
  });
  places.resize(most - most / 2);
  std::sort(places.begin(), places.end());
  std::vector<std::int64_t> chosen;
  for (const std::size_t place : places) chosen.push_back(order[place]);
  chosen.insert(chosen.end(), recent, end);
  return chosen;
}

// The costs, with large ones compressed so that they are most like a normal distribution, of mean 0
// and variance 1. Costs are measured from the least one, in distances of the median from it.
VectorXd GpSearch::Normalise(const std::vector<double>& costs, CostScale* scale) {
  const auto size = static_cast<int>(costs.size());
  ArrayXd shifted = ArrayXd::Map(costs.data(), size);
  const double least = shifted.minCoeff();
  const double unit = UpperMedian(costs) - least;
  *scale = {.least = least, .unit = std::max(unit, 0.0)};
  if (unit > 0) {
    // A huge one must not hide what the others say.
    shifted = ((shifted - least) / unit).min(kLargestCost);
    ArrayXd likeliest = shifted;
    double largest = -std::numeric_limits<double>::infinity();
    for (const double bend : kBends) {
      // Near the least cost all of them are straight: a logarithm of the regret would make a spike
      // of the best point.
      const ArrayXd changed = bend == 0 ? shifted : ArrayXd((bend * shifted).log1p() / bend);
      const double variance = (changed - changed.mean()).square().mean();
      const double likelihood = -(bend * shifted).log1p().sum() - 0.5 * size * std::log(variance);
      if (likelihood > largest) {
        largest = likelihood;
        likeliest = changed;
        scale->bend = bend;
      }
    }
    shifted = likeliest;
  }
  const double largest_value = shifted.abs().maxCoeff();
  scale->mean = shifted.mean();
  shifted -= scale->mean;
  const double deviation = std::sqrt(shifted.square().mean());
  if (!(deviation > kRounding * largest_value)) return VectorXd::Zero(size);
  scale->deviation = deviation;
  return shifted / deviation;
}

double GpSearch::CostScale::CostAt(double value) const {
  const double shifted = mean + deviation * value;
  if (unit == 0) return shifted;
  return least + unit * (bend == 0 ? shifted : std::expm1(bend * shifted) / bend);
}

std::optional<CostGrowth> GpSearch::CostScale::Growth() const {
  if (!(deviation > 0)) return std::nullopt;
  return CostGrowth{.at_zero = (unit > 0 ? unit : 1) * deviation * std::exp(bend * mean),
                    .rate = bend * deviation};
}

VectorXd GpSearch::ValuesOf(const std::vector<std::int64_t>& numbers, CostScale* scale) const {
  std::vector<double> complete, all;
  for (const std::int64_t number : numbers) {
    const Known& known = Get(number);
    if (known.is_complete) complete.push_back(*known.cost);
    if (known.cost) all.push_back(*known.cost);
  }
  if (all.empty()) {
    *scale = {.mean = std::numeric_limits<double>::quiet_NaN()};
    return VectorXd::Zero(static_cast<int>(numbers.size()));
  }
  const double worst = *std::max_element(all.begin(), all.end());
  const double median = complete.empty() ? worst : UpperMedian(complete);
  std::vector<double> costs;
  for (const std::int64_t number : numbers) {
    const Known& known = Get(number);
    const double cost = known.cost.value_or(worst);
    costs.push_back(known.is_complete ? cost : std::max(cost, median));
  }
  return Normalise(costs, scale);
}

ExcessValues GpSearch::ExcessesOf(std::size_t gate,
                                  const std::vector<std::int64_t>& numbers) const {
  std::vector<double> excesses;
  for (const std::int64_t number : numbers) excesses.push_back(Get(number).excesses[gate]);
  return CompressExcesses(std::move(excesses));
}

GaussianData GpSearch::DataOf(const std::vector<std::int64_t>& numbers) const {
  GaussianData data;
  for (const std::int64_t number : numbers) {
    data.points.push_back(ToProcess(Get(number).point));
    data.counts.push_back(std::max(Get(number).with_cost, 1));
  }
  return data;
}

std::vector<std::int64_t> GpSearch::Judged() const {
  std::vector<std::int64_t> judged;
  if (gate_processes_.empty()) return judged;
  std::copy_if(order_.begin(), order_.end(), std::back_inserter(judged),
               [&](std::int64_t number) { return !Get(number).is_unjudged; });
  return judged;
}

void GpSearch::Fit(std::size_t count, const std::vector<std::int64_t>& judged,
                   std::size_t judged_count) {
  const std::vector<std::int64_t> fitted = Choose(order_, count, kMostFitted);
  GaussianData data = DataOf(fitted);
  CostScale scale;
  const VectorXd values = ValuesOf(fitted, &scale);
  data.values.assign(values.begin(), values.end());
  process_.Reset(FitGaussianProcess(GaussianAxesOf(space()), data));
  const std::vector<std::int64_t> fitted_judged = Choose(judged, judged_count, kMostFitted);
  data = DataOf(fitted_judged);
  for (std::size_t gate = 0; gate < gate_processes_.size(); ++gate) {
    GaussianProcess& process = gate_processes_[gate].process;
    process.Truncate(0);
    if (fitted_judged.empty()) continue;
    const VectorXd excesses = ExcessesOf(gate, fitted_judged).values;
    data.values.assign(excesses.begin(), excesses.end());
    process.Reset(FitGaussianProcess(GaussianAxesOf(space()), data));
  }
  fitted_ = count;
  fitted_judged_ = judged_count;
  members_.clear();
  judged_members_.clear();
  for (const std::int64_t number : Choose(order_, count, kMostPoints)) AddMember(number);
  added_ = count;
}

void GpSearch::AddMember(std::int64_t number) {
  const Known& known = Get(number);
  const GaussianPoint point = ToProcess(known.point);
  const int count = std::max(known.with_cost, 1);
  process_.Add(point, count);
  members_.push_back(number);
  if (known.is_unjudged) return;
  for (GateProcess& gate : gate_processes_) gate.process.Add(point, count);
  judged_members_.push_back(number);
}

GpSearch::Acquisition GpSearch::UpdateEnded() {
  process_.Truncate(static_cast<int>(members_.size()));  // without those that ran
  for (GateProcess& gate : gate_processes_) {
    gate.process.Truncate(static_cast<int>(judged_members_.size()));
  }
  const std::vector<std::int64_t> judged = Judged();
  const std::size_t fit = LastFit(ended()), judged_fit = LastFit(judged.size());
  if (fitted_ != fit || fitted_judged_ != judged_fit) Fit(fit, judged, judged_fit);
  for (; added_ < order_.size(); ++added_) AddMember(order_[added_]);
  process_.SetValues(ValuesOf(members_, &scale_));
  for (std::size_t gate = 0; gate < gate_processes_.size() && !judged_members_.empty(); ++gate) {
    const ExcessValues excesses = ExcessesOf(gate, judged_members_);
    gate_processes_[gate].limit = excesses.limit;
    gate_processes_[gate].process.SetValues(excesses.values);
  }
  Acquisition acquisition{.best = std::nullopt, .noise = NoiseDeviation()};
  std::optional<double> unjudged;
  const VectorXd means = process_.FittedMeans();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const double mean = means(static_cast<int>(i));
    const Known& known = Get(members_[i]);
    if (known.violation > 0) continue;
    std::optional<double>& best = known.is_unjudged ? unjudged : acquisition.best;
    best = std::min(best.value_or(mean), mean);
  }
  if (!acquisition.best) acquisition.best = unjudged;
  return acquisition;
}

GpSearch::Acquisition GpSearch::Update() {
  const Acquisition acquisition = UpdateEnded();
  AddRunning();
  return acquisition;
}

// A value equal to its mean changes no mean, only variances: to nearly 0, as if it had been
// measured many times, so that a batch spreads although one measurement says little.
void GpSearch::Believe(const std::vector<GaussianPoint>& points, GaussianProcess* process) {
  const VectorXd means = process->Predict(points).means;
  VectorXd both(process->values().size() + means.size());
  both << process->values(), means;
  for (const GaussianPoint& point : points) process->Add(point, kManyTimes);
  process->SetValues(both);
}

void GpSearch::AddRunning() {
  std::vector<GaussianPoint> running;
  for (auto one = running_.rbegin(); one != running_.rend() && running.size() < kMostRunning;
       ++one) {
    running.push_back(ToProcess(Get(*one).point));
  }
  if (running.empty()) return;
  Believe(running, &process_);
  for (GateProcess& gate : gate_processes_) Believe(running, &gate.process);
}

std::vector<double> GpSearch::Evaluate(const Acquisition& acquisition,
                                       const std::vector<GaussianPoint>& points) const {
  std::vector<double> values(points.size());
  const auto add = [&](const GaussianProcess& process, const auto& logarithm) {
    const GaussianProcess::Predictions predictions = process.Predict(points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto at = static_cast<int>(i);
      values[i] += logarithm(predictions.means(at), std::sqrt(predictions.variances(at))).value;
    }
  };
  EachPart(acquisition, add);
  return values;
}

double GpSearch::Evaluate(const Acquisition& acquisition, const GaussianPoint& point,
                          std::vector<double>* gradient) const {
  double value = 0;
  const auto add = [&](const GaussianProcess& process, const auto& logarithm) {
    const GaussianProcess::Prediction prediction = process.Predict(point);
    const double deviation = std::sqrt(prediction.variance);
    const LogImprovement part = logarithm(prediction.mean, deviation);
    value += part.value;
    for (std::size_t d = 0; d < point.size(); ++d) {
      (*gradient)[d] += part.by_mean * prediction.mean_gradient[d] +
                        part.by_deviation * prediction.variance_gradient[d] / (2 * deviation);
    }
  };
  EachPart(acquisition, add);
  return value;
}

std::vector<CubePoint> GpSearch::Draw(const std::vector<std::int64_t>& best,
                                      PhiloxStream* random) const {
  const std::size_t dimensions = space().dimensions().size();
  std::vector<CubePoint> drawn;
  for (int i = 0; i < kDrawnWide; ++i) {
    CubePoint point(dimensions);
    for (double& coordinate : point) coordinate = random->NextUniform();
    drawn.push_back(std::move(point));
  }
  for (const std::int64_t number : best) {
    for (int i = 0; i < kDrawnNear; ++i) {
      CubePoint point = Get(number).point;
      // Steps of all sizes from a third of the axis to a thousandth.
      const double step = std::pow(10, -0.5 - 2.5 * random->NextUniform());
      for (std::size_t d = 0; d < dimensions; ++d) {
        const double u = random->NextUniform(), v = random->NextUniform();
        const std::int64_t values = space().axis(d).GridSize();
        if (std::isnan(point[d])) {
          point[d] = u;
        } else if (!space().dimensions()[d].ordered || (values > 0 && values <= kFewValues)) {
          if (v < 1.0 / static_cast<double>(dimensions)) point[d] = u;
        } else {
          point[d] = std::clamp(point[d] + step * (2 * u - 1), 0.0, kBelowOne);
        }
      }
      drawn.push_back(std::move(point));
    }
  }
  return drawn;
}

double GpSearch::NoiseDeviation() const {
  return std::sqrt(process_.noise() / std::max(spec().FirstReplicates(), 1));
}

CubePoint GpSearch::Climb(const CubePoint& from, const Acquisition& acquisition) const {
  struct Task {
    const GpSearch* search;
    const Acquisition* acquisition;
    std::vector<std::size_t> axes;  // that move
    GaussianPoint point;
  } task{.search = this, .acquisition = &acquisition, .axes = {}, .point = ToProcess(from)};
  for (std::size_t d = 0; d < from.size(); ++d) {
    if (std::isnan(from[d])) continue;
    if (space().dimensions()[d].ordered) task.axes.push_back(d);
  }
  if (task.axes.empty()) return from;
  const auto evaluate = [](unsigned size, const double* at, double* gradient, void* data) {
    Task& one = *static_cast<Task*>(data);
    for (unsigned i = 0; i < size; ++i) one.point[one.axes[i]] = at[i];
    std::vector<double> by_axis(one.point.size());
    const double value = one.search->Evaluate(*one.acquisition, one.point, &by_axis);
    for (unsigned i = 0; gradient != nullptr && i < size; ++i) gradient[i] = by_axis[one.axes[i]];
    return value;
  };
  const auto size = static_cast<unsigned>(task.axes.size());
  const std::unique_ptr<nlopt_opt_s, decltype(&nlopt_destroy)> optimizer(
      nlopt_create(NLOPT_LD_LBFGS, size), &nlopt_destroy);
  nlopt_set_max_objective(optimizer.get(), evaluate, &task);
  nlopt_set_lower_bounds1(optimizer.get(), 0);
  nlopt_set_upper_bounds1(optimizer.get(), kBelowOne);
  nlopt_set_maxeval(optimizer.get(), kMostClimbEvaluations);
  nlopt_set_ftol_abs(optimizer.get(), 1e-4);
  std::vector<double> at;
  for (const std::size_t d : task.axes) at.push_back(from[d]);
  double value = 0;
  nlopt_optimize(optimizer.get(), at.data(), &value);
  CubePoint climbed = from;
  for (std::size_t i = 0; i < task.axes.size(); ++i) {
    climbed[task.axes[i]] = std::clamp(at[i], 0.0, kBelowOne);
  }
  return climbed;
}

std::optional<double> GpSearch::ImprovementAt(const CubePoint& point,
                                              const Acquisition& acquisition) const {
  const std::optional<CostGrowth> growth = scale_.Growth();
  if (!growth || !acquisition.best) return std::nullopt;
  const GaussianProcess::Prediction prediction = process_.Predict(ToProcess(point));
  const double expected = ExpectedImprovement(*acquisition.best, prediction.mean,
                                              std::sqrt(prediction.variance), *growth);
  if (!std::isfinite(expected)) return std::nullopt;
  return expected;
}

std::optional<GpSearch::Choice> GpSearch::Model(std::int64_t number) {
  const Acquisition acquisition = Update();
  std::vector<std::int64_t> ranked = members_;
  const std::size_t few = std::min(kBest, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(few), ranked.end(),
                    [&](std::int64_t a, std::int64_t b) { return RanksBefore(a, b); });
  ranked.resize(few);

  PhiloxStream random(DeriveKey(spec().seed, "gp"), static_cast<std::uint64_t>(number));
  const auto evaluate = [&](const std::vector<Candidate>& candidates) {
    std::vector<GaussianPoint> points;
    for (const Candidate& one : candidates) points.push_back(ToProcess(one.point));
    return Evaluate(acquisition, points);
  };
  for (int round = 0; round < kMostDraws; ++round) {
    std::vector<Candidate> candidates = Allowed(number, Draw(ranked, &random));
    if (candidates.empty()) continue;
    const std::vector<double> values = evaluate(candidates);
    std::vector<std::size_t> order(candidates.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
    std::vector<CubePoint> climbed;
    for (std::size_t i = 0; i < std::min(kClimbs, order.size()); ++i) {
      climbed.push_back(Climb(candidates[order[i]].point, acquisition));
      for (double& coordinate : climbed.back()) {
        // Where a parameter does not exist, any coordinate stands for it.
        if (std::isnan(coordinate)) coordinate = 0.5;
      }
    }
    std::vector<Candidate> final = Allowed(number, climbed);
    final.push_back(std::move(candidates[order[0]]));
    const std::vector<double> final_values = evaluate(final);
    const auto largest = std::max_element(final_values.begin(), final_values.end());
    Candidate& chosen = final[static_cast<std::size_t>(largest - final_values.begin())];
    return Choice{.configuration = std::move(chosen.configuration),
                  .expected_improvement = ImprovementAt(chosen.point, acquisition)};
  }
  return std::nullopt;
}

void GpSearch::Describe(const std::vector<std::vector<SlicePlace>>& places,
                        std::vector<ModelSlice>* slices) {
  // The places that are allowed: their numbers, and where they are for the processes.
  const auto allowed = [&](const std::vector<SlicePlace>& of_slice) {
    std::pair<std::vector<std::size_t>, std::vector<GaussianPoint>> found;
    for (std::size_t i = 0; i < of_slice.size(); ++i) {
      if (!of_slice[i].point) continue;
      found.first.push_back(i);
      found.second.push_back(ToProcess(*of_slice[i].point));
    }
    return found;
  };
  constexpr double kExcluded = std::numeric_limits<double>::quiet_NaN();
  // Running trials have no value: they would only make the interval narrow.
  const Acquisition acquisition = UpdateEnded();
  const double sign = spec().objective().maximize ? -1 : 1;
  for (std::size_t s = 0; s < slices->size(); ++s) {
    ModelSlice& slice = (*slices)[s];
    for (std::vector<double>* list : {&slice.mean, &slice.low, &slice.high, &slice.improvement}) {
      list->assign(places[s].size(), kExcluded);
    }
    const auto [numbers, points] = allowed(places[s]);
    if (points.empty()) continue;
    const GaussianProcess::Predictions predictions = process_.Predict(points);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double mean = predictions.means(static_cast<int>(i));
      const double reach = kInterval * std::sqrt(predictions.variances(static_cast<int>(i)));
      slice.mean[numbers[i]] = sign * scale_.CostAt(mean);
      slice.low[numbers[i]] = sign * scale_.CostAt(mean - sign * reach);
      slice.high[numbers[i]] = sign * scale_.CostAt(mean + sign * reach);
    }
  }
  AddRunning();
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t s = 0; s < slices->size(); ++s) {
    const auto [numbers, points] = allowed(places[s]);
    if (points.empty()) continue;
    const std::vector<double> values = Evaluate(acquisition, points);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      (*slices)[s].improvement[numbers[i]] = values[i];
      largest = std::max(largest, values[i]);
    }
  }
  for (ModelSlice& slice : *slices) {
    for (double& value : slice.improvement) value = std::exp(value - largest);
  }
}

}  // namespace sweep
