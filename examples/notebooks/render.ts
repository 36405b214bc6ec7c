/**
 * Executes the notebooks and renders each as a picture into a folder: `deno run -A examples/notebooks/render.ts docs/notebooks`.
 *
 * Needs Jupyter's nbconvert, the Deno kernel (`deno jupyter --install`) and Chromium; `pngquant`, where there is one,
 * makes the pictures small.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { executeNotebook, NOTEBOOKS, run } from "./execute.ts";

/** Pixels of the page's width. */
const WIDTH = 1080;

/** How high a page is, which Chromium's screenshot does not find out by itself: a script writes it into the title. */
async function pageHeight(browser: string, page: string): Promise<number> {
  const dom = await run(
    browser,
    ...BROWSER_FLAGS,
    `--window-size=${WIDTH},800`,
    "--dump-dom",
    `file://${page}`,
  );
  return Number(dom.match(/<title>height=(\d+)<\/title>/)![1]);
}

const BROWSER_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--hide-scrollbars",
  "--virtual-time-budget=3000",
];
const MEASURE =
  `<style>body{background:white;padding:0 24px!important}.jp-Notebook{padding-bottom:24px}</style>
<script>addEventListener("load",()=>{document.title="height="+Math.ceil(Math.max(...Array.from(document.querySelectorAll(".jp-Cell"),(cell)=>cell.getBoundingClientRect().bottom))+24)})</script></body>`;

/** Renders every notebook. */
async function render(folder: string, browser = "chromium"): Promise<void> {
  const work = await Deno.makeTempDir();
  await Deno.mkdir(folder, { recursive: true });
  for (const { name } of Deno.readDirSync(NOTEBOOKS)) {
    if (!name.endsWith(".ipynb")) continue;
    await executeNotebook(name.replace(".ipynb", ""), work);
    await run("jupyter", "nbconvert", "--to", "html", join(work, name));
    const page = join(work, name.replace(".ipynb", ".html"));
    const html = await Deno.readTextFile(page);
    // MathJax and RequireJS, which these pages do not use, may be far away.
    const local = html.replaceAll(/<script src=[^]*?<\/script>/g, "");
    await Deno.writeTextFile(page, local.replace(/<\/body>/, () => MEASURE));
    const picture = join(resolve(folder), name.replace(".ipynb", ".png"));
    const size = `--window-size=${WIDTH},${await pageHeight(browser, page)}`;
    await run(browser, ...BROWSER_FLAGS, size, `--screenshot=${picture}`, `file://${page}`);
    await run("pngquant", "--force", "--output", picture, "64", picture).catch(() => {});
    console.log(picture);
  }
  await Deno.remove(work, { recursive: true });
}

if (import.meta.main) await render(Deno.args[0] ?? "docs/notebooks");
