// Layers on one image. Sums are 64-bit, so results differ from the trainer's 32-bit ones by about
// 1e-6, as for any other order of summing.

import type { Tensor } from "./safetensors";

export interface Image {
  channels: number;
  height: number;
  width: number;
  values: Float32Array; // [channel][y][x]
}

function make(channels: number, height: number, width: number): Image {
  return { channels, height, width, values: new Float32Array(channels * height * width) };
}

interface ConvShape {
  out: number;
  kernel: number;
  stride: number;
  padding: number;
}

function sideAfter(side: number, kernel: number, stride: number, padding = 0): number {
  return Math.floor((side + 2 * padding - kernel) / stride) + 1;
}

function conv(
  input: Image,
  weight: Float32Array,
  bias: Float32Array,
  shape: ConvShape,
): Image {
  const { kernel, stride, padding } = shape;
  const output = make(
    shape.out,
    sideAfter(input.height, kernel, stride, padding),
    sideAfter(input.width, kernel, stride, padding),
  );
  let at = 0;
  for (let o = 0; o < shape.out; o += 1) {
    for (let y = 0; y < output.height; y += 1) {
      for (let x = 0; x < output.width; x += 1) {
        output.values[at] =
          convPixel(input, weight, o, y * stride - padding, x * stride - padding, kernel) +
          bias[o]!;
        at += 1;
      }
    }
  }
  return output;
}

// Sums only the part of the window inside the image: the padding is zeros.
function convPixel(
  input: Image,
  weight: Float32Array,
  o: number,
  top: number,
  left: number,
  kernel: number,
): number {
  let sum = 0;
  for (let c = 0; c < input.channels; c += 1) {
    const filter = (o * input.channels + c) * kernel * kernel;
    const plane = c * input.height * input.width;
    for (let ky = Math.max(0, -top); ky < Math.min(kernel, input.height - top); ky += 1) {
      const row = plane + (top + ky) * input.width + left;
      for (let kx = Math.max(0, -left); kx < Math.min(kernel, input.width - left); kx += 1) {
        sum += weight[filter + ky * kernel + kx]! * input.values[row + kx]!;
      }
    }
  }
  return sum;
}

function linear(input: Image, weight: Float32Array, bias: Float32Array): Image {
  const output = make(bias.length, 1, 1);
  const inputs = input.values.length;
  for (let o = 0; o < bias.length; o += 1) {
    let sum = bias[o]!;
    for (let i = 0; i < inputs; i += 1) sum += weight[o * inputs + i]! * input.values[i]!;
    output.values[o] = sum;
  }
  return output;
}

function batchNorm(input: Image, factor: Float32Array, summand: Float32Array): Image {
  const plane = input.height * input.width;
  return {
    ...input,
    values: input.values.map((value, i) => {
      const channel = Math.floor(i / plane);
      return value * factor[channel]! + summand[channel]!;
    }),
  };
}

function relu(input: Image): Image {
  return { ...input, values: input.values.map((value) => Math.max(0, value)) };
}

function pool(
  input: Image,
  kernel: [number, number],
  stride: number,
  start: number,
  reduce: (a: number, b: number) => number,
): Image {
  const [rows, columns] = kernel;
  const output = make(
    input.channels,
    sideAfter(input.height, rows, stride),
    sideAfter(input.width, columns, stride),
  );
  let at = 0;
  for (let c = 0; c < input.channels; c += 1) {
    for (let y = 0; y < output.height; y += 1) {
      for (let x = 0; x < output.width; x += 1) {
        let value = start;
        for (let ky = 0; ky < rows; ky += 1) {
          const row = (c * input.height + y * stride + ky) * input.width + x * stride;
          for (let kx = 0; kx < columns; kx += 1) value = reduce(value, input.values[row + kx]!);
        }
        output.values[at] = value;
        at += 1;
      }
    }
  }
  return output;
}

function maxPool(input: Image, kernel: number, stride: number): Image {
  return pool(input, [kernel, kernel], stride, -Infinity, Math.max);
}

function divided(image: Image, divisor: number): Image {
  return { ...image, values: image.values.map((value) => value / divisor) };
}

function averagePool(input: Image, kernel: number, stride: number): Image {
  return divided(
    pool(input, [kernel, kernel], stride, 0, (a, b) => a + b),
    kernel * kernel,
  );
}

function globalAveragePool(input: Image): Image {
  return divided(
    pool(input, [input.height, input.width], 1, 0, (a, b) => a + b),
    input.height * input.width,
  );
}

export function logSoftmax(values: Float32Array): Float32Array {
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = values.reduce((total, value) => total + Math.exp(value - largest), 0);
  return values.map((value) => value - largest - Math.log(sum));
}

// One layer of a trial's spec (docs/protocol.md); fields that do not apply to its kind have their
// defaults.
export interface LayerSpec {
  kind: string;
  out: number;
  kernel: number;
  stride: number;
  padding: number;
  bias: boolean;
}

export function whole(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isInteger(value) ? value : otherwise;
}

export function readLayerSpec(layer: Record<string, unknown>): LayerSpec {
  return {
    kind: String(layer.kind),
    out: whole(layer.out, 0),
    kernel: whole(layer.kernel, 1),
    stride: whole(layer.stride, 1),
    padding: whole(layer.padding, 0),
    bias: layer.bias !== false,
  };
}

const BATCH_NORM_EPSILON = 1e-5;

export type Step = (image: Image) => Image;

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

// Returns the function that applies a layer to an image of the size of `input`. Throws an Error
// that names the tensor or layer that does not fit.
export function makeStep(
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
    case "log_softmax": // applied to the result in any case
      return (image) => image;
    default:
      throw new Error(`this page knows no layer "${layer.kind}"`);
  }
}
