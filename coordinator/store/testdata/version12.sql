-- A database of schema version 12: that of version 11 in this folder, migrated. Written by .dump.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE sweeps (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state = 'active' OR state = 'paused' OR state = 'completed' OR state = 'cancelled'),
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
, search_reason TEXT NOT NULL DEFAULT '', give_back INTEGER NOT NULL DEFAULT 0 CHECK (give_back IN (0, 1)), diverged INTEGER NOT NULL DEFAULT 0 CHECK (diverged >= 0), data_sha256 TEXT NOT NULL DEFAULT '', pause_reason TEXT NOT NULL DEFAULT '', keep_going INTEGER NOT NULL DEFAULT 0 CHECK (keep_going IN (0, 1)), failures_alike TEXT NOT NULL DEFAULT '', archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)), disk_bytes INTEGER NOT NULL DEFAULT 0, objectives TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(objectives)), on_hold INTEGER NOT NULL DEFAULT 0 CHECK (on_hold >= 0), revision INTEGER NOT NULL DEFAULT 1, first_configuration INTEGER NOT NULL DEFAULT 1) STRICT;
INSERT INTO sweeps VALUES(1,'done','completed','54bd45c649b61be54c355f7a0f6a3b90bcc5e6ad408333a2cea17fcc96ca7cf6','ada@example','{}','accuracy','maximize',2,2,1,0,0,4,0,0,0,2,1795257533894843,1795257536531641,1795257536531641,'',0,0,'','',0,'',0,6511,'[["accuracy",1]]',0,2,3);
INSERT INTO sweeps VALUES(2,'program','completed','b681769be59e6055c8a7b1db9a2f70c399c1b6076465945d69243b535201f283','ada@example','{}','accuracy','maximize',2,2,1,0,0,2,0,0,0,2,1795257534160769,1795257536055646,1795257536055646,'',0,0,'','',0,'',0,4718,'[["accuracy",1]]',0,1,1);
INSERT INTO sweeps VALUES(3,'waits','active','c1c9c9e1535799084c598c14b0c34bd9efe814655bbbfed2e5e35135ba7f0504','ada@example','{}','accuracy','maximize',2,2,1,0,1,0,0,1,0,0,1795257536746746,1795257540250129,NULL,'',0,0,'','',0,'',0,3971,'[["accuracy",1]]',0,1,1);
INSERT INTO sweeps VALUES(4,'later','active','95ea5fd17904fdbd0055bf360bb2ac232f2c6e99fd599fa5925ab66e8b5b347d','uid-0@vm','{}','accuracy','maximize',4,4,1,4,0,0,0,0,0,0,1795625360597419,1795625360597419,NULL,'',0,0,'','',0,'',0,5384,'[["accuracy",1]]',0,1,1);
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
  metric REAL DEFAULT 0,
  rank_key REAL NOT NULL DEFAULT 9e999,
  epochs_to_target INTEGER NOT NULL DEFAULT 0,
  best_trial_id INTEGER REFERENCES trials (id),
  best_replicate INTEGER NOT NULL DEFAULT 0,
  replicates INTEGER NOT NULL DEFAULT 0,
  mean_half_width REAL NOT NULL DEFAULT 0,
  gates TEXT NOT NULL DEFAULT '[]', held TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(held)), mean_last REAL, seen_sequence INTEGER NOT NULL DEFAULT 0, chosen_by TEXT, chosen_source TEXT, expected_improvement REAL, seen_results INTEGER, asked_number INTEGER, member INTEGER, parent INTEGER, start_epoch INTEGER NOT NULL DEFAULT 0,
  UNIQUE (sweep_id, number)
) STRICT;
INSERT INTO configurations VALUES(1,1,1,'{"lr":0.02}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.02,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.02,"model":"widths-net.yaml","momentum":0.9,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0,"width":16}','widths',8698,0,2399040,6971328,54,1,1,0.92200000000000004174,-0.92200000000000004174,2,2,1,2,0.0063531023680877107134,'[{"gate":"accuracy >= 0.92","met":true,"missed_by":0.0,"value":0.922}]','{"validation_accuracy":0.92200000000000004}',0.92149999999999998578,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(2,1,2,'{"lr":0.05}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.02,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.05,"model":"widths-net.yaml","momentum":0.9,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0,"width":16}','widths',8698,0,2399040,6971328,54,1,1,0.92400000000000004352,-0.92400000000000004352,2,4,1,2,0.0063531023680877107134,'[{"gate":"accuracy >= 0.92","met":true,"missed_by":0.0,"value":0.924}]','{"validation_accuracy":0.92400000000000004}',0.92349999999999998756,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(3,2,1,'{"lr":0.02}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.0,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.02,"momentum":0.9,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','',0,0,0,0,1,1,1,0.92100000000000004085,-0.92100000000000004085,1,5,0,1,0.0,'[]','{"validation_accuracy":0.92100000000000004}',0.92100000000000004085,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(4,2,2,'{"lr":0.05}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.0,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.05,"momentum":0.9,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','',0,0,0,0,1,1,1,0.92200000000000004174,-0.92200000000000004174,1,6,0,1,0.0,'[]','{"validation_accuracy":0.92200000000000004}',0.92200000000000004174,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(5,3,1,'{"lr":0.02}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.05,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.02,"model":"cnn-18718","momentum":0.95,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','cnn-18718',18718,0,2204640,6472800,46,1,0,0.91100000000000003197,-0.91100000000000003197,0,7,0,1,0.0,'[{"gate":"accuracy >= 0.92","met":false,"missed_by":0.009000000000000008,"value":0.911}]','{"validation_accuracy":0.91100000000000003}',0.91100000000000003197,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(6,3,2,'{"lr":0.05}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.05,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.05,"model":"cnn-18718","momentum":0.95,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','cnn-18718',18718,0,2204640,6472800,46,1,0,0.91200000000000003286,-0.91200000000000003286,0,8,0,1,0.0,'[{"gate":"accuracy >= 0.92","met":false,"missed_by":0.008000000000000007,"value":0.912}]','{"validation_accuracy":0.91200000000000003}',0.91200000000000003286,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(7,4,1,'{"lr":0.01,"schedule":"constant"}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.05,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.01,"model":"cnn-18718","momentum":0.95,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','cnn-18718',18718,0,2204640,6472800,46,0,0,0.0,1e999,0,9,0,0,0.0,'[]','{}',NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(8,4,2,'{"lr":0.01,"schedule":"cosine"}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.05,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.01,"model":"cnn-18718","momentum":0.95,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"cosine","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','cnn-18718',18718,0,2204640,6472800,46,0,0,0.0,1e999,0,10,0,0,0.0,'[]','{}',NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(9,4,3,'{"lr":0.02,"schedule":"constant"}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.05,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.02,"model":"cnn-18718","momentum":0.95,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','cnn-18718',18718,0,2204640,6472800,46,0,0,0.0,1e999,0,11,0,0,0.0,'[]','{}',NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO configurations VALUES(10,4,4,'{"lr":0.02,"schedule":"cosine"}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.05,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.02,"model":"cnn-18718","momentum":0.95,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"cosine","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0}','cnn-18718',18718,0,2204640,6472800,46,0,0,0.0,1e999,0,12,0,0,0.0,'[]','{}',NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
CREATE TABLE trials (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  number INTEGER NOT NULL,
  configuration_id INTEGER NOT NULL REFERENCES configurations (id),
  replicate INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'leased' OR state = 'running' OR state = 'completed' OR
    state = 'stopped' OR state = 'failed' OR state = 'cancelled' OR state = 'on_hold'),
  seed INTEGER NOT NULL,
  epochs INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  secret TEXT NOT NULL DEFAULT '',
  worker TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  epoch INTEGER NOT NULL DEFAULT 0,
  best_epoch INTEGER NOT NULL DEFAULT 0,
  epochs_to_target INTEGER NOT NULL DEFAULT 0,
  seconds REAL NOT NULL DEFAULT 0,
  checkpoint_sha256 TEXT NOT NULL DEFAULT '',
  checkpoint_epoch INTEGER NOT NULL DEFAULT 0,
  created_us INTEGER NOT NULL,
  started_us INTEGER,
  ended_us INTEGER, diverged INTEGER NOT NULL DEFAULT 0 CHECK (diverged IN (0, 1)), measures TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(measures)), best REAL, standing TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(standing)), epochs_in_a_row INTEGER NOT NULL DEFAULT 0, target_epoch INTEGER NOT NULL DEFAULT 0 CHECK (target_epoch >= 0), stopping INTEGER NOT NULL DEFAULT 0 CHECK (stopping IN (0, 1)), packed_measures BLOB,
  UNIQUE (sweep_id, number),
  UNIQUE (configuration_id, replicate)
) STRICT;
INSERT INTO trials VALUES(1,1,1,1,0,'completed',4106800331127663990,2,1,0,'80e38a31ced667d1f3727cb320d31d91','w1','',2,2,2,5.0,'3bcb54954491168caec4900ab9619cffcca6e8c1bcc94b9ece1272e9dcb05ebc',1,1795257533906697,1795257534522143,1795257534956878,0,'{"train_loss":[0.29999999999999999,0.29999999999999999,0.29999999999999999],"train_accuracy":[0.80000000000000004,0.80000000000000004,0.80000000000000004],"validation_loss":[0.20999999999999999,0.20999999999999999,0.20999999999999999],"validation_accuracy":[0.92100000000000004,0.91100000000000003,0.92100000000000004],"lr":[0.01,0.01,0.01],"train_seconds":[2.0,2.0,2.0],"evaluate_seconds":[0.5,0.5,0.5],"images_per_second":[32.0,32.0,32.0],"val/f1":[0.5,0.25,0.5]}',0.92100000000000004085,'{"tier":3,"epoch":2,"values":{"validation_accuracy":0.92100000000000004,"validation_loss":0.20999999999999999}}',0,0,0,NULL);
INSERT INTO trials VALUES(2,1,2,1,1,'completed',6170631265182560646,2,1,0,'6073a8b77d65d6a9192bb8b4c70c27be','w1','',2,2,2,5.0,'47aaa109d3b9803bee7810e3411f98b680676992bfcf0aa7987c56ae34f28ccf',1,1795257533906697,1795257535451255,1795257535825671,0,'null',0.92200000000000004174,'{"tier":3,"epoch":2,"values":{"validation_accuracy":0.92200000000000004,"validation_loss":0.22}}',0,0,0,X'1000000000000000e03f000000000000e03f000000000000e03f6576616c756174655f7365636f6e64731100000000000000404000000000000040400000000000004040696d616765735f7065725f7365636f6e6402007b14ae47e17a843f7b14ae47e17a843f7b14ae47e17a843f6c720e009a9999999999e93f9a9999999999e93f9a9999999999e93f747261696e5f61636375726163790a00333333333333d33f333333333333d33f333333333333d33f747261696e5f6c6f73730d00000000000000004000000000000000400000000000000040747261696e5f7365636f6e64730600000000000000e83f000000000000e83f000000000000e83f76616c2f663113001b2fdd240681ed3fc976be9f1a2fed3f1b2fdd240681ed3f76616c69646174696f6e5f61636375726163790f00295c8fc2f528cc3f295c8fc2f528cc3f295c8fc2f528cc3f76616c69646174696f6e5f6c6f7373');
INSERT INTO trials VALUES(3,1,3,2,0,'completed',4106800331127663990,2,1,0,'c73c440a27ebd58e47d9be58a54cbb48','w1','',2,2,2,5.0,'c431fb8dc8ebfddf93cb6acacecffb1a843f36a89c9487adfc0f5daed11fcbf6',1,1795257533906697,1795257536063315,1795257536361425,0,'{"train_loss":[0.29999999999999999,0.29999999999999999,0.29999999999999999],"train_accuracy":[0.80000000000000004,0.80000000000000004,0.80000000000000004],"validation_loss":[0.23000000000000001,0.23000000000000001,0.23000000000000001],"validation_accuracy":[0.92300000000000004,0.91300000000000003,0.92300000000000004],"lr":[0.01,0.01,0.01],"train_seconds":[2.0,2.0,2.0],"evaluate_seconds":[0.5,0.5,0.5],"images_per_second":[32.0,32.0,32.0]}',0.92300000000000004263,'{"tier":3,"epoch":2,"values":{"validation_accuracy":0.92300000000000004,"validation_loss":0.23000000000000001}}',0,0,0,NULL);
INSERT INTO trials VALUES(4,1,4,2,1,'completed',6170631265182560646,2,1,0,'3bb171b6c2da234c0bb6e26ab5b28922','w1','',2,2,2,5.0,'0786795b8c8fa53c61d998a85e334cf9e7ea8abe8ac0c84348fe610696d4cc9e',1,1795257533906697,1795257536372481,1795257536531641,0,'{"train_loss":[0.29999999999999999,0.29999999999999999,0.29999999999999999],"train_accuracy":[0.80000000000000004,0.80000000000000004,0.80000000000000004],"validation_loss":[0.23999999999999999,0.23999999999999999,0.23999999999999999],"validation_accuracy":[0.92400000000000004,0.91400000000000003,0.92400000000000004],"lr":[0.01,0.01,0.01],"train_seconds":[2.0,2.0,2.0],"evaluate_seconds":[0.5,0.5,0.5],"images_per_second":[32.0,32.0,32.0]}',0.92400000000000004352,'{"tier":3,"epoch":2,"values":{"validation_accuracy":0.92400000000000004,"validation_loss":0.23999999999999999}}',0,0,0,NULL);
INSERT INTO trials VALUES(5,2,1,3,0,'completed',4106800331127663990,2,1,0,'f880179feda7110018f5bd0f2da2afa5','w1','',2,2,1,5.0,'71e76f576119bb1d2ff42cdb9dfd021a887c6534826c2f980f2e2e59105c7a8f',1,1795257534178764,1795257534979196,1795257535409981,0,'{"train_loss":[0.29999999999999999,0.29999999999999999,0.29999999999999999],"train_accuracy":[0.80000000000000004,0.80000000000000004,0.80000000000000004],"validation_loss":[0.20999999999999999,0.20999999999999999,0.20999999999999999],"validation_accuracy":[0.92100000000000004,0.91100000000000003,0.92100000000000004],"lr":[0.01,0.01,0.01],"train_seconds":[2.0,2.0,2.0],"evaluate_seconds":[0.5,0.5,0.5],"images_per_second":[32.0,32.0,32.0]}',0.92100000000000004085,'{"tier":3,"epoch":2,"values":{"validation_accuracy":0.92100000000000004,"validation_loss":0.20999999999999999}}',0,0,0,NULL);
INSERT INTO trials VALUES(6,2,2,4,0,'completed',4106800331127663990,2,1,0,'283c282d2fcaf4c44465b8defa3ecfaf','w1','',2,2,1,5.0,'0256b15f276884f8f926dd2436cbdea3b012e0e383e36c2a34cbe0c7199f457b',1,1795257534178764,1795257535836301,1795257536055646,0,'{"train_loss":[0.29999999999999999,0.29999999999999999,0.29999999999999999],"train_accuracy":[0.80000000000000004,0.80000000000000004,0.80000000000000004],"validation_loss":[0.22,0.22,0.22],"validation_accuracy":[0.92200000000000004,0.91200000000000003,0.92200000000000004],"lr":[0.01,0.01,0.01],"train_seconds":[2.0,2.0,2.0],"evaluate_seconds":[0.5,0.5,0.5],"images_per_second":[32.0,32.0,32.0]}',0.92200000000000004174,'{"tier":3,"epoch":2,"values":{"validation_accuracy":0.92200000000000004,"validation_loss":0.22}}',0,0,0,NULL);
INSERT INTO trials VALUES(7,3,1,5,0,'failed',4106800331127663990,2,3,3,'fc0967d0a2d1f5e30583722941323cd6','w1','lost 1 time: worker w1: no heartbeat for 2 s',1,1,0,2.5,'d98689e2c85bbf4b66700040360cb22aa4799e0f8b76439d9e3636bfcb31633f',1,1795257536759919,1795257536763316,1795257541354767,0,'{"train_loss":[0.29999999999999999,0.29999999999999999,0.29999999999999999],"train_accuracy":[0.80000000000000004,0.80000000000000004,0.80000000000000004],"validation_loss":[0.20999999999999999,0.20999999999999999,0.20999999999999999],"validation_accuracy":[0.91100000000000003,0.91100000000000003,0.91100000000000003],"lr":[0.01,0.01,0.01],"train_seconds":[2.0,2.0,2.0],"evaluate_seconds":[0.5,0.5,0.5],"images_per_second":[32.0,32.0,32.0]}',0.91100000000000003197,'{"tier":2,"epoch":1,"values":{"validation_accuracy":0.91100000000000003,"validation_loss":0.20999999999999999}}',0,0,0,NULL);
INSERT INTO trials VALUES(8,3,2,6,0,'running',4106800331127663990,2,3,2,'9880e41232fe7cf71706444a4c6f5ad2','w2','',1,1,0,2.5,'f8bc73349a05ea545e8a2b19033da98854a66e0bacea1cae5c625988a22183af',1,1795257536759919,1795257543659782,NULL,0,'{"train_loss":[0.29999999999999999,0.29999999999999999,0.29999999999999999],"train_accuracy":[0.80000000000000004,0.80000000000000004,0.80000000000000004],"validation_loss":[0.22,0.22,0.22],"validation_accuracy":[0.91200000000000003,0.91200000000000003,0.91200000000000003],"lr":[0.01,0.01,0.01],"train_seconds":[2.0,2.0,2.0],"evaluate_seconds":[0.5,0.5,0.5],"images_per_second":[32.0,32.0,32.0]}',0.91200000000000003286,'{"tier":2,"epoch":1,"values":{"validation_accuracy":0.91200000000000003,"validation_loss":0.22}}',0,0,0,NULL);
INSERT INTO trials VALUES(9,4,1,7,0,'pending',4106800331127663990,2,0,0,'','','',0,0,0,0.0,'',0,1795625360618025,NULL,NULL,0,'{}',NULL,'{}',0,0,0,NULL);
INSERT INTO trials VALUES(10,4,2,8,0,'pending',4106800331127663990,2,0,0,'','','',0,0,0,0.0,'',0,1795625360618025,NULL,NULL,0,'{}',NULL,'{}',0,0,0,NULL);
INSERT INTO trials VALUES(11,4,3,9,0,'pending',4106800331127663990,2,0,0,'','','',0,0,0,0.0,'',0,1795625360618025,NULL,NULL,0,'{}',NULL,'{}',0,0,0,NULL);
INSERT INTO trials VALUES(12,4,4,10,0,'pending',4106800331127663990,2,0,0,'','','',0,0,0,0.0,'',0,1795625360618025,NULL,NULL,0,'{}',NULL,'{}',0,0,0,NULL);
CREATE TABLE attempts (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  attempt INTEGER NOT NULL,
  worker TEXT NOT NULL,
  started_us INTEGER NOT NULL,
  ended_us INTEGER,
  outcome TEXT NOT NULL DEFAULT '' CHECK (outcome = '' OR outcome = 'completed' OR outcome = 'failed' OR outcome = 'lost' OR
    outcome = 'given_back' OR outcome = 'cancelled' OR outcome = 'stopped' OR outcome = 'held'),
  reason TEXT NOT NULL DEFAULT '', log_lines INTEGER NOT NULL DEFAULT 0, log_bytes INTEGER NOT NULL DEFAULT 0, log_is_cut INTEGER NOT NULL DEFAULT 0 CHECK (log_is_cut IN (0, 1)), embedded INTEGER NOT NULL DEFAULT 0 CHECK (embedded IN (0, 1)), disk_bytes INTEGER NOT NULL DEFAULT 0, trainer TEXT NOT NULL DEFAULT '', request TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (trial_id, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO attempts VALUES(1,1,'w1',1795257534522143,1795257534956878,'completed','',1,23,0,0,0,'','ask-1');
INSERT INTO attempts VALUES(2,1,'w1',1795257535451255,1795257535825671,'completed','',1,23,0,0,0,'','');
INSERT INTO attempts VALUES(3,1,'w1',1795257536063315,1795257536361425,'completed','',1,23,0,0,0,'','');
INSERT INTO attempts VALUES(4,1,'w1',1795257536372481,1795257536531641,'completed','',1,23,0,0,0,'','');
INSERT INTO attempts VALUES(5,1,'w1',1795257534979196,1795257535409981,'completed','',1,26,0,0,0,'','');
INSERT INTO attempts VALUES(6,1,'w1',1795257535836301,1795257536055646,'completed','',1,26,0,0,0,'','');
INSERT INTO attempts VALUES(7,1,'w1',1795257536763316,1795257537967296,'failed',replace('trainer closed its output\na line of log of done/3\na line of log of done/4\na line of log of waits/1','\n',char(10)),1,24,0,0,0,'','');
INSERT INTO attempts VALUES(7,2,'w1',1795257537970864,1795257539194686,'failed',replace('trainer closed its output\na line of log of waits/1','\n',char(10)),1,24,0,0,0,'','');
INSERT INTO attempts VALUES(7,3,'w1',1795257539203087,1795257541354767,'lost','worker w1: no heartbeat for 2 s',1,24,0,0,0,'','');
INSERT INTO attempts VALUES(8,1,'w2',1795257543659782,1795257544871264,'failed',replace('trainer closed its output\na line of log of waits/2','\n',char(10)),1,24,0,0,0,'','');
INSERT INTO attempts VALUES(8,2,'w2',1795257544910853,1795257546183221,'failed',replace('trainer closed its output\na line of log of waits/2','\n',char(10)),1,24,0,0,0,'','');
INSERT INTO attempts VALUES(8,3,'w2',1795257546211091,NULL,'','',1,24,0,0,0,'','');
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
  reported_us INTEGER NOT NULL, more TEXT CHECK (more IS NULL OR json_valid(more)), v1 REAL, v2 REAL, v3 REAL, v4 REAL, v5 REAL, v6 REAL, v7 REAL, v8 REAL, v9 REAL, v10 REAL, v11 REAL, v12 REAL,
  PRIMARY KEY (trial_id, attempt, epoch)
) STRICT, WITHOUT ROWID;
INSERT INTO epoch_reports VALUES(1,1,1,NULL,0.8000000000000000444,0.20999999999999999222,0.91100000000000003197,0.010000000000000000208,2.0,0.5,32.0,1795257534823427,'{"train_loss":null,"val/f1":0.25}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(1,1,2,0.29999999999999998889,0.8000000000000000444,0.20999999999999999222,0.92100000000000004085,0.010000000000000000208,2.0,0.5,32.0,1795257534823427,'{"val/f1":0.5}',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(2,1,1,0.29999999999999998889,0.8000000000000000444,0.22000000000000000111,0.91200000000000003286,0.010000000000000000208,2.0,0.5,32.0,1795257535680406,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(2,1,2,0.29999999999999998889,0.8000000000000000444,0.22000000000000000111,0.92200000000000004174,0.010000000000000000208,2.0,0.5,32.0,1795257535747844,NULL,0.75,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(3,1,1,0.29999999999999998889,0.8000000000000000444,0.23000000000000000999,0.91300000000000003375,0.010000000000000000208,2.0,0.5,32.0,1795257536297846,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(3,1,2,0.29999999999999998889,0.8000000000000000444,0.23000000000000000999,0.92300000000000004263,0.010000000000000000208,2.0,0.5,32.0,1795257536297846,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(4,1,1,0.29999999999999998889,0.8000000000000000444,0.23999999999999999111,0.91400000000000003463,0.010000000000000000208,2.0,0.5,32.0,1795257536507791,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(4,1,2,0.29999999999999998889,0.8000000000000000444,0.23999999999999999111,0.92400000000000004352,0.010000000000000000208,2.0,0.5,32.0,1795257536519108,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(5,1,1,0.29999999999999998889,0.8000000000000000444,0.20999999999999999222,0.91100000000000003197,0.010000000000000000208,2.0,0.5,32.0,1795257535151705,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(5,1,2,0.29999999999999998889,0.8000000000000000444,0.20999999999999999222,0.92100000000000004085,0.010000000000000000208,2.0,0.5,32.0,1795257535218668,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(6,1,1,0.29999999999999998889,0.8000000000000000444,0.22000000000000000111,0.91200000000000003286,0.010000000000000000208,2.0,0.5,32.0,1795257536007771,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(6,1,2,0.29999999999999998889,0.8000000000000000444,0.22000000000000000111,0.92200000000000004174,0.010000000000000000208,2.0,0.5,32.0,1795257536007771,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(7,1,1,0.29999999999999998889,0.8000000000000000444,0.20999999999999999222,0.91100000000000003197,0.010000000000000000208,2.0,0.5,32.0,1795257536947767,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(7,2,1,0.29999999999999998889,0.8000000000000000444,0.20999999999999999222,0.91100000000000003197,0.010000000000000000208,2.0,0.5,32.0,1795257538128045,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(7,3,1,0.29999999999999998889,0.8000000000000000444,0.20999999999999999222,0.91100000000000003197,0.010000000000000000208,2.0,0.5,32.0,1795257539405228,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(8,1,1,0.29999999999999998889,0.8000000000000000444,0.22000000000000000111,0.91200000000000003286,0.010000000000000000208,2.0,0.5,32.0,1795257543835325,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(8,2,1,0.29999999999999998889,0.8000000000000000444,0.22000000000000000111,0.91200000000000003286,0.010000000000000000208,2.0,0.5,32.0,1795257545111497,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO epoch_reports VALUES(8,3,1,0.29999999999999998889,0.8000000000000000444,0.22000000000000000111,0.91200000000000003286,0.010000000000000000208,2.0,0.5,32.0,1795257546396247,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE divergences (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  epoch INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  first_attempt INTEGER NOT NULL,
  reported_us INTEGER NOT NULL,
  PRIMARY KEY (trial_id, epoch, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO divergences VALUES(7,1,2,1,1795257538128045);
CREATE TABLE blobs (
  sha256 TEXT NOT NULL PRIMARY KEY,
  size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
  created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO blobs VALUES('0256b15f276884f8f926dd2436cbdea3b012e0e383e36c2a34cbe0c7199f457b',16,1795257535998867);
INSERT INTO blobs VALUES('0786795b8c8fa53c61d998a85e334cf9e7ea8abe8ac0c84348fe610696d4cc9e',13,1795257536514684);
INSERT INTO blobs VALUES('3bcb54954491168caec4900ab9619cffcca6e8c1bcc94b9ece1272e9dcb05ebc',13,1795257534805870);
INSERT INTO blobs VALUES('3e986cb42cc8734acc97132c5b35e856311a9c63c9a1d3451c7612516e4d6fb1',15,1795257535302669);
INSERT INTO blobs VALUES('47aaa109d3b9803bee7810e3411f98b680676992bfcf0aa7987c56ae34f28ccf',13,1795257535726721);
INSERT INTO blobs VALUES('71e76f576119bb1d2ff42cdb9dfd021a887c6534826c2f980f2e2e59105c7a8f',16,1795257535194747);
INSERT INTO blobs VALUES('b114a68e6c219c6749df6513204cee355c97d3268fc5ac5c62bb09c75d051bb0',15,1795257536030899);
INSERT INTO blobs VALUES('b1a4cf1092e9c62a39de6e67e4cd50bd665de9cf0de1e105d2bd5aca23ade976',12,1795257534939464);
INSERT INTO blobs VALUES('c431fb8dc8ebfddf93cb6acacecffb1a843f36a89c9487adfc0f5daed11fcbf6',13,1795257536295179);
INSERT INTO blobs VALUES('c6ac98063da61dfa53fb92ab784a72813d34be8deffc8e790c8e651d7ac85dca',12,1795257535798870);
INSERT INTO blobs VALUES('d842a12af94cd9b0c105fb538c7ff3b13e421de74284696a4416d68815555bcc',12,1795257536526747);
INSERT INTO blobs VALUES('d98689e2c85bbf4b66700040360cb22aa4799e0f8b76439d9e3636bfcb31633f',14,1795257536941620);
INSERT INTO blobs VALUES('e99e4998c9a2bbab57038385a020d213778b539ec6f54d2949dcf13b877f9531',12,1795257536334876);
INSERT INTO blobs VALUES('f8bc73349a05ea545e8a2b19033da98854a66e0bacea1cae5c625988a22183af',14,1795257543830699);
CREATE TABLE artifacts (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  role TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES blobs (sha256),
  PRIMARY KEY (trial_id, role)
) STRICT, WITHOUT ROWID;
INSERT INTO artifacts VALUES(5,'weights_best','3e986cb42cc8734acc97132c5b35e856311a9c63c9a1d3451c7612516e4d6fb1');
INSERT INTO artifacts VALUES(6,'weights_best','b114a68e6c219c6749df6513204cee355c97d3268fc5ac5c62bb09c75d051bb0');
INSERT INTO artifacts VALUES(1,'weights_best','b1a4cf1092e9c62a39de6e67e4cd50bd665de9cf0de1e105d2bd5aca23ade976');
INSERT INTO artifacts VALUES(2,'weights_best','c6ac98063da61dfa53fb92ab784a72813d34be8deffc8e790c8e651d7ac85dca');
INSERT INTO artifacts VALUES(4,'weights_best','d842a12af94cd9b0c105fb538c7ff3b13e421de74284696a4416d68815555bcc');
INSERT INTO artifacts VALUES(3,'weights_best','e99e4998c9a2bbab57038385a020d213778b539ec6f54d2949dcf13b877f9531');
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  kind TEXT NOT NULL CHECK (kind = 'sweep' OR kind = 'trial' OR kind = 'epoch'),
  trial_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  time_us INTEGER NOT NULL
, state TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO events VALUES(1,1,'sweep',0,0,0,0,1795257533894843,'');
INSERT INTO events VALUES(2,1,'trial',1,1,0,0,1795257533906697,'');
INSERT INTO events VALUES(3,1,'trial',2,2,0,0,1795257533906697,'');
INSERT INTO events VALUES(4,1,'trial',3,3,0,0,1795257533906697,'');
INSERT INTO events VALUES(5,1,'trial',4,4,0,0,1795257533906697,'');
INSERT INTO events VALUES(6,2,'sweep',0,0,0,0,1795257534160769,'');
INSERT INTO events VALUES(7,2,'trial',5,1,0,0,1795257534178764,'');
INSERT INTO events VALUES(8,2,'trial',6,2,0,0,1795257534178764,'');
INSERT INTO events VALUES(9,1,'trial',1,1,1,0,1795257534522143,'');
INSERT INTO events VALUES(10,1,'epoch',1,1,1,1,1795257534823427,'');
INSERT INTO events VALUES(11,1,'epoch',1,1,1,2,1795257534823427,'');
INSERT INTO events VALUES(12,1,'trial',1,1,1,0,1795257534823427,'');
INSERT INTO events VALUES(13,1,'trial',1,1,1,0,1795257534956878,'completed');
INSERT INTO events VALUES(14,2,'trial',5,1,1,0,1795257534979196,'');
INSERT INTO events VALUES(15,2,'epoch',5,1,1,1,1795257535151705,'');
INSERT INTO events VALUES(16,2,'trial',5,1,1,0,1795257535151705,'');
INSERT INTO events VALUES(17,2,'epoch',5,1,1,2,1795257535218668,'');
INSERT INTO events VALUES(18,2,'trial',5,1,1,0,1795257535409981,'completed');
INSERT INTO events VALUES(19,1,'trial',2,2,1,0,1795257535451255,'');
INSERT INTO events VALUES(20,1,'epoch',2,2,1,1,1795257535680406,'');
INSERT INTO events VALUES(21,1,'trial',2,2,1,0,1795257535680406,'');
INSERT INTO events VALUES(22,1,'epoch',2,2,1,2,1795257535747844,'');
INSERT INTO events VALUES(23,1,'trial',2,2,1,0,1795257535825671,'completed');
INSERT INTO events VALUES(24,2,'trial',6,2,1,0,1795257535836301,'');
INSERT INTO events VALUES(25,2,'epoch',6,2,1,1,1795257536007771,'');
INSERT INTO events VALUES(26,2,'epoch',6,2,1,2,1795257536007771,'');
INSERT INTO events VALUES(27,2,'trial',6,2,1,0,1795257536007771,'');
INSERT INTO events VALUES(28,2,'trial',6,2,1,0,1795257536055646,'completed');
INSERT INTO events VALUES(29,2,'sweep',0,0,0,0,1795257536055646,'');
INSERT INTO events VALUES(30,1,'trial',3,3,1,0,1795257536063315,'');
INSERT INTO events VALUES(31,1,'epoch',3,3,1,1,1795257536297846,'');
INSERT INTO events VALUES(32,1,'epoch',3,3,1,2,1795257536297846,'');
INSERT INTO events VALUES(33,1,'trial',3,3,1,0,1795257536297846,'');
INSERT INTO events VALUES(34,1,'trial',3,3,1,0,1795257536361425,'completed');
INSERT INTO events VALUES(35,1,'trial',4,4,1,0,1795257536372481,'');
INSERT INTO events VALUES(36,1,'epoch',4,4,1,1,1795257536507791,'');
INSERT INTO events VALUES(37,1,'trial',4,4,1,0,1795257536507791,'');
INSERT INTO events VALUES(38,1,'epoch',4,4,1,2,1795257536519108,'');
INSERT INTO events VALUES(39,1,'trial',4,4,1,0,1795257536531641,'completed');
INSERT INTO events VALUES(40,1,'sweep',0,0,0,0,1795257536531641,'');
INSERT INTO events VALUES(41,3,'sweep',0,0,0,0,1795257536746746,'');
INSERT INTO events VALUES(42,3,'trial',7,1,0,0,1795257536759919,'');
INSERT INTO events VALUES(43,3,'trial',8,2,0,0,1795257536759919,'');
INSERT INTO events VALUES(44,3,'trial',7,1,1,0,1795257536763316,'');
INSERT INTO events VALUES(45,3,'epoch',7,1,1,1,1795257536947767,'');
INSERT INTO events VALUES(46,3,'trial',7,1,1,0,1795257536947767,'');
INSERT INTO events VALUES(47,3,'trial',7,1,1,0,1795257537967296,'');
INSERT INTO events VALUES(48,3,'trial',7,1,2,0,1795257537970864,'');
INSERT INTO events VALUES(49,3,'trial',7,1,2,0,1795257538128045,'');
INSERT INTO events VALUES(50,3,'trial',7,1,2,0,1795257539194686,'');
INSERT INTO events VALUES(51,3,'trial',7,1,3,0,1795257539203087,'');
INSERT INTO events VALUES(52,3,'trial',7,1,3,0,1795257539405228,'');
INSERT INTO events VALUES(53,3,'sweep',0,0,0,0,1795257540101930,'');
INSERT INTO events VALUES(54,3,'sweep',0,0,0,0,1795257540250129,'');
INSERT INTO events VALUES(55,3,'trial',7,1,3,0,1795257541354767,'failed');
INSERT INTO events VALUES(56,3,'trial',8,2,1,0,1795257543659782,'');
INSERT INTO events VALUES(57,3,'epoch',8,2,1,1,1795257543835325,'');
INSERT INTO events VALUES(58,3,'trial',8,2,1,0,1795257543835325,'');
INSERT INTO events VALUES(59,3,'trial',8,2,1,0,1795257544871264,'');
INSERT INTO events VALUES(60,3,'trial',8,2,2,0,1795257544910853,'');
INSERT INTO events VALUES(61,3,'trial',8,2,2,0,1795257545111497,'');
INSERT INTO events VALUES(62,3,'trial',8,2,2,0,1795257546183221,'');
INSERT INTO events VALUES(63,3,'trial',8,2,3,0,1795257546211091,'');
INSERT INTO events VALUES(64,3,'trial',8,2,3,0,1795257546396247,'running');
INSERT INTO events VALUES(65,4,'sweep',0,0,0,0,1795625360597419,'');
INSERT INTO events VALUES(66,4,'trial',9,1,0,0,1795625360618025,'pending');
INSERT INTO events VALUES(67,4,'trial',10,2,0,0,1795625360618025,'pending');
INSERT INTO events VALUES(68,4,'trial',11,3,0,0,1795625360618025,'pending');
INSERT INTO events VALUES(69,4,'trial',12,4,0,0,1795625360618025,'pending');
CREATE TABLE IF NOT EXISTS "sweep_files" (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  role TEXT NOT NULL CHECK (role IN ('sweep', 'network', 'program')),
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (sweep_id, role, name)
) STRICT, WITHOUT ROWID;
INSERT INTO sweep_files VALUES(1,'network','widths-net.yaml',replace('# A network whose width a sweep chooses; see widths.yaml. 9 × width² × 3 weights and some more:\n# 18,226 parameters at width 24.\nname: widths\ndescription: Five convolutions of one width, which is swept\ninput: [1, 28, 28]\nparameters: {width: 16}\n\nlayers:\n  - conv: {out: "${width}", kernel: 3, padding: same}\n  - relu\n  - batch_norm\n  - max_pool: 2\n\n  - conv: {out: "${width}", kernel: 3, padding: same}\n  - relu\n  - batch_norm\n  - dropout\n  - conv: {out: "${width}", kernel: 3, padding: same}\n  - relu\n  - batch_norm\n  - dropout\n  - max_pool: 2\n\n  - conv: {out: "${width}", kernel: 3, padding: same}\n  - relu\n  - batch_norm\n  - conv: {out: 10, kernel: 3, padding: same}\n  - global_avg_pool\n  - log_softmax\n\nrecipes:\n  seed:\n    source: a first guess\n    values: {batch_size: 64, lr: 0.05, momentum: 0.9, dropout: 0.02}\n','\n',char(10)));
INSERT INTO sweep_files VALUES(1,'sweep','done.yaml',replace('name: done\nmodel: widths-net.yaml\ndataset: {name: synthetic, train: 64, test: 200}\nmethod: grid\nreplicates: 2\nepochs: 2\nrequire: {accuracy: ">= 0.92"}\nparameters:\n  lr: {values: [0.02, 0.05]}\n','\n',char(10)));
INSERT INTO sweep_files VALUES(2,'program','run.sh',replace('#!/bin/sh\necho ''{"type":"ready","protocol":1,"build":"stand-in","device":"cpu"}''\nwhile read -r line; do\ncase "$line" in *''"trial"''*) ;; *) continue;; esac\nid=$(printf ''%s'' "$line" | sed ''s/.*"trial":"\([^"]*\)".*/\1/'')\ndir=$(printf ''%s'' "$line" | sed ''s/.*"output_dir":"\([^"]*\)".*/\1/'')\nn=$(printf ''%s'' "$id" | sed ''s/.*[^0-9]//'')\ne() { echo "{\"type\":\"epoch\",\"trial\":\"$id\",\"epoch\":$1,\"validation_accuracy\":0.9$1$n,\"validation_loss\":0.2$n,\"train_loss\":0.3,\"train_accuracy\":0.8,\"lr\":0.01,\"train_seconds\":2,\"evaluate_seconds\":0.5,\"images_per_second\":32}"; }\necho "a line of log of $id"\ncase "$line" in *''"fails''*) echo "{\"type\":\"error\",\"trial\":\"$id\",\"reason\":\"loss is NaN\"}"; continue;; esac\ne 1\necho "state $id" > "$dir/state"\necho "{\"type\":\"checkpoint\",\"trial\":\"$id\",\"epoch\":1,\"path\":\"$dir/state\"}"\ncase "$id" in *waits*) exec cat >/dev/null;; esac\ne 2\necho "best $id" > "$dir/w"\necho "{\"type\":\"done\",\"trial\":\"$id\",\"epochs\":2,\"files\":{\"weights_best\":\"$dir/w\"}}"\ndone\n','\n',char(10)));
INSERT INTO sweep_files VALUES(2,'sweep','program.yaml',replace('name: program\nprogram: ["sh", "run.sh"]\nfiles: [run.sh]\nmethod: grid\nepochs: 2\nparameters:\n  lr: {values: [0.02, 0.05]}\n','\n',char(10)));
INSERT INTO sweep_files VALUES(3,'sweep','waits.yaml',replace('name: waits\nmodel: cnn-18718\ndataset: {name: synthetic, train: 64, test: 200}\nmethod: grid\nreplicates: 1\nepochs: 2\nrequire: {accuracy: ">= 0.92"}\nparameters:\n  lr: {values: [0.02, 0.05]}\n','\n',char(10)));
INSERT INTO sweep_files VALUES(4,'sweep','later.yaml',replace('name: later\nmodel: cnn-18718\ndataset: {name: synthetic, train: 100, test: 100}\nmethod: grid\nparameters:\n  lr: {values: [0.01, 0.02]}\n  schedule: {values: [constant, cosine]}\nepochs: 2\n','\n',char(10)));
CREATE TABLE log_lines (
  trial_id INTEGER NOT NULL REFERENCES trials (id),
  attempt INTEGER NOT NULL,
  line INTEGER NOT NULL CHECK (line >= 1),
  time_us INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (trial_id, attempt, line)
) STRICT, WITHOUT ROWID;
INSERT INTO log_lines VALUES(1,1,1,1795257534775158,'a line of log of done/1');
INSERT INTO log_lines VALUES(2,1,1,1795257535679570,'a line of log of done/2');
INSERT INTO log_lines VALUES(3,1,1,1795257536271284,'a line of log of done/3');
INSERT INTO log_lines VALUES(4,1,1,1795257536507201,'a line of log of done/4');
INSERT INTO log_lines VALUES(5,1,1,1795257535150999,'a line of log of program/1');
INSERT INTO log_lines VALUES(6,1,1,1795257535974941,'a line of log of program/2');
INSERT INTO log_lines VALUES(7,1,1,1795257536880139,'a line of log of waits/1');
INSERT INTO log_lines VALUES(7,2,1,1795257538108221,'a line of log of waits/1');
INSERT INTO log_lines VALUES(7,3,1,1795257539402733,'a line of log of waits/1');
INSERT INTO log_lines VALUES(8,1,1,1795257543786680,'a line of log of waits/2');
INSERT INTO log_lines VALUES(8,2,1,1795257545090648,'a line of log of waits/2');
INSERT INTO log_lines VALUES(8,3,1,1795257546358668,'a line of log of waits/2');
CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  result INTEGER NOT NULL,
  time_us INTEGER NOT NULL
) STRICT;
INSERT INTO requests VALUES(1,'pause waits b6412635f738dddaf0d871dd88808552',0,1795257540101930);
INSERT INTO requests VALUES(2,'resume waits 7ed8a59a972f273ccd507ab55a8166d4',0,1795257540250129);
CREATE TABLE parameter_values (
  configuration_id INTEGER NOT NULL REFERENCES configurations (id),
  name TEXT NOT NULL,
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  value ANY NOT NULL,
  PRIMARY KEY (configuration_id, name)
) STRICT, WITHOUT ROWID;
INSERT INTO parameter_values VALUES(1,'lr',1,0.020000000000000000416);
INSERT INTO parameter_values VALUES(2,'lr',1,0.050000000000000002775);
INSERT INTO parameter_values VALUES(3,'lr',2,0.020000000000000000416);
INSERT INTO parameter_values VALUES(4,'lr',2,0.050000000000000002775);
INSERT INTO parameter_values VALUES(5,'lr',3,0.020000000000000000416);
INSERT INTO parameter_values VALUES(6,'lr',3,0.050000000000000002775);
INSERT INTO parameter_values VALUES(7,'lr',4,0.010000000000000000208);
INSERT INTO parameter_values VALUES(8,'lr',4,0.010000000000000000208);
INSERT INTO parameter_values VALUES(9,'lr',4,0.020000000000000000416);
INSERT INTO parameter_values VALUES(10,'lr',4,0.020000000000000000416);
INSERT INTO parameter_values VALUES(7,'schedule',4,'constant');
INSERT INTO parameter_values VALUES(9,'schedule',4,'constant');
INSERT INTO parameter_values VALUES(8,'schedule',4,'cosine');
INSERT INTO parameter_values VALUES(10,'schedule',4,'cosine');
CREATE TABLE measure_names (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  measure INTEGER NOT NULL CHECK (measure >= 1),
  name TEXT NOT NULL,
  slot INTEGER CHECK (slot BETWEEN 1 AND 12),
  PRIMARY KEY (sweep_id, measure),
  UNIQUE (sweep_id, name),
  UNIQUE (sweep_id, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO measure_names VALUES(1,1,'train_loss',NULL);
INSERT INTO measure_names VALUES(1,2,'train_accuracy',NULL);
INSERT INTO measure_names VALUES(1,3,'validation_loss',NULL);
INSERT INTO measure_names VALUES(1,4,'validation_accuracy',NULL);
INSERT INTO measure_names VALUES(1,5,'lr',NULL);
INSERT INTO measure_names VALUES(1,6,'train_seconds',NULL);
INSERT INTO measure_names VALUES(1,7,'evaluate_seconds',NULL);
INSERT INTO measure_names VALUES(1,8,'images_per_second',NULL);
INSERT INTO measure_names VALUES(1,9,'val/f1',1);
CREATE TABLE trial_values (
  sweep_id INTEGER NOT NULL,
  measure INTEGER NOT NULL,
  trial_id INTEGER NOT NULL,
  last REAL,
  low REAL,
  high REAL,
  PRIMARY KEY (sweep_id, measure, trial_id)
) STRICT, WITHOUT ROWID;
INSERT INTO trial_values VALUES(1,1,2,0.29999999999999998889,0.29999999999999998889,0.29999999999999998889);
INSERT INTO trial_values VALUES(1,2,2,0.8000000000000000444,0.8000000000000000444,0.8000000000000000444);
INSERT INTO trial_values VALUES(1,3,2,0.22000000000000000111,0.22000000000000000111,0.22000000000000000111);
INSERT INTO trial_values VALUES(1,4,2,0.92200000000000004174,0.91200000000000003286,0.92200000000000004174);
INSERT INTO trial_values VALUES(1,5,2,0.010000000000000000208,0.010000000000000000208,0.010000000000000000208);
INSERT INTO trial_values VALUES(1,6,2,2.0,2.0,2.0);
INSERT INTO trial_values VALUES(1,7,2,0.5,0.5,0.5);
INSERT INTO trial_values VALUES(1,8,2,32.0,32.0,32.0);
INSERT INTO trial_values VALUES(1,9,2,0.75,0.75,0.75);
CREATE TABLE replaced_files (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  revision INTEGER NOT NULL,
  first_configuration INTEGER NOT NULL,
  digest TEXT NOT NULL,
  text TEXT NOT NULL,
  replaced_us INTEGER NOT NULL,
  PRIMARY KEY (sweep_id, revision)
) STRICT;
INSERT INTO replaced_files VALUES(1,1,1,'54bd45c649b61be54c355f7a0f6a3b90bcc5e6ad408333a2cea17fcc96ca7cf6',replace('name: done\nmodel: widths-net.yaml\ndataset: {name: synthetic, train: 64, test: 200}\nmethod: grid\nreplicates: 2\nepochs: 2\nrequire: {accuracy: ">= 0.92"}\nparameters:\n  lr: {values: [0.02, 0.05]}\n','\n',char(10)),1795257533895843);
CREATE TABLE warm_starts (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  position INTEGER NOT NULL,
  source TEXT NOT NULL,
  taken INTEGER NOT NULL,
  left_out INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (sweep_id, position)
) STRICT;
INSERT INTO warm_starts VALUES(4,0,'done',2,0,'');
CREATE TABLE warm_points (
  sweep_id INTEGER NOT NULL REFERENCES sweeps (id),
  position INTEGER NOT NULL,
  parameters TEXT NOT NULL CHECK (json_valid(parameters)),
  resolved TEXT NOT NULL CHECK (json_valid(resolved)),
  results TEXT NOT NULL CHECK (json_valid(results)),
  PRIMARY KEY (sweep_id, position)
) STRICT;
INSERT INTO warm_points VALUES(4,0,'{"lr":0.02}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.02,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.02,"model":"widths-net.yaml","momentum":0.9,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0,"width":16}','[["completed",2,0.9]]');
INSERT INTO warm_points VALUES(4,1,'{"lr":0.05}','{"augmentation":"none","batch_size":64,"decay_norm_and_bias":true,"dropout":0.02,"epochs":2,"final_lr_fraction":0.0,"label_smoothing":0.0,"lr":0.05,"model":"widths-net.yaml","momentum":0.9,"nesterov":false,"one_cycle_final_divisor":10000.0,"one_cycle_start_divisor":25.0,"one_cycle_warmup":0.3,"rotation_degrees":10.0,"schedule":"constant","shift_pixels":2,"step_epochs":6,"step_gamma":0.1,"warmup_epochs":0.0,"weight_decay":0.0,"width":16}','[["completed",2,0.9]]');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('sweeps',4);
INSERT INTO sqlite_sequence VALUES('events',69);
INSERT INTO sqlite_sequence VALUES('configurations',10);
INSERT INTO sqlite_sequence VALUES('trials',12);
INSERT INTO sqlite_sequence VALUES('requests',2);
CREATE INDEX sweeps_unfinished ON sweeps (id) WHERE state IN ('active', 'paused');
CREATE INDEX configurations_by_rank ON configurations (
  sweep_id, qualifies DESC, has_value DESC, rank_key, (epochs_to_target = 0), epochs_to_target,
  network_parameters, number);
CREATE INDEX trials_by_state ON trials (sweep_id, state, number);
CREATE INDEX events_by_sweep ON events (sweep_id, sequence);
CREATE INDEX parameter_values_by_value ON parameter_values (sweep_id, name, value);
CREATE INDEX trials_by_epochs_to_target ON trials (sweep_id, epochs_to_target)
  WHERE epochs_to_target > 0;
CREATE INDEX artifacts_by_blob ON artifacts (sha256);
CREATE INDEX attempts_by_end ON attempts (ended_us);
CREATE INDEX configurations_by_best_trial ON configurations (best_trial_id);
CREATE INDEX trials_by_best ON trials (sweep_id, best) WHERE epoch > 0;
CREATE VIEW ranking AS
SELECT
  s.name AS sweep,
  row_number() OVER (
    PARTITION BY c.sweep_id
    ORDER BY c.qualifies DESC, c.has_value DESC, c.rank_key, c.epochs_to_target = 0,
      c.epochs_to_target, c.network_parameters, c.number) AS rank,
  t.number AS trial,
  c.qualifies AS qualifies,
  json_extract(c.held, '$.validation_accuracy') AS accuracy,
  nullif(c.epochs_to_target, 0) AS epochs_to_target,
  nullif(c.network_parameters, 0) AS network_parameters,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  iif(c.has_value, c.metric, NULL) AS metric,
  c.replicates AS replicates,
  c.mean_last AS mean_last,
  iif(c.replicates > 1, c.mean_half_width, NULL) AS mean_half_width,
  iif(t.diverged, 'diverged', t.state) AS state,
  c.number AS configuration,
  c.parameters AS parameters,
  c.resolved AS resolved,
  c.held AS held
FROM configurations c
JOIN trials t ON t.id = c.best_trial_id
JOIN sweeps s ON s.id = c.sweep_id
WHERE c.has_value
ORDER BY c.sweep_id, rank;
CREATE INDEX trials_with_measures ON trials (sweep_id) WHERE epoch > 0 AND measures <> 'null';
CREATE VIEW trial_measures AS
SELECT t.id AS trial_id, iif(t.measures <> 'null', t.measures, (
  SELECT json_group_object(n.name, json_array(
    iif(abs(v.last) < 9e999, json(printf('%!.17g', v.last)),
      iif(v.last > 0, 'Infinity', iif(v.last < 0, '-Infinity', NULL))),
    iif(abs(v.low) < 9e999, json(printf('%!.17g', v.low)),
      iif(v.low > 0, 'Infinity', iif(v.low < 0, '-Infinity', NULL))),
    iif(abs(v.high) < 9e999, json(printf('%!.17g', v.high)),
      iif(v.high > 0, 'Infinity', iif(v.high < 0, '-Infinity', NULL)))))
  FROM measure_names n CROSS JOIN trial_values v
    ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
  WHERE n.sweep_id = t.sweep_id)) AS measures
FROM trials t;
CREATE VIEW own_measures AS
SELECT * FROM (
  SELECT e.trial_id AS trial_id, e.attempt AS attempt, e.epoch AS epoch, n.name AS name,
    CASE n.slot WHEN 1 THEN e.v1 WHEN 2 THEN e.v2 WHEN 3 THEN e.v3 WHEN 4 THEN e.v4 WHEN 5 THEN e.v5 WHEN 6 THEN e.v6 WHEN 7 THEN e.v7 WHEN 8 THEN e.v8 WHEN 9 THEN e.v9 WHEN 10 THEN e.v10 WHEN 11 THEN e.v11 WHEN 12 THEN e.v12 END AS value
  FROM epoch_reports e JOIN trials t ON t.id = e.trial_id
  JOIN measure_names n ON n.sweep_id = t.sweep_id AND n.slot IS NOT NULL)
WHERE value IS NOT NULL
UNION ALL
SELECT e.trial_id, e.attempt, e.epoch, j.key,
  iif(j.type = 'text', iif(j.value = 'Infinity', 9e999, -9e999), j.value)
FROM epoch_reports e, json_each(e.more) j WHERE e.more IS NOT NULL;
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
  strftime('%Y-%m-%dT%H:%M:%SZ', e.reported_us / 1000000, 'unixepoch') AS reported,
  (SELECT nullif(json_group_object(o.name, iif(abs(o.value) < 9e999, json(printf('%!.17g', o.value)),
      iif(o.value > 0, 'Infinity', iif(o.value < 0, '-Infinity', NULL)))), '{}')
    FROM (
      SELECT n.name AS name, CASE n.slot WHEN 1 THEN e.v1 WHEN 2 THEN e.v2 WHEN 3 THEN e.v3 WHEN 4 THEN e.v4 
      WHEN 5 THEN e.v5 WHEN 6 THEN e.v6 WHEN 7 THEN e.v7 WHEN 8 THEN e.v8 
      WHEN 9 THEN e.v9 WHEN 10 THEN e.v10 WHEN 11 THEN e.v11 WHEN 12 THEN e.v12 END AS value, 1 AS is_slot
      FROM measure_names n WHERE n.sweep_id = t.sweep_id AND n.slot IS NOT NULL
      UNION ALL
      SELECT j.key, iif(j.type = 'text', iif(j.value = 'Infinity', 9e999, -9e999), j.value), 0
      FROM json_each(e.more) j) o
    WHERE o.value IS NOT NULL OR NOT o.is_slot) AS more
FROM epoch_reports e
JOIN trials t ON t.id = e.trial_id
JOIN sweeps s ON s.id = t.sweep_id
WHERE NOT EXISTS (
  SELECT 1 FROM epoch_reports f
  WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt);
CREATE VIEW measures AS
SELECT sweep, trial, epoch, name, value FROM (
  SELECT sweep, trial, epoch, 'train_loss' AS name, train_loss AS value FROM epochs WHERE train_loss IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'train_accuracy' AS name, train_accuracy AS value FROM epochs WHERE train_accuracy IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'validation_loss' AS name, validation_loss AS value FROM epochs WHERE validation_loss IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'validation_accuracy' AS name, validation_accuracy AS value FROM epochs WHERE validation_accuracy IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'lr' AS name, lr AS value FROM epochs WHERE lr IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'train_seconds' AS name, train_seconds AS value FROM epochs WHERE train_seconds IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'evaluate_seconds' AS name, evaluate_seconds AS value FROM epochs WHERE evaluate_seconds IS NOT NULL
  UNION ALL
  SELECT sweep, trial, epoch, 'images_per_second' AS name, images_per_second AS value FROM epochs WHERE images_per_second IS NOT NULL
  UNION ALL
  SELECT * FROM (
    SELECT s.name AS sweep, t.number AS trial, e.epoch AS epoch, n.name AS name,
      CASE n.slot WHEN 1 THEN e.v1 WHEN 2 THEN e.v2 WHEN 3 THEN e.v3 WHEN 4 THEN e.v4 
      WHEN 5 THEN e.v5 WHEN 6 THEN e.v6 WHEN 7 THEN e.v7 WHEN 8 THEN e.v8 
      WHEN 9 THEN e.v9 WHEN 10 THEN e.v10 WHEN 11 THEN e.v11 WHEN 12 THEN e.v12 END AS value
    FROM sweeps s CROSS JOIN trials t ON t.sweep_id = s.id
    CROSS JOIN epoch_reports e ON e.trial_id = t.id
    CROSS JOIN measure_names n ON n.sweep_id = s.id AND n.slot IS NOT NULL
    WHERE NOT EXISTS (SELECT 1 FROM epoch_reports f
      WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt)) WHERE value IS NOT NULL
  UNION ALL
  SELECT s.name, t.number, e.epoch, j.key,
    iif(j.type = 'text', iif(j.value = 'Infinity', 9e999, -9e999), j.value)
    FROM sweeps s CROSS JOIN trials t ON t.sweep_id = s.id
    CROSS JOIN epoch_reports e ON e.trial_id = t.id, json_each(e.more) j
    WHERE e.more IS NOT NULL AND NOT EXISTS (SELECT 1 FROM epoch_reports f
      WHERE f.trial_id = e.trial_id AND f.epoch = e.epoch AND f.attempt < e.attempt));
CREATE UNIQUE INDEX attempts_by_request ON attempts (request) WHERE request <> '';
CREATE VIEW runs AS
SELECT
  s.name AS sweep,
  t.number AS trial,
  iif(t.diverged, 'diverged', t.state) AS state,
  c.model AS model,
  json_extract(c.resolved, '$.lr') AS lr,
  json_extract(c.resolved, '$.momentum') AS momentum,
  json_extract(c.resolved, '$.batch_size') AS batch_size,
  json_extract(c.resolved, '$.dropout') AS dropout,
  t.epoch AS epoch,
  t.epochs AS epochs,
  s.metric AS metric,
  t.best AS best,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.validation_accuracy[2]') = 'text',
      iif(json_extract(t.measures, '$.validation_accuracy[2]') = 'Infinity', 9e999, -9e999),
      json_extract(t.measures, '$.validation_accuracy[2]')),
    (SELECT v.high FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name = 'validation_accuracy')) AS best_accuracy,
  nullif(t.best_epoch, 0) AS best_epoch,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.validation_accuracy[0]') = 'text',
      iif(json_extract(t.measures, '$.validation_accuracy[0]') = 'Infinity', 9e999, -9e999),
      json_extract(t.measures, '$.validation_accuracy[0]')),
    (SELECT v.last FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name = 'validation_accuracy')) AS last_accuracy,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.validation_loss[1]') = 'text',
      iif(json_extract(t.measures, '$.validation_loss[1]') = 'Infinity', 9e999, -9e999),
      json_extract(t.measures, '$.validation_loss[1]')),
    (SELECT v.low FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name = 'validation_loss')) AS best_loss,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.validation_loss[0]') = 'text',
      iif(json_extract(t.measures, '$.validation_loss[0]') = 'Infinity', 9e999, -9e999),
      json_extract(t.measures, '$.validation_loss[0]')),
    (SELECT v.last FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name = 'validation_loss')) AS last_loss,
  nullif(t.epochs_to_target, 0) AS epochs_to_target,
  nullif(c.network_parameters, 0) AS network_parameters,
  iif(t.measures <> 'null', iif(json_type(t.measures, '$.train_seconds') IS NULL
      AND json_type(t.measures, '$.evaluate_seconds') IS NULL, NULL, round(t.seconds, 3)),
    iif(EXISTS (SELECT 1 FROM measure_names n CROSS JOIN trial_values v
      ON v.sweep_id = n.sweep_id AND v.measure = n.measure AND v.trial_id = t.id
      WHERE n.sweep_id = t.sweep_id AND n.name IN ('train_seconds', 'evaluate_seconds')),
      round(t.seconds, 3), NULL)) AS seconds,
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
  c.parameters AS parameters,
  c.resolved AS resolved,
  m.measures AS measures,
  (SELECT round(sum(coalesce(a.ended_us / 1e6, (julianday('now') - 2440587.5) * 86400)
    - a.started_us / 1e6), 3) FROM attempts a WHERE a.trial_id = t.id) AS attempt_seconds,
  c.member AS member,
  c.parent AS parent,
  iif(c.member IS NULL, NULL, c.start_epoch) AS start_epoch
FROM trials t
JOIN trial_measures m ON m.trial_id = t.id
JOIN configurations c ON c.id = t.configuration_id
JOIN sweeps s ON s.id = t.sweep_id;
COMMIT;
PRAGMA application_id = 1398228304;
PRAGMA user_version = 12;
