// Generated from proto/sweep/documents/documents.proto by documents_test; do not edit.
// SWEEP_UPDATE_GOLDEN=1 build/release/bin/documents_test writes it again.
//
// The JSON that the coordinator serves under /api, and that a report carries inside itself. What the
// client says too is in messages that answers.proto shares: ...Facts, ...Details and others.
//
// All answers but files are JSON in UTF-8, at most 300 kB. Numbers that are not finite are null.
// Times are ISO 8601 in UTC. Shares are from 0 to 1. Every GET answer has an ETag, so
// that asking again costs nothing while nothing has changed. Errors are ApiError with the HTTP
// status 400 (bad input), 403 (action refused), 404 (no such thing), 409 (state does not allow it)
// or 503 (busy; Retry-After says when to come again).

export interface ApiError {
  error: { code: string; message: string }; // code: "INVALID_ARGUMENT", "NOT_FOUND", …
}

export type SweepState = "active" | "paused" | "completed" | "cancelled";

export type TrialState =
  | "pending"
  | "leased"
  | "running"
  | "completed"
  | "stopped"
  | "failed"
  | "diverged"
  | "cancelled"
  | "on_hold";

// A value of a hyperparameter or of a gate.
export type Value = number | string | boolean;

// A number that trainings report once per epoch.
export interface Measure {
  name: string; // "val/f1"; of one that is predefined the whole name: "validation_accuracy"
  title: string; // "accuracy"; the name of one that is not predefined
  unit: string; // "share", "s", "/s", what a sweep file says, or ""
  direction: number; // 1: more is better, -1: less is, 0: neither, or nobody has said
}

// Of one measure over the epochs of a trial. Null: only what is not a number was reported.
export interface MeasureSummary {
  last: number | null;
  low: number | null;
  high: number | null;
}

export interface TrialCounts {
  pending: number;
  running: number;
  completed: number;
  stopped: number;
  failed: number;
  diverged: number; // not among the failed
  cancelled: number;
  on_hold: number; // neither pending nor ended
}

// GET /api/sweeps?page_token=T&page_size=N (50; at most 200)&search=TEXT: newest first; with
// `search`, those that have it in their name or in a label as "key=value", in letters of either case.
export interface SweepsView {
  sweeps: SweepSummary[];
  next_page_token: string; // "" on the last page
  total: number;
  coordinator: { version: string; database: string; actions_allowed: boolean };
}

export interface Objective {
  name: string; // as the file calls it
  maximize: boolean;
}

// Of a sweep, in lists too.
export interface SweepFacts {
  name: string;
  state: SweepState;
  qualifying: number; // configurations that meet all criteria so far
  best_value: number | null; // its value of the sweep's metric, within the gates' epoch limit
  best_qualifies: boolean; // the best trial meets all criteria; otherwise none does so far
  seconds_left: number | null; // an estimate; null when nothing can be said
  disk_bytes: number; // about what its rows and the files of its ended trials take
  create_time: string;
  pause_reason: string; // why the coordinator paused it, or empty
  file_refusal: string; // why this build does not accept the sweep's file, so that it does not run; or empty
  archived: boolean; // left out of lists
  labels: Record<string, string>;
}

export interface SweepDetails {
  method: string;
  metric: string; // the first objective, as the file calls it
  maximize: boolean;
  objectives: Objective[]; // what the sweep ranks by, the metric first: name, maximize
  planned_trials: number; // trials of a full run; with replicates: auto those that are certain
  replicates: number; // trainings of a configuration, at most
  epochs: number; // epochs of a full run
  trials: TrialCounts;
  gates: string[]; // in words, in the order of the file
  best_trial: string; // "NAME/N", as the ranking has it
  end_time: string | null;
  search_reason: string;
  method_reason: string; // why this method, where the file leaves the choice; else empty
  most_trials: number; // trials of a full run at most, with all that a race may still add
  min_replicates: number; // trainings that every configuration gets
}

export interface SweepSummary extends SweepFacts, SweepDetails {
  objective_measures: Measure[]; // the objectives, as measures
}

// What a sweep has taken from an earlier one.
export interface WarmStart {
  source: string;
  taken: number;
  left_out: number;
  reason: string;
}

