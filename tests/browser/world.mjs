// A coordinator with the page, workers, and sweeps of every kind: one trained by sweep-trainer, one
// that runs as far as the test lets it, one with hostile words, one that has failed, one that is
// empty.

import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { mkdir, writeFile } from "node:fs/promises";
import { eventually, Program, run, temporaryFolder } from "./programs.mjs";

export const HOSTILE = `<img src=x onerror="document.title='owned'"></script><script>document.title='owned'</script> ünïcødé 数字`;
export const LONG = "x".repeat(10000);
const TRAINER = fileURLToPath(new URL("trainer.mjs", import.meta.url));
const program = JSON.stringify([process.execPath, TRAINER]);

const TRAINED = `
name: trained
model: cnn-18718
dataset: {name: synthetic, train: 512, test: 200}
method: grid
parameters:
  lr: {values: [0.02, 0.05, 0.1]}
  momentum: {values: [0.8, 0.9]}
epochs: 2
require: {accuracy: ">= 20%", epochs: "< 20", parameters: "< 20000"}
labels: {purpose: ${JSON.stringify(HOSTILE)}}
`;
// Has its own network, whose width is swept and whose file is in another folder.
const NETWORK = `
name: narrow
parameters: {width: 4}
layers:
  - conv: {out: "\${width}", kernel: 3}
  - relu
  - max_pool: 2
  - conv: {out: 10, kernel: 3}
  - global_avg_pool
`;
const OWN = `
name: own
description: ${JSON.stringify(`how wide? ${HOSTILE}`)}
model: nets/narrow.yaml
dataset: {name: synthetic, train: 512, test: 200}
method: grid
parameters:
  width: {values: [4, 6]}
  lr: {values: [0.05, 100]}
epochs: 2
require: {accuracy: ">= 99%"}
`;
// Reports an accuracy and nothing else.
const SILENT = `
name: silent
program: ${program}
method: grid
parameters: {lr: {values: [0.1, 0.2]}, bare: true}
epochs: 2
`;
// Does not report accuracy: it has two objectives of its own, and one more measure.
const PROGRAM = `
name: program
program: ${program}
method: grid
parameters: {lr: {values: [0.1, 0.2, 0.3]}, width: {values: [1, 2]}, own: true}
epochs: 4
metric: [{name: val/f1, goal: maximize}, {name: latency, goal: minimize}]
measures: {latency: {unit: ms}}
require: {val/f1: ">= 0.8"}
`;
const live = (gate) => `
name: live
program: ${program}
method: grid
parameters:
  lr: {values: [0.1, 0.2, 0.3, 0.4]}
  gate: ${JSON.stringify(gate)}
epochs: 5
require: {accuracy: ">= 0.97"}
`;
const HOSTILE_SWEEP = `
name: hostile
program: ${program}
method: grid
parameters:
  note: {values: [${JSON.stringify(HOSTILE)}, ${JSON.stringify(LONG)}]}
  say: ${JSON.stringify(HOSTILE)}
  nan: true
  ${LONG.slice(0, 62)}: {values: [1, 2]}
  ${LONG.slice(0, 63)}: {values: [1, 2]}
epochs: 2
labels: {owner: ${JSON.stringify(HOSTILE)}, long: ${JSON.stringify(LONG.slice(0, 60))}}
`;
const FAILING = `
name: failing
program: ${program}
method: grid
parameters: {lr: {values: [0.1, 0.2]}, fail: true}
epochs: 2
max_failures: 1
`;
// Learns: a Gaussian process over numbers and words. Runs with lr between 0.04 and 0.25 qualify.
const LEARNING = `
name: learning
program: ${program}
method: gp
run_cap: 16
parameters:
  lr: {distribution: log_uniform_values, min: 0.01, max: 1}
  width: {min: 1, max: 8}
  kind: {values: [plain, other]}
  curved: true
epochs: 2
require: {accuracy: ">= 76%"}
`;
// A population: three segments of one epoch for each of four members. All wait for each other, so
// that the worst is copied over whichever ends first; and the network learns, so that one is worst.
const POPULATION = `
name: population
model: cnn-18718
dataset: {name: synthetic, train: 256, test: 128}
method: pbt
pbt: {population: 4, segment_epochs: 1, synchronous: true}
parameters:
  lr: {distribution: log_uniform_values, min: 0.001, max: 0.3}
  batch_size: {values: [32, 64, 128]}
epochs: 3
seed: 2
`;
const EMPTY = `
name: empty
program: ${program}
method: grid
parameters: {lr: {values: [0.1, 0.2]}}
epochs: 2
`;

