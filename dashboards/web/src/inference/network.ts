// A trained network in evaluation mode, in the browser: the same semantics as common/inference,
// which documents the names and shapes of the tensors.

import {
  logSoftmax,
  makeStep,
  readLayerSpec,
  whole,
  type Image,
  type LayerSpec,
  type Step,
} from "./layers";
import type { Tensor } from "./safetensors";

export interface NetworkSpec {
  input: [number, number, number];
  layers: LayerSpec[];
}

// Parses the `network` of a trial's spec (docs/protocol.md). Throws an Error that says what is
// wrong.
export function readNetworkSpec(value: unknown): NetworkSpec {
  const network = value as { input?: unknown; layers?: unknown } | null | undefined;
  if (!Array.isArray(network?.input) || !Array.isArray(network.layers))
    throw new Error("the trial has no network of layers");
  const [channels, height, width] = network.input as unknown[];
  return {
    input: [whole(channels, 1), whole(height, 28), whole(width, 28)],
    layers: (network.layers as Record<string, unknown>[]).map(readLayerSpec),
  };
}

export class InferenceNetwork {
  private constructor(
    readonly spec: NetworkSpec,
    private readonly steps: Step[],
  ) {}

  // Throws an Error that names the tensor or layer that does not fit.
  static create(spec: NetworkSpec, tensors: Map<string, Tensor>): InferenceNetwork {
    const [channels, height, width] = spec.input;
    let image: Image = {
      channels,
      height,
      width,
      values: new Float32Array(channels * height * width),
    };
    const steps: Step[] = [];
    spec.layers.forEach((layer, i) => {
      const step = makeStep(layer, `layers.${i}.`, image, tensors);
      image = step(image); // gives the next layer's input shape
      steps.push(step);
    });
    return new InferenceNetwork(spec, steps);
  }

  // Turns one normalised image, [channels][height][width], into log-probabilities of the classes.
  run(values: Float32Array): Float32Array {
    const [channels, height, width] = this.spec.input;
    let image: Image = { channels, height, width, values };
    for (const step of this.steps) image = step(image);
    return logSoftmax(image.values);
  }
}