export interface SweepOrigin {
  trained_by: string; // workers, or callers that ask for trials
  revision: number; // of its sweep file: 1 as submitted, one more by each edit
  warm_starts: WarmStart[]; // what its search knew from earlier sweeps: source, taken, left_out, and reason, why the first one left out was
}

// The bounds of the gates on measures by their names, the last epoch that the epoch gate permits, the
// largest permitted number of network parameters; null where there is no such gate.
export interface Target {
  measures: Record<string, number | null>;
  epoch: number | null;
  parameters: number | null;
}

// GET /api/sweeps/NAME
export interface SweepView extends SweepSummary, SweepOrigin {
  description: string;
  source: string; // the sweep file
  source_file: string;
  network_files: Record<string, string>;
  program: string[];
  data_sha256: string; // of what it is trained on; "" until a worker has read it
  models: string[];
  dimensions: Dimension[]; // what varies between trials
  measures: Measure[]; // that are judged, declared or predefined, whether reported or not
  target: Target;
}

export interface Dimension {
  name: string; // "lr"; "model" when networks vary
  kind: "log" | "linear" | "category";
  integer: boolean;
  min: number | null; // of the search space; null for categories
  max: number | null;
  categories: Value[]; // empty for numbers
}

// GET /api/sweeps/NAME/curves?metric=MEASURE (the first objective)&limit=N (60; at most 200)
// Aggregated over all trials on the server; curves of the best, the running and the latest.
export interface CurvesView {
  metric: string;
  measures: Measure[]; // to choose from: those that are judged, and what else trials have reported
  epochs: number;
  total_trials: number; // with at least one epoch
  ready: boolean; // false: the bands are still being summed up; ask again
  // Empty for a measure that is not judged and not predefined.
  bands: {
    epoch: number;
    count: number;
    p5: number;
    p25: number;
    p50: number;
    p75: number;
    p95: number;
    best: number;
  }[];
  curves: {
    trial: number;
    state: TrialState;
    qualifies: boolean;
    reason: "best" | "running" | "latest";
    // values[i] belongs to epoch i + 1: the first acknowledged row of that epoch; null: not
    // reported, or not a number.
    values: (number | null)[];
  }[];
}

// GET /api/sweeps/NAME/points?metric=MEASURE (the first objective)&limit=N (1000; at most 2000)
// One row per trial that has a measured epoch, and per trial that diverged: for history, parallel
// coordinates, slice, contour and Pareto front. A trial that diverged has state "diverged" and null
// for best and last: it is drawn at the worst edge, with a mark of its own. Beyond the limit a fixed
// sample, the same for every measure, always with the best 200, every record of the history and the
// Pareto front.
export interface PointsView {
  metric: string;
  measures: Measure[]; // as CurvesView's
  dimensions: Dimension[];
  total: number;
  sampled: boolean;
  // "trial", "best" and "last" of the measure, "epochs_to_target", "network_parameters", "qualifies",
  // "state", "value" (the first objective as the ranking has it, within the gates' epoch limit),
  // "chosen_source" (as of a trial; null: not known), then the dimensions by name.
  columns: string[];
  rows: (Value | null)[][];
  // Trials that were the best so far as the ranking orders: those that qualify first, then by "value".
  // A line through their "value" ends at the summary's best_value.
  records: number[];
  // Pareto front of the first objective and network_parameters (less), by parameters.
  front: number[];
}

// GET /api/sweeps/NAME/population?metric=NAME: the segments in which a population is trained (method
// pbt), by trial. A sweep of another method has none.
export interface PopulationView {
  metric: string;
  measures: Measure[]; // as CurvesView's
  dimensions: Dimension[];
  epochs: number; // of a whole training
  population: number; // members; 0: the sweep has none
  total: number;
  segments: {
    trial: number;
    member: number; // of the population, from 1
    parent: number | null; // the trial with whose checkpoint it begins; null: untrained
    start_epoch: number; // after which it begins
    epoch: number; // its last so far; start_epoch before the first
    last: number | null; // of the measure; null before the first
    state: TrialState;
    chosen_source: string | null; // "went_on" and "copied" tell what its member did
    parameters: Record<string, Value>;
  }[];
}