// Trials that rest after their first epoch; the best third goes on. Its trainer waits at the gate.
export const resting = (gate) => `
name: resting
program: ${program}
method: grid
parameters:
  lr: {values: [0.1, 0.2, 0.3, 0.5, 0.7, 0.9]}
  curved: true
  gate: ${JSON.stringify(gate)}
epochs: 4
early_terminate: {type: asha}
require: {accuracy: ">= 70%"}
`;

export class World {
  static start({ trained = true } = {}) {
    return World.with((world) => world.build(trained));
  }

  // A coordinator and a worker, without a sweep.
  static bare() {
    return World.with(async (world) => {
      await world.startCoordinator("127.0.0.1:0", "127.0.0.1:0");
      await world.makeGate();
      await world.startWorker("first", 2);
    });
  }

  static async with(build) {
    const world = new World();
    world.folder = await temporaryFolder();
    world.programs = [];
    try {
      await build(world);
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  async build(trained) {
    await this.startCoordinator("127.0.0.1:0", "127.0.0.1:0");
    await this.submit("empty", EMPTY);
    await this.sweep("pause", "empty");
    await this.makeGate();
    await this.submit("failing", FAILING);
    await this.submit("hostile", HOSTILE_SWEEP);
    await this.submit("silent", SILENT);
    await this.submit("program", PROGRAM);
    await this.submit("learning", LEARNING);
    await mkdir(join(this.folder.path, "nets"));
    await this.folder.write("nets/narrow.yaml", NETWORK);
    if (trained) await this.submit("own", OWN);
    if (trained) await this.submit("trained", TRAINED);
    if (trained) await this.submit("population", POPULATION);
    await this.startWorker("first", 2);
    for (const name of [
      "failing",
      "hostile",
      "silent",
      "program",
      "learning",
      ...(trained ? ["own", "trained", "population"] : []),
    ])
      await this.completed(name);
    await this.submit("live", live(this.gate));
    await eventually(
      "trials of live run",
      async () => (await this.get("sweeps/live")).trials.running === 2,
    );
  }

  makeGate() {
    this.gate = join(this.folder.path, "gate");
    return mkdir(this.gate);
  }

  async startCoordinator(listen, http) {
    this.coordinator = new Program(
      "sweep-coordinator",
      ["--listen", listen, "--http", http, "--db", "sweep.db", "--log-level", "warn"],
      this.folder.path,
    );
    this.programs.push(this.coordinator);
    this.address = (await this.coordinator.said(/listening on (\S+)/))[1];
    this.page = (await this.coordinator.said(/dashboard on (http:\S+)/))[1].replace(/\/?$/, "/");
  }

  async startWorker(name, slots) {
    const args = [
      "--coordinator",
      this.address,
      "--name",
      name,
      "--slots",
      String(slots),
      "--allow-program",
      "--label",
      `note=${HOSTILE}`,
    ];
    this.programs.push(new Program("sweep-worker", args, this.folder.path));
  }

  sweep(...args) {
    return run("sweep", [...args, "--coordinator", this.address], this.folder.path);
  }

  async submit(name, text) {
    await this.folder.write(`${name}.yaml`, text);
    await this.sweep("submit", `${name}.yaml`);
  }

  async get(path) {
    const response = await fetch(`${this.page}api/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  completed(name) {
    return eventually(
      `${name} has ended`,
      async () => (await this.get(`sweeps/${name}`)).state === "completed",
      180,
    );
  }

  // Lets sweeps that wait at the gate train up to this epoch.
  openGate(epoch) {
    return writeFile(join(this.gate, "epochs"), String(epoch));
  }

  async end() {
    for (const program of this.programs.reverse()) await program.end("SIGKILL");
    await this.folder.remove();
  }
}
