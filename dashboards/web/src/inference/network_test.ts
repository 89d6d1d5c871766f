import { describe, expect, it } from "vitest";
import { decodeBase64 } from "../base64";
import { normalise } from "./digit";
import { InferenceNetwork, readNetworkSpec } from "./network";
import { readSafeTensors } from "./safetensors";

interface Recorded {
  network: unknown;
  weights: string;
  images: string;
  log_probabilities: number[][];
}

// Every file of the folder; its "source" names the origin of the answers. common/inference tests
// them too, and checks that they have every kind of layer.
const recordings = import.meta.glob<Recorded>("./testdata/*.json", { eager: true });

describe.each(Object.entries(recordings))("a trained network: %s", (_name, recorded) => {
  const weights = (): ArrayBuffer => decodeBase64(recorded.weights).buffer;
  const spec = readNetworkSpec(recorded.network);
  const images = decodeBase64(recorded.images);

  it("says of MNIST's first images what sweep predict says", () => {
    const network = InferenceNetwork.create(spec, readSafeTensors(weights()));
    recorded.log_probabilities.forEach((expected, i) => {
      const image = Float32Array.from(
        images.subarray(i * 784, (i + 1) * 784),
        (pixel) => pixel / 255,
      );
      const answer = network.run(normalise(image, 0.1307, 0.3081));
      expected.forEach((value, digit) =>
        expect(Math.abs(answer[digit]! - value)).toBeLessThan(2e-5 * (1 + Math.abs(value))),
      );
    });
  });

  it("is refused when a tensor is missing, has another size, or is not finite", () => {
    const tensors = readSafeTensors(weights());
    const name = "layers.0.weight";
    const whole = tensors.get(name)!;
    tensors.delete(name);
    expect(() => InferenceNetwork.create(spec, tensors)).toThrow(`no tensor ${name}`);
    tensors.set(name, { shape: [1], values: whole.values.slice(1) });
    expect(() => InferenceNetwork.create(spec, tensors)).toThrow(name);
    tensors.set(name, {
      ...whole,
      values: whole.values.map((value, i) => (i === 3 ? NaN : value)),
    });
    expect(() => InferenceNetwork.create(spec, tensors)).toThrow("not finite");
  });
});

it("refuses a spec without layers and a layer that it does not know", () => {
  expect(() => readNetworkSpec({})).toThrow("no network");
  expect(() => readNetworkSpec(undefined)).toThrow("no network");
  const spec = readNetworkSpec({ input: [1, 28, 28], layers: [{ kind: "attention" }] });
  expect(() => InferenceNetwork.create(spec, new Map())).toThrow('"attention"');
});