// GET /api/sweeps/NAME/importance
export interface ImportanceView {
  method: "PED-ANOVA";
  metric: string;
  trials: number; // used
  diverged: number; // of them: counted as the worst
  enough: boolean; // false: too few trials to say anything; importances are empty
  importances: { name: string; importance: number }[]; // descending; they sum to 1
  note: string;
}

// GET /api/sweeps/NAME/model: what the sweep's search knows along each parameter, the others being as
// in the best configuration that has it. Computed on a thread of its own, again when results are new.
export interface ModelView {
  method: string;
  metric: string; // the first objective, as PointsView's
  ready: boolean; // false: new results are being learned from; the slices are from before
  configurations: number; // ended ones that the slices were learned from
  note: string; // why there are no slices; "" while they are being computed
  slices: {
    name: string; // as the dimension's
    // The first of the configuration whose other parameters it has; 0: one of an earlier sweep.
    trial: number;
    values: Value[];
    // What is expected of a configuration there, as its trials' mean, with the 95 % interval.
    mean: (number | null)[];
    low: (number | null)[];
    high: (number | null)[];
    // Expected from a trial there, as a share of the largest in all slices.
    improvement: (number | null)[];
    // Of suggestions, over this parameter alone; 1 is that of random points. Beside it that of the
    // points that are not among the best.
    density: (number | null)[];
    other_density: (number | null)[];
  }[];
}

// A box of hyperparameters.
export interface RegionFacts {
  answer: "computing" | "found" | "not_accepted" | "no_gates" | "nothing_varies" | "too_few" | "none_qualifies" | "not_sure"; // found; or why there is no region: no_gates, nothing_varies, too_few, none_qualifies, not_sure, not_accepted, computing
  note: string; // the same in words; "" when it was found
  configurations: number; // ended ones that the model has learned from
  runs: number; // that the model has learned from
  around: number; // the first trial of the configuration that the region lies around; 0: none
  expected: number | null; // the share of the region's runs that meet the criteria, by the model
  expected_interval: [number, number] | null; // its 95 % interval, if the model is wrong everywhere in the same direction
  runs_inside: number; // runs of the sweep itself in the region
  qualifying_inside: number; // those of them that met the criteria
  qualifying_interval: [number, number] | null; // 95 % interval of their share (Wilson); null without runs
  volume: number | null; // the region as a share of the search space, as runs are drawn from it
  ranges: {
    name: string; // as the dimension's
    // The ends, both included; null where the order of a list has no meaning.
    low: Value | null;
    high: Value | null;
    values: Value[]; // those of a list
    // The same of all runs that the model has learned from: no region goes beyond.
    tried_low: Value | null;
    tried_high: Value | null;
    tried: Value[];
  }[]; // one object for each parameter: name, low, high, values (of a list), tried_low, tried_high, tried
  slices: {
    name: string;
    values: Value[];
    // That a run meets the criteria, the other parameters being drawn from the region, and the 95 %
    // interval.
    chance: (number | null)[];
    low: (number | null)[];
    high: (number | null)[];
  }[]; // the chance along each parameter: name, values, chance, low, high
}

// The box of one of several networks. `configurations` and `runs` are its own; the model has learned
// from those of all.
export interface NetworkRegion extends RegionFacts {
  model: string;
}

// GET /api/sweeps/NAME/region?share=SHARE (0.9; from 0.5 to 0.99): the ranges of hyperparameters in
// which so many runs are expected to meet the criteria, by a model of the runs that have ended.
// Computed on a thread of its own, again when results are new.
export interface RegionView extends RegionFacts {
  ready: boolean; // false: new results are being learned from, and the answer is from before
  share: number; // of the region's runs that is asked for
  networks: NetworkRegion[]; // of several networks the box of each: model, and the same keys
}

// What a gate says of a configuration or of a trial.
export interface GateOutcome {
  gate: string;
  met: boolean;
  value: Value | null;
  missed_by: number;
}

