// Reads a safetensors file: 8 bytes of length, a JSON header, then the tensors' bytes. Trusts
// nothing, since the file may come from anybody.

export interface Tensor {
  shape: number[];
  values: Float32Array;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const MOST_HEADER = 16 * 1024 * 1024;

function isEntry(value: unknown): value is Entry {
  const entry = value as Partial<Entry> | null;
  const whole = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  return (
    typeof entry?.dtype === "string" &&
    whole(entry.shape) &&
    whole(entry.data_offsets) &&
    entry.data_offsets.length === 2
  );
}

function readHeader(file: ArrayBuffer): { entries: Record<string, unknown>; start: number } {
  if (file.byteLength < 8) throw new Error("the file is too short for safetensors");
  const length = new DataView(file).getBigUint64(0, true);
  if (length > MOST_HEADER || Number(length) > file.byteLength - 8)
    throw new Error("the header is longer than the file");
  const text = new TextDecoder("utf-8", { fatal: true }).decode(
    new Uint8Array(file, 8, Number(length)),
  );
  return { entries: JSON.parse(text) as Record<string, unknown>, start: 8 + Number(length) };
}

// All F32 tensors by name; omits others (counters).
export function readSafeTensors(file: ArrayBuffer): Map<string, Tensor> {
  const { entries, start } = readHeader(file);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(entries)) {
    if (name === "__metadata__") continue;
    if (!isEntry(entry)) throw new Error(`tensor "${name}" has no dtype, shape and offsets`);
    if (entry.dtype !== "F32") continue;
    const [begin, end] = entry.data_offsets;
    const count = entry.shape.reduce((product, side) => product * side, 1);
    if (end - begin !== count * 4 || start + end > file.byteLength)
      throw new Error(`tensor "${name}" does not fit into the file`);
    // Copies, since a Float32Array must start at a multiple of 4 bytes.
    tensors.set(name, {
      shape: entry.shape,
      values: new Float32Array(file.slice(start + begin, start + end)),
    });
  }
  return tensors;
}
