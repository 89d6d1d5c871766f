import { describe, expect, it } from "vitest";
import { isShown, withColumn, type ChosenColumn } from "./column_choice";

const column = (key: string, rest: Partial<ChosenColumn<null>> = {}): ChosenColumn<null> => ({
  key,
  title: key,
  name: key,
  cell: () => key,
  ...rest,
});

describe("the choice of columns", () => {
  it("stands in the address, of those to hide and those to show", () => {
    const lr = column("lr");
    const extra = column("momentum", { extra: true });
    expect(isShown(lr, {})).toBe(true);
    expect(isShown(extra, {})).toBe(false);
    const hidden = withColumn(lr, false, { hide: ".last" });
    expect(hidden).toEqual({ hide: ".last lr" });
    expect(isShown(lr, hidden)).toBe(false);
    expect(withColumn(lr, true, hidden)).toEqual({ hide: ".last" });
    const shown = withColumn(extra, true, {});
    expect(isShown(extra, shown)).toBe(true);
    expect(withColumn(extra, false, shown)).toEqual({ show: "" });
  });

  it("does not take a hyperparameter for the result of the same name", () => {
    expect(isShown(column(".last"), { hide: "last" })).toBe(true);
  });

  it("leaves alone what is always there", () => {
    expect(isShown({ key: "trial", title: "", cell: () => "" }, { hide: "trial" })).toBe(true);
  });
});