// Of a configuration that is trained again with fresh seeds, beside what it was chosen by.
export interface FinalistFacts {
  configuration: number; // in the sweep that confirms
  selected: number | null; // the value that ranked it in the selection
  selected_mean: number | null; // mean of its replicates' last values of the metric in the selection
  confirmed: number | null; // mean of the last values of the metric of the fresh runs
  confirmed_interval: [number, number] | null; // 95 % interval of that mean; null for one run
  confirmed_bound: number | null; // the worse end of the one-sided 95 % interval of that mean
  optimism: number | null; // by how much selected_mean promised more than confirmed
  optimism_interval: [number, number] | null; // its 95 % interval, by that of the mean
  optimism_note: string; // why the two means are not of the same, and there is no optimism; or empty
  planned_runs: number; // fresh runs, of which ended_runs have ended
  ended_runs: number;
  qualifying_runs: number;
  qualifying_interval: [number, number] | null;
  qualifies: boolean;
  gates: GateOutcome[]; // empty before the first fresh run has reported
  group: number | null; // among the finalists, as RankingFacts'
  group_size: number | null;
  parameters: Record<string, Value>;
}

export interface FinalistRow extends FinalistFacts {
  rank: number; // in the selection, from 1
  trial: number | null; // that stood for it there
}

// GET /api/sweeps/NAME/confirmation: of a sweep that `sweep confirm` has made.
export interface ConfirmationView {
  selection: string; // by the name that it has now; "": the sweep confirms none
  is_there: boolean; // false: the selection was deleted, and `selection` is the name that it had
  finalists: FinalistRow[];
  // Configurations that the test images have judged: in the selection, and with all its
  // confirmations. Null where a program has images of its own, or where the selection is gone.
  selection_looks: number | null;
  test_looks: number | null;
  confirmations: number; // of the selection, this one among them
}

// GET /api/sweeps/NAME/ranking?where=EXPRESSION&state=S&qualifying=1&sort=KEY|KEY desc&offset=N
// &limit=N (50; at most 200): best first, or as `sort` says; the rest as with trials, of the trial that
// stands for its configuration. Ranks are those of the whole.
export interface RankingView {
  rows: RankingRow[];
  total: number; // that match
}

// Of a configuration, by the replicate that stands for it.
export interface RankingFacts {
  value: number | null; // of the first objective
  interval: [number, number] | null; // 95 % interval of the value, [low, high]: Wilson of an accuracy, of a mean Student's t; null where neither can be said
  value_epoch: number | null; // the epoch that it was measured in
  last: number | null; // of the first objective
  values: Record<string, number | null>; // of all objectives, and what is held against gates
  measures: Record<string, MeasureSummary>;
  mean_last: number | null; // mean of the replicates' last values of the metric
  mean_half_width: number | null; // half width of the 95 % interval of that mean
  mean_interval: [number, number] | null; // that interval, within what the metric can be; null for one replicate
  replicates: number; // those that have ended; while none has, those with a value
  group: number | null; // configurations with the same number cannot be told apart from the first of them (docs/statistics.md); null beyond the first 100
  group_size: number | null; // how many configurations are in that group
  ended_runs: number | null; // replicates that have ended, of several
  qualifying_runs: number | null; // how many of these meet all criteria by themselves
  qualifying_interval: [number, number] | null; // 95 % interval of the share of such runs, [low, high] (Wilson)
  configuration: number;
  network_parameters: number | null; // null: not known, as of a program without a network
  epochs_to_target: number | null; // null: not reached
  qualifies: boolean; // meets all criteria
  gates: GateOutcome[];
  state: TrialState;
  model: string;
  seed: string; // decimal; 64 bits do not fit a number
  defaults: Record<string, Value>; // as TrialFacts'
  parameters: Record<string, Value>;
}

export interface RankingRow extends RankingFacts {
  rank: number;
  front: number | null; // of several objectives: 1 for what no other beats, among those that qualify alike
  trial: number; // the replicate that stands for the configuration
}

// GET /api/sweeps/NAME/trials?state=S&where=EXPRESSION&sort=KEY|KEY desc&offset=N&limit=N (50; ≤ 200)
// `where` is the expression language of docs/expressions.md.
export interface TrialsView {
  rows: TrialRow[];
  total: number; // that match
}

