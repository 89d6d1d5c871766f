-- A database of schema version 1: the rows of version2.sql in the columns that version 1 had, without
-- the sweep with a program, which version 1 did not know. The schema is version 1's own.
BEGIN TRANSACTION;
CREATE TABLE artifacts (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  role TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES blobs (sha256),
  PRIMARY KEY (trial_id, role)
) STRICT, WITHOUT ROWID;
INSERT INTO "artifacts" VALUES(1,'weights_best','b1a4cf1092e9c62a39de6e67e4cd50bd665de9cf0de1e105d2bd5aca23ade976');
INSERT INTO "artifacts" VALUES(2,'weights_best','c6ac98063da61dfa53fb92ab784a72813d34be8deffc8e790c8e651d7ac85dca');
INSERT INTO "artifacts" VALUES(3,'weights_best','e99e4998c9a2bbab57038385a020d213778b539ec6f54d2949dcf13b877f9531');
INSERT INTO "artifacts" VALUES(4,'weights_best','d842a12af94cd9b0c105fb538c7ff3b13e421de74284696a4416d68815555bcc');
CREATE TABLE attempts (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  attempt INTEGER NOT NULL,
  worker TEXT NOT NULL,
  started_us INTEGER NOT NULL,
  ended_us INTEGER,
  outcome TEXT NOT NULL DEFAULT '' CHECK (outcome IN
    ('', 'completed', 'failed', 'lost', 'given_back', 'cancelled', 'stopped')),
  reason TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (trial_id, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES(1,1,'w1',1795257534522143,1795257534956878,'completed','');
INSERT INTO "attempts" VALUES(2,1,'w1',1795257535451255,1795257535825671,'completed','');
INSERT INTO "attempts" VALUES(3,1,'w1',1795257536063315,1795257536361425,'completed','');
INSERT INTO "attempts" VALUES(4,1,'w1',1795257536372481,1795257536531641,'completed','');
INSERT INTO "attempts" VALUES(7,1,'w1',1795257536763316,1795257537967296,'failed','trainer closed its output
a line of log of done/3
a line of log of done/4
a line of log of waits/1');
INSERT INTO "attempts" VALUES(7,2,'w1',1795257537970864,1795257539194686,'failed','trainer closed its output
a line of log of waits/1');
INSERT INTO "attempts" VALUES(7,3,'w1',1795257539203087,1795257541354767,'lost','worker w1: no heartbeat for 2 s');
INSERT INTO "attempts" VALUES(8,1,'w2',1795257543659782,1795257544871264,'failed','trainer closed its output
a line of log of waits/2');
INSERT INTO "attempts" VALUES(8,2,'w2',1795257544910853,1795257546183221,'failed','trainer closed its output
a line of log of waits/2');
INSERT INTO "attempts" VALUES(8,3,'w2',1795257546211091,NULL,'','');
CREATE TABLE blobs (
  sha256 TEXT NOT NULL PRIMARY KEY,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "blobs" VALUES('0256b15f276884f8f926dd2436cbdea3b012e0e383e36c2a34cbe0c7199f457b',16,1795257535998867);
INSERT INTO "blobs" VALUES('0786795b8c8fa53c61d998a85e334cf9e7ea8abe8ac0c84348fe610696d4cc9e',13,1795257536514684);
INSERT INTO "blobs" VALUES('3bcb54954491168caec4900ab9619cffcca6e8c1bcc94b9ece1272e9dcb05ebc',13,1795257534805870);
INSERT INTO "blobs" VALUES('3e986cb42cc8734acc97132c5b35e856311a9c63c9a1d3451c7612516e4d6fb1',15,1795257535302669);
INSERT INTO "blobs" VALUES('47aaa109d3b9803bee7810e3411f98b680676992bfcf0aa7987c56ae34f28ccf',13,1795257535726721);
INSERT INTO "blobs" VALUES('71e76f576119bb1d2ff42cdb9dfd021a887c6534826c2f980f2e2e59105c7a8f',16,1795257535194747);
INSERT INTO "blobs" VALUES('b114a68e6c219c6749df6513204cee355c97d3268fc5ac5c62bb09c75d051bb0',15,1795257536030899);
INSERT INTO "blobs" VALUES('b1a4cf1092e9c62a39de6e67e4cd50bd665de9cf0de1e105d2bd5aca23ade976',12,1795257534939464);
INSERT INTO "blobs" VALUES('c431fb8dc8ebfddf93cb6acacecffb1a843f36a89c9487adfc0f5daed11fcbf6',13,1795257536295179);
INSERT INTO "blobs" VALUES('c6ac98063da61dfa53fb92ab784a72813d34be8deffc8e790c8e651d7ac85dca',12,1795257535798870);
INSERT INTO "blobs" VALUES('d842a12af94cd9b0c105fb538c7ff3b13e421de74284696a4416d68815555bcc',12,1795257536526747);
INSERT INTO "blobs" VALUES('d98689e2c85bbf4b66700040360cb22aa4799e0f8b76439d9e3636bfcb31633f',14,1795257536941620);
INSERT INTO "blobs" VALUES('e99e4998c9a2bbab57038385a020d213778b539ec6f54d2949dcf13b877f9531',12,1795257536334876);
INSERT INTO "blobs" VALUES('f8bc73349a05ea545e8a2b19033da98854a66e0bacea1cae5c625988a22183af',14,1795257543830699);
CREATE TABLE configurations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  number INTEGER NOT NULL,
  parameters TEXT NOT NULL CHECK (json_valid(parameters)),
  resolved TEXT NOT NULL CHECK (json_valid(resolved)),
  model TEXT NOT NULL,
  network_parameters INTEGER NOT NULL,
  fully_connected INTEGER NOT NULL CHECK (fully_connected IN (0, 1)),
  forward_flops INTEGER NOT NULL,
  train_flops INTEGER NOT NULL,
  receptive_field INTEGER NOT NULL,
  has_value INTEGER NOT NULL DEFAULT 0 CHECK (has_value IN (0, 1)),
  qualifies INTEGER NOT NULL DEFAULT 0 CHECK (qualifies IN (0, 1)),
  value REAL DEFAULT 0,
  metric REAL DEFAULT 0,
  rank_key REAL NOT NULL DEFAULT 9e999,
  epochs_to_target INTEGER NOT NULL DEFAULT 0,
  best_trial_id INTEGER REFERENCES trials (id),
  best_replicate INTEGER NOT NULL DEFAULT 0,
  replicates INTEGER NOT NULL DEFAULT 0,
  mean_last_accuracy REAL NOT NULL DEFAULT 0,
  mean_half_width REAL NOT NULL DEFAULT 0,
  gates TEXT NOT NULL DEFAULT '[]',
  UNIQUE (sweep_id, number)
) STRICT;
INSERT INTO "configurations" VALUES(1,1,1,'{"lr":0.02}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.02,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.02,"model":"widths-net.yaml","momentum":0.9,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0,"width":16}','widths',8698,0,2399040,6971328,54,1,1,0.922,0.922,-0.922,2,2,1,2,0.9215,6.35310236808771071348e-03,'[{"gate":"accuracy >= 0.92","met":true,"missed_by":0.0,"value":0.922}]');
INSERT INTO "configurations" VALUES(2,1,2,'{"lr":0.05}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.02,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.05,"model":"widths-net.yaml","momentum":0.9,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0,"width":16}','widths',8698,0,2399040,6971328,54,1,1,0.924,0.924,-0.924,2,4,1,2,0.9235,6.35310236808771071348e-03,'[{"gate":"accuracy >= 0.92","met":true,"missed_by":0.0,"value":0.924}]');
INSERT INTO "configurations" VALUES(5,3,1,'{"lr":0.02}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.05,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.02,"model":"cnn-18718","momentum":0.95,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','cnn-18718',18718,0,2204640,6472800,46,1,0,0.911,0.911,-0.911,0,7,0,1,0.911,0.0,'[{"gate":"accuracy >= 0.92","met":false,"missed_by":0.009000000000000008,"value":0.911}]');
INSERT INTO "configurations" VALUES(6,3,2,'{"lr":0.05}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.05,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.05,"model":"cnn-18718","momentum":0.95,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','cnn-18718',18718,0,2204640,6472800,46,1,0,0.912,0.912,-0.912,0,8,0,1,0.912,0.0,'[{"gate":"accuracy >= 0.92","met":false,"missed_by":0.008000000000000007,"value":0.912}]');
CREATE TABLE divergences (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  first_attempt INTEGER NOT NULL,
  reported_us INTEGER NOT NULL,
  PRIMARY KEY (trial_id, epoch, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO "divergences" VALUES(7,1,2,1,1795257538128045);
CREATE TABLE epoch_reports (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL CHECK (epoch >= 1),
  train_loss REAL,
  train_accuracy REAL,
  validation_loss REAL,
  validation_accuracy REAL,
  lr REAL,
  train_seconds REAL,
  evaluate_seconds REAL,
  images_per_second REAL,
  reported_us INTEGER NOT NULL,
  PRIMARY KEY (trial_id, attempt, epoch)
) STRICT, WITHOUT ROWID;
INSERT INTO "epoch_reports" VALUES(1,1,1,0.3,0.8,0.21,0.911,0.01,2.0,0.5,32.0,1795257534823427);
INSERT INTO "epoch_reports" VALUES(1,1,2,0.3,0.8,0.21,0.921,0.01,2.0,0.5,32.0,1795257534823427);
INSERT INTO "epoch_reports" VALUES(2,1,1,0.3,0.8,0.22,0.912,0.01,2.0,0.5,32.0,1795257535680406);
INSERT INTO "epoch_reports" VALUES(2,1,2,0.3,0.8,0.22,0.922,0.01,2.0,0.5,32.0,1795257535747844);
INSERT INTO "epoch_reports" VALUES(3,1,1,0.3,0.8,0.23,0.913,0.01,2.0,0.5,32.0,1795257536297846);
INSERT INTO "epoch_reports" VALUES(3,1,2,0.3,0.8,0.23,0.923,0.01,2.0,0.5,32.0,1795257536297846);
INSERT INTO "epoch_reports" VALUES(4,1,1,0.3,0.8,0.24,0.914,0.01,2.0,0.5,32.0,1795257536507791);
INSERT INTO "epoch_reports" VALUES(4,1,2,0.3,0.8,0.24,0.924,0.01,2.0,0.5,32.0,1795257536519108);
INSERT INTO "epoch_reports" VALUES(7,1,1,0.3,0.8,0.21,0.911,0.01,2.0,0.5,32.0,1795257536947767);
INSERT INTO "epoch_reports" VALUES(7,2,1,0.3,0.8,0.21,0.911,0.01,2.0,0.5,32.0,1795257538128045);
INSERT INTO "epoch_reports" VALUES(7,3,1,0.3,0.8,0.21,0.911,0.01,2.0,0.5,32.0,1795257539405228);
INSERT INTO "epoch_reports" VALUES(8,1,1,0.3,0.8,0.22,0.912,0.01,2.0,0.5,32.0,1795257543835325);
INSERT INTO "epoch_reports" VALUES(8,2,1,0.3,0.8,0.22,0.912,0.01,2.0,0.5,32.0,1795257545111497);
INSERT INTO "epoch_reports" VALUES(8,3,1,0.3,0.8,0.22,0.912,0.01,2.0,0.5,32.0,1795257546396247);
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  kind TEXT NOT NULL CHECK (kind IN ('sweep', 'trial', 'epoch')),
  trial_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  time_us INTEGER NOT NULL
) STRICT;
INSERT INTO "events" VALUES(1,1,'sweep',0,0,0,0,1795257533894843);
INSERT INTO "events" VALUES(2,1,'trial',1,1,0,0,1795257533906697);
INSERT INTO "events" VALUES(3,1,'trial',2,2,0,0,1795257533906697);
INSERT INTO "events" VALUES(4,1,'trial',3,3,0,0,1795257533906697);
INSERT INTO "events" VALUES(5,1,'trial',4,4,0,0,1795257533906697);
INSERT INTO "events" VALUES(9,1,'trial',1,1,1,0,1795257534522143);
INSERT INTO "events" VALUES(10,1,'epoch',1,1,1,1,1795257534823427);
INSERT INTO "events" VALUES(11,1,'epoch',1,1,1,2,1795257534823427);
INSERT INTO "events" VALUES(12,1,'trial',1,1,1,0,1795257534823427);
INSERT INTO "events" VALUES(13,1,'trial',1,1,1,0,1795257534956878);
INSERT INTO "events" VALUES(19,1,'trial',2,2,1,0,1795257535451255);
INSERT INTO "events" VALUES(20,1,'epoch',2,2,1,1,1795257535680406);
INSERT INTO "events" VALUES(21,1,'trial',2,2,1,0,1795257535680406);
INSERT INTO "events" VALUES(22,1,'epoch',2,2,1,2,1795257535747844);
INSERT INTO "events" VALUES(23,1,'trial',2,2,1,0,1795257535825671);
INSERT INTO "events" VALUES(30,1,'trial',3,3,1,0,1795257536063315);
INSERT INTO "events" VALUES(31,1,'epoch',3,3,1,1,1795257536297846);
INSERT INTO "events" VALUES(32,1,'epoch',3,3,1,2,1795257536297846);
INSERT INTO "events" VALUES(33,1,'trial',3,3,1,0,1795257536297846);
INSERT INTO "events" VALUES(34,1,'trial',3,3,1,0,1795257536361425);
INSERT INTO "events" VALUES(35,1,'trial',4,4,1,0,1795257536372481);
INSERT INTO "events" VALUES(36,1,'epoch',4,4,1,1,1795257536507791);
INSERT INTO "events" VALUES(37,1,'trial',4,4,1,0,1795257536507791);
INSERT INTO "events" VALUES(38,1,'epoch',4,4,1,2,1795257536519108);
INSERT INTO "events" VALUES(39,1,'trial',4,4,1,0,1795257536531641);
INSERT INTO "events" VALUES(40,1,'sweep',0,0,0,0,1795257536531641);
INSERT INTO "events" VALUES(41,3,'sweep',0,0,0,0,1795257536746746);
INSERT INTO "events" VALUES(42,3,'trial',7,1,0,0,1795257536759919);
INSERT INTO "events" VALUES(43,3,'trial',8,2,0,0,1795257536759919);
INSERT INTO "events" VALUES(44,3,'trial',7,1,1,0,1795257536763316);
INSERT INTO "events" VALUES(45,3,'epoch',7,1,1,1,1795257536947767);
INSERT INTO "events" VALUES(46,3,'trial',7,1,1,0,1795257536947767);
INSERT INTO "events" VALUES(47,3,'trial',7,1,1,0,1795257537967296);
INSERT INTO "events" VALUES(48,3,'trial',7,1,2,0,1795257537970864);
INSERT INTO "events" VALUES(49,3,'trial',7,1,2,0,1795257538128045);
INSERT INTO "events" VALUES(50,3,'trial',7,1,2,0,1795257539194686);
INSERT INTO "events" VALUES(51,3,'trial',7,1,3,0,1795257539203087);
INSERT INTO "events" VALUES(52,3,'trial',7,1,3,0,1795257539405228);
INSERT INTO "events" VALUES(53,3,'sweep',0,0,0,0,1795257540101930);
INSERT INTO "events" VALUES(54,3,'sweep',0,0,0,0,1795257540250129);
INSERT INTO "events" VALUES(55,3,'trial',7,1,3,0,1795257541354767);
INSERT INTO "events" VALUES(56,3,'trial',8,2,1,0,1795257543659782);
INSERT INTO "events" VALUES(57,3,'epoch',8,2,1,1,1795257543835325);
INSERT INTO "events" VALUES(58,3,'trial',8,2,1,0,1795257543835325);
INSERT INTO "events" VALUES(59,3,'trial',8,2,1,0,1795257544871264);
INSERT INTO "events" VALUES(60,3,'trial',8,2,2,0,1795257544910853);
INSERT INTO "events" VALUES(61,3,'trial',8,2,2,0,1795257545111497);
INSERT INTO "events" VALUES(62,3,'trial',8,2,2,0,1795257546183221);
INSERT INTO "events" VALUES(63,3,'trial',8,2,3,0,1795257546211091);
INSERT INTO "events" VALUES(64,3,'trial',8,2,3,0,1795257546396247);
CREATE TABLE sweep_files (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  role TEXT NOT NULL CHECK (role IN ('sweep', 'network')),
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (sweep_id, role, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "sweep_files" VALUES(1,'network','widths-net.yaml','# A network whose width a sweep chooses; see widths.yaml. 9 × width² × 3 weights and some more:
# 18,226 parameters at width 24.
name: widths
description: Five convolutions of one width, which is swept
input: [1, 28, 28]
parameters: {width: 16}

layers:
  - conv: {out: "${width}", kernel: 3, padding: same}
  - relu
  - batch_norm
  - max_pool: 2

  - conv: {out: "${width}", kernel: 3, padding: same}
  - relu
  - batch_norm
  - dropout
  - conv: {out: "${width}", kernel: 3, padding: same}
  - relu
  - batch_norm
  - dropout
  - max_pool: 2

  - conv: {out: "${width}", kernel: 3, padding: same}
  - relu
  - batch_norm
  - conv: {out: 10, kernel: 3, padding: same}
  - global_avg_pool
  - log_softmax

recipes:
  seed:
    source: a first guess
    values: {batch_size: 64, lr: 0.05, momentum: 0.9, dropout: 0.02}
');
INSERT INTO "sweep_files" VALUES(1,'sweep','done.yaml','name: done
model: widths-net.yaml
dataset: {name: synthetic, train: 64, test: 200}
method: grid
replicates: 2
epochs: 2
require: {accuracy: ">= 0.92"}
parameters:
  lr: {values: [0.02, 0.05]}
');
INSERT INTO "sweep_files" VALUES(3,'sweep','waits.yaml','name: waits
model: cnn-18718
dataset: {name: synthetic, train: 64, test: 200}
method: grid
replicates: 1
epochs: 2
require: {accuracy: ">= 0.92"}
parameters:
  lr: {values: [0.02, 0.05]}
');
CREATE TABLE sweeps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'completed', 'cancelled')),
  digest TEXT NOT NULL,
  principal TEXT NOT NULL,
  labels TEXT NOT NULL CHECK (json_valid(labels)),
  metric TEXT NOT NULL,
  goal TEXT NOT NULL CHECK (goal IN ('maximize', 'minimize')),
  planned_configurations INTEGER NOT NULL,
  configurations INTEGER NOT NULL DEFAULT 0,
  exhausted INTEGER NOT NULL DEFAULT 0 CHECK (exhausted IN (0, 1)),
  pending INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
  running INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
  completed INTEGER NOT NULL DEFAULT 0 CHECK (completed >= 0),
  stopped INTEGER NOT NULL DEFAULT 0 CHECK (stopped >= 0),
  failed INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
  qualifying INTEGER NOT NULL DEFAULT 0 CHECK (qualifying >= 0),
  created_us INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  ended_us INTEGER
) STRICT;
INSERT INTO "sweeps" VALUES(1,'done','completed','54bd45c649b61be54c355f7a0f6a3b90bcc5e6ad408333a2cea17fcc96ca7cf6','ada@example','{}','accuracy','maximize',2,2,1,0,0,4,0,0,0,2,1795257533894843,1795257536531641,1795257536531641);
INSERT INTO "sweeps" VALUES(3,'waits','active','c1c9c9e1535799084c598c14b0c34bd9efe814655bbbfed2e5e35135ba7f0504','ada@example','{}','accuracy','maximize',2,2,1,0,1,0,0,1,0,0,1795257536746746,1795257540250129,NULL);
CREATE TABLE trials (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  number INTEGER NOT NULL,
  configuration_id INTEGER NOT NULL REFERENCES configurations (id),
  replicate INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('pending', 'leased', 'running', 'completed', 'stopped', 'failed', 'cancelled')),
  seed INTEGER NOT NULL,
  epochs INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  secret TEXT NOT NULL DEFAULT '',
  worker TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  epoch INTEGER NOT NULL DEFAULT 0,
  last_accuracy REAL DEFAULT 0,
  last_loss REAL DEFAULT 0,
  best_accuracy REAL DEFAULT 0,
  best_epoch INTEGER NOT NULL DEFAULT 0,
  best_loss REAL DEFAULT 0,
  best_gated_accuracy REAL DEFAULT 0,
  best_gated_epoch INTEGER NOT NULL DEFAULT 0,
  epochs_to_target INTEGER NOT NULL DEFAULT 0,
  seconds REAL NOT NULL DEFAULT 0,
  checkpoint_sha256 TEXT NOT NULL DEFAULT '',
  checkpoint_epoch INTEGER NOT NULL DEFAULT 0,
  created_us INTEGER NOT NULL,
  started_us INTEGER,
  ended_us INTEGER,
  UNIQUE (sweep_id, number),
  UNIQUE (configuration_id, replicate)
) STRICT;
INSERT INTO "trials" VALUES(1,1,1,1,0,'completed',4106800331127663990,2,1,0,'80e38a31ced667d1f3727cb320d31d91','w1','',2,0.921,0.21,0.921,2,0.21,0.921,2,2,5.0,'3bcb54954491168caec4900ab9619cffcca6e8c1bcc94b9ece1272e9dcb05ebc',1,1795257533906697,1795257534522143,1795257534956878);
INSERT INTO "trials" VALUES(2,1,2,1,1,'completed',6170631265182560646,2,1,0,'6073a8b77d65d6a9192bb8b4c70c27be','w1','',2,0.922,0.22,0.922,2,0.22,0.922,2,2,5.0,'47aaa109d3b9803bee7810e3411f98b680676992bfcf0aa7987c56ae34f28ccf',1,1795257533906697,1795257535451255,1795257535825671);
INSERT INTO "trials" VALUES(3,1,3,2,0,'completed',4106800331127663990,2,1,0,'c73c440a27ebd58e47d9be58a54cbb48','w1','',2,0.923,0.23,0.923,2,0.23,0.923,2,2,5.0,'c431fb8dc8ebfddf93cb6acacecffb1a843f36a89c9487adfc0f5daed11fcbf6',1,1795257533906697,1795257536063315,1795257536361425);
INSERT INTO "trials" VALUES(4,1,4,2,1,'completed',6170631265182560646,2,1,0,'3bb171b6c2da234c0bb6e26ab5b28922','w1','',2,0.924,0.24,0.924,2,0.24,0.924,2,2,5.0,'0786795b8c8fa53c61d998a85e334cf9e7ea8abe8ac0c84348fe610696d4cc9e',1,1795257533906697,1795257536372481,1795257536531641);
INSERT INTO "trials" VALUES(7,3,1,5,0,'failed',4106800331127663990,2,3,3,'fc0967d0a2d1f5e30583722941323cd6','w1','lost 1 time: worker w1: no heartbeat for 2 s',1,0.911,0.21,0.911,1,0.21,0.911,1,0,2.5,'d98689e2c85bbf4b66700040360cb22aa4799e0f8b76439d9e3636bfcb31633f',1,1795257536759919,1795257536763316,1795257541354767);
INSERT INTO "trials" VALUES(8,3,2,6,0,'running',4106800331127663990,2,3,2,'9880e41232fe7cf71706444a4c6f5ad2','w2','',1,0.912,0.22,0.912,1,0.22,0.912,1,0,2.5,'f8bc73349a05ea545e8a2b19033da98854a66e0bacea1cae5c625988a22183af',1,1795257536759919,1795257543659782,NULL);
CREATE INDEX sweeps_unfinished ON sweeps (id) WHERE state IN ('active', 'paused');
CREATE INDEX configurations_by_rank ON configurations (
  sweep_id, qualifies DESC, has_value DESC, rank_key, (epochs_to_target = 0), epochs_to_target,
  network_parameters, number);
CREATE INDEX trials_by_state ON trials (sweep_id, state, number);
CREATE INDEX events_by_sweep ON events (sweep_id, sequence);
CREATE VIEW runs AS
SELECT
  s.name AS sweep,
  t.number AS trial,
  t.state AS state,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  t.epoch AS epoch,
  t.epochs AS epochs,
  iif(t.epoch > 0, t.best_accuracy, NULL) AS best_accuracy,
  nullif(t.best_epoch, 0) AS best_epoch,
  iif(t.epoch > 0, t.last_accuracy, NULL) AS last_accuracy,
  iif(t.epoch > 0, t.best_loss, NULL) AS best_loss,
  iif(t.epoch > 0, t.last_loss, NULL) AS last_loss,
  nullif(t.epochs_to_target, 0) AS epochs_to_target,
  c.network_parameters AS network_parameters,
  round(t.seconds, 3) AS seconds,
  c.number AS configuration,
  t.replicate AS replicate,
  t.seed AS seed,
  t.attempt AS attempts,
  t.failures AS failures,
  t.worker AS worker,
  strftime('%Y-%m-%dT%H:%M:%SZ', t.created_us / 1000000, 'unixepoch') AS created,
  strftime('%Y-%m-%dT%H:%M:%SZ', t.started_us / 1000000, 'unixepoch') AS started,
  strftime('%Y-%m-%dT%H:%M:%SZ', t.ended_us / 1000000, 'unixepoch') AS ended,
  t.reason AS reason,
  c.parameters AS parameters
FROM trials t
JOIN configurations c ON c.id = t.configuration_id
JOIN sweeps s ON s.id = t.sweep_id;
CREATE VIEW epochs AS
SELECT
  s.name AS sweep,
  t.number AS trial,
  e.epoch AS epoch,
  e.train_loss AS train_loss,
  e.train_accuracy AS train_accuracy,
  e.validation_loss AS validation_loss,
  e.validation_accuracy AS validation_accuracy,
  e.lr AS lr,
  e.train_seconds AS train_seconds,
  e.evaluate_seconds AS evaluate_seconds,
  e.images_per_second AS images_per_second,
  e.attempt AS attempt,
  strftime('%Y-%m-%dT%H:%M:%SZ', e.reported_us / 1000000, 'unixepoch') AS reported
FROM epoch_reports e
JOIN trials t ON t.id = e.trial_id
JOIN sweeps s ON s.id = t.sweep_id
WHERE NOT EXISTS (
  SELECT 1 FROM epoch_reports f
  WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt);
CREATE VIEW ranking AS
SELECT
  s.name AS sweep,
  row_number() OVER (
    PARTITION BY c.sweep_id
    ORDER BY c.qualifies DESC, c.has_value DESC, c.rank_key, c.epochs_to_target = 0,
      c.epochs_to_target, c.network_parameters, c.number) AS rank,
  t.number AS trial,
  c.qualifies AS qualifies,
  iif(c.has_value, c.value, NULL) AS accuracy,
  nullif(c.epochs_to_target, 0) AS epochs_to_target,
  c.network_parameters AS network_parameters,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  iif(c.has_value, c.metric, NULL) AS metric,
  c.replicates AS replicates,
  iif(c.replicates > 0, c.mean_last_accuracy, NULL) AS mean_last_accuracy,
  iif(c.replicates > 1, c.mean_half_width, NULL) AS mean_half_width,
  t.state AS state,
  c.number AS configuration,
  c.parameters AS parameters
FROM configurations c
JOIN trials t ON t.id = c.best_trial_id
JOIN sweeps s ON s.id = c.sweep_id
ORDER BY c.sweep_id, rank;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('sweeps',3);
INSERT INTO "sqlite_sequence" VALUES('configurations',6);
INSERT INTO "sqlite_sequence" VALUES('trials',8);
INSERT INTO "sqlite_sequence" VALUES('events',64);
COMMIT;
PRAGMA application_id = 1398228304;
PRAGMA user_version = 1;
