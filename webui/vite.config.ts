/** Two builds: the report, which is one file, and with `--mode page` the page of the web server and its login. */

import { defineConfig, type Plugin, type UserConfig } from "vite";

/** One file that needs no other: the script and the styles stand in the page itself. */
function inlined(): Plugin {
  return {
    name: "inlined",
    enforce: "post",
    generateBundle(_options, bundle) {
      const page = bundle["report.html"];
      if (page?.type !== "asset") throw new Error("the build has no report.html");
      let html = String(page.source);
      for (const [name, file] of Object.entries(bundle)) {
        if (file === page) continue;
        delete bundle[name];
        // A closing tag inside would end the element, wherever it stands in the code.
        if (file.type === "chunk") {
          const code = file.code.replaceAll("</script", "<\\/script");
          html = html.replace(/<script type="module"[^>]*><\/script>/, "");
          html = html.replace("</body>", () => `<script type="module">${code}</script>\n</body>`);
        } else {
          html = html.replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${String(file.source)}</style>`);
        }
      }
      page.source = html;
    },
  };
}

const report: UserConfig = {
  build: {
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    rolldownOptions: { input: "report.html" },
  },
  plugins: [inlined()],
};

/** Its addresses are relative, because the page may be served below any path; nothing is inlined, for the sake of the CSP. */
const page: UserConfig = {
  base: "./",
  build: {
    target: "es2022",
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["index.html", "login.html"] },
  },
};

export default defineConfig(({ mode }) => (mode === "page" ? page : report));
