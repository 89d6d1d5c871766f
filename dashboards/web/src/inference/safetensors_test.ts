import { expect, it } from "vitest";
import { readSafeTensors } from "./safetensors";

function file(
  header: string,
  data: number[] = [],
  length = new TextEncoder().encode(header).length,
): ArrayBuffer {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length * 4);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  bytes.set(new Uint8Array(new Float32Array(data).buffer), 8 + text.length);
  return bytes.buffer;
}

it("reads floats, wherever they lie, and leaves other types and the metadata out", () => {
  const header = JSON.stringify({
    __metadata__: { format: "pt" },
    count: { dtype: "I64", shape: [], data_offsets: [12, 20] },
    w: { dtype: "F32", shape: [1, 3], data_offsets: [0, 12] },
  });
  const tensors = readSafeTensors(file(`${header} `, [1, -2, 0.5, 0, 0]));
  expect([...tensors.keys()]).toEqual(["w"]);
  expect(tensors.get("w")).toEqual({ shape: [1, 3], values: Float32Array.of(1, -2, 0.5) });
});

it("refuses what does not fit", () => {
  expect(() => readSafeTensors(new ArrayBuffer(3))).toThrow("too short");
  expect(() => readSafeTensors(file("{}", [], 1000))).toThrow("longer than the file");
  expect(() => readSafeTensors(file("{", []))).toThrow();
  expect(() =>
    readSafeTensors(
      file(JSON.stringify({ w: { dtype: "F32", shape: [4], data_offsets: [0, 16] } }), [1, 2]),
    ),
  ).toThrow("does not fit");
  expect(() =>
    readSafeTensors(
      file(JSON.stringify({ w: { dtype: "F32", shape: [3], data_offsets: [0, 8] } }), [1, 2]),
    ),
  ).toThrow("does not fit");
  expect(() =>
    readSafeTensors(
      file(JSON.stringify({ w: { dtype: "F32", shape: [-1], data_offsets: [0, 8] } }), [1, 2]),
    ),
  ).toThrow('"w"');
});
