// A trainer for `program:` that behaves as its sweep's parameters say:
//   gate   a folder: epoch N is trained when the file "epochs" there says N or more; "": at once
//   fail   true: ends with an error before the first epoch
//   nan    true: losses are NaN
//   bare   true: reports its accuracy and nothing else
//   curved true: its accuracy depends on lr, and is best at 0.1
//   own    true: reports val/f1, latency and epsilon, every second epoch, and no accuracy
//   say    printed before the first epoch, so that it is a log line

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const trial = JSON.parse((await lines.next()).value);
const { gate, fail, nan, bare, curved, own, say, quality = 0.99 } = trial.parameters;
const send = (message) =>
  process.stdout.write(`${JSON.stringify({ trial: trial.trial, ...message })}\n`);

// A trial that is to rest ends earlier; when it goes on, it begins anew, without a checkpoint.
const last = trial.target_epoch || trial.epochs;

function opened() {
  if (!gate) return trial.epochs;
  try {
    return Number(readFileSync(`${gate}/epochs`, "utf8"));
  } catch {
    return 0;
  }
}

if (say) console.log(say);
if (fail) {
  console.log("no such file: <b>weights</b> \u202e");
  process.exit(3);
}
for (let epoch = 1; epoch <= last; epoch += 1) {
  while (opened() < epoch) {
    send({
      type: "progress",
      epoch,
      step: 10 * epoch,
      steps: 100,
      loss: 0.5 / epoch,
      images_per_second: 1234,
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const loss = curved ? Math.abs(Math.log10(Number(trial.lr)) + 1) / 5 : 0;
  const accuracy = (quality - loss) * (1 - 0.5 / (epoch + 1));
  if (own) {
    const lr = Number(trial.lr ?? 0.1);
    const metrics = { "val/f1": accuracy - lr / 10, latency: 3 / lr, epsilon: 0.1 / epoch };
    if (epoch % 2 === 0) send({ type: "epoch", epoch, metrics });
    continue;
  }
  if (bare) {
    send({ type: "epoch", epoch, validation_accuracy: accuracy });
    continue;
  }
  console.log(`trained epoch ${epoch}`);
  send({
    type: "epoch",
    epoch,
    train_loss: nan ? "NaN" : 1 - accuracy,
    train_accuracy: accuracy - 0.01,
    validation_loss: nan ? "NaN" : 1.1 - accuracy,
    validation_accuracy: accuracy,
    lr: Number(trial.lr ?? 0.1),
    train_seconds: 1,
    evaluate_seconds: 0.1,
    images_per_second: 1234,
  });
}
send({ type: "done", epochs: last });
process.exit(0);
