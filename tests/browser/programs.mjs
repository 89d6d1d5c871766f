// The real programs as child processes, each ended by its id when the tests end.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const BIN = process.env.SWEEP_BIN ?? "build/release/bin";
const SECONDS = 1000;

export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "sweep-browser-"));
  return {
    path,
    write: async (name, text) => {
      await writeFile(join(path, name), text);
      return join(path, name);
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

// Checks the condition again and again until it is true; throws an error that names it otherwise.
export async function eventually(what, condition, seconds = 60) {
  const end = Date.now() + seconds * SECONDS;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > end)
      throw new Error(`not within ${seconds} s: ${typeof what === "function" ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// When a test is stopped from outside, its processes must end too.
const running = new Set();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    for (const child of running) child.kill("SIGKILL");
    process.exit(1);
  });
}

export class Program {
  constructor(name, args, folder) {
    this.name = name;
    this.output = "";
    this.child = spawn(join(BIN, name), args, {
      cwd: folder,
      env: { ...process.env, HOME: folder, XDG_CACHE_HOME: folder, XDG_CONFIG_HOME: folder },
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream.on("data", (data) => {
        this.output += data;
      });
    running.add(this.child);
    this.ended = once(this.child, "exit").then(([code]) => {
      running.delete(this.child);
      return code;
    });
  }

  // The first match of a pattern in the program's output.
  async said(pattern, seconds = 60) {
    let match;
    await eventually(
      () => `${this.name} says ${pattern}; it said:\n${this.output}`,
      () => {
        match = pattern.exec(this.output);
        if (!match && this.child.exitCode !== null)
          throw new Error(`${this.name} ended:\n${this.output}`);
        return match !== null;
      },
      seconds,
    );
    return match;
  }

  async end(signal = "SIGTERM") {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.ended;
  }
}

export async function run(name, args, folder) {
  const program = new Program(name, args, folder);
  const code = await program.ended;
  if (code !== 0)
    throw new Error(`${name} ${args.join(" ")} ended with ${code}:\n${program.output}`);
  return program.output;
}