// Of a trial, in lists too.
export interface TrialFacts {
  state: TrialState;
  parameters: Record<string, Value>; // what the search chose, or the file fixed
  epoch: number; // the last acknowledged epoch, 0 before the first
  epochs: number;
  best: number | null; // best value of the sweep's metric, also beyond the gates' epoch limit
  best_epoch: number | null; // the epoch that reached it
  last: number | null; // the value of the sweep's metric that was reported last
  measures: Record<string, MeasureSummary>; // what was reported, by name: last, low, high; in CSV last.NAME, low.NAME, high.NAME
  epochs_to_target: number | null; // first epoch at which all criteria are met; null before
  configuration: number; // 1-based within the sweep
  replicate: number; // 0-based within the configuration
  model: string;
  network_parameters: number | null; // trainable parameters of the network; null where there is none
  seed: string; // 64 bits, as text: many readers of JSON would round the number
  attempt_seconds: number | null; // time of its attempts, the running one up to now; pauses do not count; null before
  defaults: Record<string, Value>; // hyperparameters by name that the search did not choose, as trained
  attempt: number; // the latest lease, 0 before the first
  failures: number; // attempts that failed or were lost
  worker: string;
  reason: string; // why it failed or was cancelled
  chosen_by: string | null; // search method that chose its values; null when that was not stored yet
  chosen_source: string | null; // where they come from: try_first, sequence (grid, random, sobol), start_up, model, random (the model had none), stand_in (a start-up point, before it answered), or of a population went_on or copied (from a better member)
  expected_improvement: number | null; // by how much the model expected them to be better than the best, in units of the metric; null for a method that does not say
  seen_results: number | null; // configurations that had ended for the search; null for none
  member: number | null; // of a population: the member whose training it is a segment of, from 1; null in every other sweep
  parent: number | null; // of a population: the trial with whose checkpoint it begins; null: it begins untrained
  start_epoch: number | null; // of a population: the last epoch of the parent, 0 without one; null in every other sweep
  target_epoch: number | null; // epoch after which it completes, of a population, or rests; null: its last
}

// A segment of the training of a population.
export interface Ancestor {
  trial: number;
  member: number;
  start_epoch: number; // after which it begins
  epoch: number; // its last
  last: number | null; // of the sweep's metric
  chosen_source: string | null; // as TrialFacts'
  parameters: Record<string, Value>; // chosen by the search
}

export interface TrialDetails {
  fully_connected: boolean | null; // the network has a fully connected layer; null where that is not known
  evaluation_images: number | null; // images that were evaluated after each epoch; null where not known
  create_time: string;
  start_time: string | null;
  end_time: string | null;
  artifacts: { role: string; sha256: string; size_bytes: number }[]; // kept files: role, sha256, size_bytes
  lineage: Ancestor[]; // of a population: the segments that its weights come from, the first one first, itself last
}

export interface TrialRow extends TrialFacts {
  trial: number;
  qualifies: boolean; // of its configuration
}

// GET /api/sweeps/NAME/attempts?offset=N&limit=N (50; at most 200): every lease that was granted, by
// trial and attempt.
export interface AttemptsView {
  rows: AttemptRow[];
  total: number;
}

export interface Attempt {
  attempt: number;
  worker: string;
  start_time: string;
  end_time: string | null; // null while it runs
  // "running", "completed", "failed", "diverged", "lost", "given_back", "cancelled", "stopped", "held".
  outcome: string;
  reason: string;
}

export interface AttemptRow extends Attempt {
  trial: number;
}

// GET /api/sweeps/NAME/progress: what runs, at most 1,000 trials.
export interface ProgressView {
  progress: ProgressRow[];
}

export interface ProgressRow {
  trial: number;
  epoch: number; // that it trains
  epochs: number;
  step: number; // within the epoch; 0 of 0 while that is not known
  steps: number;
  loss: number | null;
  images_per_second: number | null;
  best: number | null; // of the first objective
  worker: string;
  // Of this trial, as fast as it went until now.
  seconds_left: number | null;
  parameters: Record<string, Value>;
  model: string;
}

