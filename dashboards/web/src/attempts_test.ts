import { expect, it } from "vitest";
import { endFirst, outcomeKind } from "./attempts";

it("names a program's error before where it came from", () => {
  const reason = "program python3 ended with exit code 1\n  File \"train.py\"\nValueError: no weights";
  expect(endFirst(reason)).toBe(
    'ValueError: no weights · program python3 ended with exit code 1 · File "train.py"',
  );
  expect(endFirst("no heartbeat for 60 s")).toBe("no heartbeat for 60 s");
  expect(endFirst("")).toBe("");
});

it("does not take a rest for an end", () => {
  expect(outcomeKind("held")).toBe("idle");
});

it("does not take a divergence for a failure", () => {
  expect(outcomeKind("diverged")).toBe("held");
  expect(outcomeKind("failed")).toBe("bad");
});
