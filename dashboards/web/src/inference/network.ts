// A trained network in evaluation mode, in the browser: the same semantics as common/inference,
// which has the names and shapes of the tensors.

import {
  averagePool,
  batchNorm,
  conv,
  globalAveragePool,
  linear,
  logSoftmax,
  maxPool,
  relu,
  type Image,
} from "./layers";
import type { Tensor } from "./safetensors";

interface LayerSpec {
  kind: string;
  out: number;
  kernel: number;
  stride: number;
  padding: number;
  bias: boolean;
}

export interface NetworkSpec {
  input: [number, number, number];
  layers: LayerSpec[];
}

const BATCH_NORM_EPSILON = 1e-5;

function whole(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isInteger(value) ? value : otherwise;
}

// The `network` of a trial's spec (docs/protocol.md). Throws an Error that says what is wrong.
export function readNetworkSpec(value: unknown): NetworkSpec {
  const network = value as { input?: unknown; layers?: unknown } | null | undefined;
  if (!Array.isArray(network?.input) || !Array.isArray(network.layers))
    throw new Error("the trial has no network of layers");
  const [channels, height, width] = network.input as unknown[];
  return {
    input: [whole(channels, 1), whole(height, 28), whole(width, 28)],
    layers: (network.layers as Record<string, unknown>[]).map((layer) => ({
      kind: String(layer.kind),
      out: whole(layer.out, 0),
      kernel: whole(layer.kernel, 1),
      stride: whole(layer.stride, 1),
      padding: whole(layer.padding, 0),
      bias: layer.bias !== false,
    })),
  };
}

type Step = (image: Image) => Image;

function take(tensors: Map<string, Tensor>, name: string, size: number): Float32Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`the weights have no tensor ${name}`);
  if (tensor.values.length !== size)
    throw new Error(`tensor ${name} has ${tensor.values.length} values, not ${size}`);
  if (!tensor.values.every(Number.isFinite))
    throw new Error(`tensor ${name} holds a value that is not finite`);
  return tensor.values;
}

function normStep(tensors: Map<string, Tensor>, prefix: string, channels: number): Step {
  const [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(
    (name) => take(tensors, prefix + name, channels),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const factor = weight.map((w, i) => w / Math.sqrt((variance[i] ?? 0) + BATCH_NORM_EPSILON));
  const summand = bias.map((b, i) => b - (mean[i] ?? 0) * (factor[i] ?? 0));
  return (image) => batchNorm(image, factor, summand);
}

function makeStep(
  layer: LayerSpec,
  prefix: string,
  input: Image,
  tensors: Map<string, Tensor>,
): Step {
  const bias = (): Float32Array =>
    layer.bias ? take(tensors, `${prefix}bias`, layer.out) : new Float32Array(layer.out);
  switch (layer.kind) {
    case "conv": {
      const weight = take(
        tensors,
        `${prefix}weight`,
        layer.out * input.channels * layer.kernel * layer.kernel,
      );
      const summand = bias();
      return (image) => conv(image, weight, summand, layer);
    }
    case "linear": {
      const weight = take(tensors, `${prefix}weight`, layer.out * input.values.length);
      const summand = bias();
      return (image) => linear(image, weight, summand);
    }
    case "batch_norm":
      return normStep(tensors, prefix, input.channels);
    case "relu":
      return relu;
    case "max_pool":
      return (image) => maxPool(image, layer.kernel, layer.stride);
    case "avg_pool":
      return (image) => averagePool(image, layer.kernel, layer.stride);
    case "global_avg_pool":
      return globalAveragePool;
    case "dropout":
    case "dropout2d":
    case "log_softmax": // of the result, below, whether or not the network ends in one
      return (image) => image;
    default:
      throw new Error(`this page knows no layer "${layer.kind}"`);
  }
}

export class InferenceNetwork {
  private constructor(
    readonly spec: NetworkSpec,
    private readonly steps: Step[],
  ) {}

  // Throws an Error that names the tensor or the layer that does not fit.
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
      image = step(image); // for the shape that the next layer gets
      steps.push(step);
    });
    return new InferenceNetwork(spec, steps);
  }

  // One normalised image, [channels][height][width], to log-probabilities of the classes.
  run(values: Float32Array): Float32Array {
    const [channels, height, width] = this.spec.input;
    let image: Image = { channels, height, width, values };
    for (const step of this.steps) image = step(image);
    return logSoftmax(image.values);
  }
}
