import { expect, it } from "vitest";
import { href, parseRoute, trialHref } from "./router";
import { apiPath } from "./source";

it("reads back what it wrote, whatever the characters", () => {
  for (const name of ["mnist-994", "a b", "数字", "<script>", "50%", "a/b", "a?b#c"]) {
    expect(parseRoute(href(["sweeps", name], { where: "lr < 0.1 & x == '%'" }))).toEqual({
      parts: ["sweeps", name],
      query: { where: "lr < 0.1 & x == '%'" },
    });
  }
  expect(trialHref("s", 3)).toBe("#/sweeps/s/trials/3");
});

it("survives what nobody wrote", () => {
  expect(parseRoute("")).toEqual({ parts: [], query: {} });
  expect(parseRoute("#/sweeps/%E0%A4%A")).toEqual({ parts: ["sweeps", "%E0%A4%A"], query: {} });
});

it("escapes what it asks the server", () => {
  expect(apiPath(["sweeps", "a b/c"], { where: "lr<1", sort: "" })).toBe(
    "/api/sweeps/a%20b%2Fc?where=lr%3C1",
  );
});