// GET /api/sweeps/NAME/trials/N
export interface TrialView extends TrialRow, TrialDetails {
  sweep: string;
  sweep_state: SweepState;
  metric: string; // as its sweep's
  maximize: boolean;
  judged: string[]; // measures that its sweep ranks by, and that gates ask for
  reported: Measure[]; // these, and what else it has reported
  interval: [number, number] | null; // 95 % Wilson interval of its best validation_accuracy
  gates: GateOutcome[];
  target: Target;
  epoch_rows: EpochRow[]; // of every attempt, by attempt and epoch
  epoch_rows_left_out: number; // beyond 1,000
  attempts: Attempt[];
  // The line that the trainer gets: network, hyperparameters, normalisation.
  spec: Record<string, unknown>;
  network: NetworkTable | null; // null for a sweep with its own program
  reasons: string[]; // why it is in this state, above all why a pending one waits
  replay: string[]; // commands that train it again
  replay_note: string; // where they are to be run, or why there are none
  // How its values were chosen: "by gp, its model, after 57 results". Empty when that is not known.
  chosen: string;
}

export interface EpochRow {
  epoch: number;
  attempt: number;
  values: Record<string, number | null>; // what was reported; null: not a number
  report_time: string;
}

export interface NetworkTable {
  name: string;
  input: [number, number, number]; // channels, height, width
  parameters: number;
  fully_connected: boolean;
  forward_mflop: number;
  train_mflop: number;
  receptive_field: number;
  layers: {
    type: string; // "conv", "relu", …
    text: string; // "conv 16 3×3 same"
    output: [number, number, number]; // channels, height, width
    parameters: number;
    forward_mflop: number;
    receptive_field: number;
  }[];
}

// GET /api/sweeps/NAME/trials/N/logs?after=TOKEN&limit=N (500): to follow, ask with the last `next`.
export interface LogsView {
  lines: { attempt: number; line: number; time: string; text: string }[];
  next: string;
  more: boolean;
}

// GET /api/sweeps/NAME/trials/N/predictions: of the best epoch. 404 while there are none.
export interface PredictionsView {
  images: number;
  right: number;
  classes: number;
  confusion: number[][]; // [label][predicted]
  mistakes: { index: number; label: number; predicted: number }[]; // of those with a picture
  mistakes_total: number;
  shape: [number, number, number]; // channels, height, width of a picture
  // base64 of the mistakes' pixels, uint8 [mistake][channel][y][x], 0 is background.
  pictures: string;
}

// GET /api/sweeps/NAME/trials/N/weights?which=best|last: the safetensors file.

// GET /api/workers
export interface WorkersView {
  workers: WorkerRow[];
  now: string;
}

export interface WorkerRow {
  worker: string;
  state: "connected" | "draining" | "put aside" | "lost";
  host: string;
  slots: number;
  device: string; // one for all slots, or one for each: "cuda:0 NVIDIA H200, cuda:1 NVIDIA H200"
  images_per_second: number;
  completed: number;
  failed: number;
  trials: string[]; // "NAME/N"
  last_seen_time: string;
  build: string;
  pid: number;
  labels: Record<string, string>;
  put_aside: { failures: number; reason: string; until_time: string } | null;
  // Sweeps that it gets no trials of, because its data is not theirs.
  other_data: { sweep: string; data_sha256: string; path: string; sweep_data_sha256: string }[];
  expected_build: string | null; // its build is older than this one, which the coordinator expects; null: not
}

// GET /api/workers/timeline?minutes=N (60; at most 10080): what ran where, the latest 2,000 attempts.
export interface TimelineView {
  from: string;
  to: string;
  spans: {
    worker: string;
    trial: string;
    attempt: number;
    start: string;
    end: string | null;
    outcome: string;
  }[];
  left_out: number;
}

// What a report carries beside the documents, under /api/report.
export interface ReportInfo {
  time: string; // when it was written
  version: string; // of the client that wrote it
}

// Actions: POST with `Content-Type: application/json` from the same origin, on loopback only.
//   /api/sweeps/NAME/pause    {"now": boolean}
//   /api/sweeps/NAME/resume   {}
//   /api/sweeps/NAME/cancel   {}
//   /api/sweeps/NAME/retry    {"failed": boolean, "cancelled": boolean, "diverged": boolean}
//   /api/sweeps/NAME/trials/N/cancel | retry   {}; a trial that diverged is retried only with
//   {"force": true} (409 otherwise), since the same seed and values diverge again
// Each takes a "request_id", so that sending it again changes nothing. The answer is a SweepAnswer or
// a TrialAnswer.

export interface SweepAnswer {
  sweep: SweepSummary;
}

export interface TrialAnswer {
  trial: TrialRow;
}
