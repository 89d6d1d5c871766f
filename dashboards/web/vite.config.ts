import { createHash } from "node:crypto";
import type { Connect, Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { answer } from "./fixtures/answers";

// Makes a report a single file that opens from disk: puts its one chunk and its style into the
// page. `sweep report` fills an element with the documents.
function singleFile(): Plugin {
  return {
    name: "single-file",
    enforce: "post",
    generateBundle(_options, bundle) {
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("the build made no index.html");
      let html = String(page.source).replace(/<link rel="icon"[^>]*>/, "");
      for (const [name, output] of Object.entries(bundle)) {
        if (output === page) continue;
        delete bundle[name];
        // Functions as replacements, since code may contain "$&".
        if (output.type === "chunk") {
          // A module runs after the whole page is parsed, wherever it stands. "</script" inside a
          // string of the code would end the element. Vite would later replace __VITE_PRELOAD__ by
          // a list of files to preload; there are none.
          const code = output.code
            .replace(/<\/(script)/gi, "<\\/$1")
            .replace(/__VITE_PRELOAD__/g, "void 0");
          html = html.replace(
            /<script type="module"[^>]*><\/script>/,
            () => `<script type="module">${code}</script>`,
          );
        } else if (name.endsWith(".css")) {
          html = html.replace(
            /<link rel="stylesheet"[^>]*>/,
            () => `<style>${String(output.source)}</style>`,
          );
        }
      }
      page.source = html.replace(
        "</body>",
        () => '<script type="application/json" id="sweep-report">{}</script>\n  </body>',
      );
    },
  };
}

// Without a coordinator (SWEEP_HTTP), `npm run dev` and `npx vite preview` serve invented
// documents, under the coordinator's policy for the page.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

function fixtures(): Plugin {
  const serve: Connect.NextHandleFunction = (request, response, next) => {
    const path = request.originalUrl ?? "";
    if (!path.startsWith("/api/")) return next();
    const document = answer(path);
    const text = JSON.stringify(
      document ?? { error: { code: "NOT_FOUND", message: `there is no ${path}` } },
    );
    response.setHeader("Content-Type", "application/json");
    response.setHeader("ETag", `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`);
    response.statusCode = document === undefined ? 404 : 200;
    response.end(text);
  };
  return {
    name: "fixtures",
    configureServer: (server) => void server.middlewares.use(serve),
    configurePreviewServer: (server) => void server.middlewares.use(serve),
  };
}

export default defineConfig(({ mode }) => {
  const report = mode === "report";
  const coordinator = process.env.SWEEP_HTTP;
  const proxy: Record<string, string> = coordinator ? { "/api": coordinator } : {};
  return {
    base: "./",
    publicDir: report ? false : "public",
    define: { __REPORT__: JSON.stringify(report) },
    esbuild: { jsx: "automatic", jsxImportSource: "preact" },
    build: {
      target: "es2022",
      assetsInlineLimit: 0, // the page's policy forbids data: scripts and styles
      modulePreload: { polyfill: false },
      cssCodeSplit: false,
      chunkSizeWarningLimit: 900,
      rollupOptions: report ? { output: { inlineDynamicImports: true } } : {},
    },
    plugins: [...(report ? [singleFile()] : []), ...(coordinator ? [] : [fixtures()])],
    // For work on the page: `SWEEP_HTTP=http://127.0.0.1:PORT npm run dev`.
    server: { proxy },
    test: { include: ["src/**/*_test.ts"] },
    preview: { proxy, headers: { "Content-Security-Policy": POLICY } },
  };
});
