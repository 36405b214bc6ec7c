// The notebooks of examples/notebooks, executed by Jupyter with the Deno kernel, and what their cells show.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type CellOutput, executeNotebook, NOTEBOOKS, run } from "../../examples/notebooks/execute.ts";
import { twoAtATime } from "../support/command.ts";
import { HAS_LIBRARY } from "../support/cpu_library.ts";
import { decodePng } from "./_pictures.ts";

/** What a notebook's code cells show, cell by cell. */
type Shown = readonly (readonly CellOutput[])[];

const text = (value: string | readonly string[] | undefined): string => [value ?? ""].flat().join("");
const media = (outputs: readonly CellOutput[], type: string): string =>
  outputs.map(({ data }) => text(data?.[type])).join("");
// Not what cells print: the kernel may lose a line that is printed as the cell ends.
const markdown = (outputs: readonly CellOutput[]): string => media(outputs, "text/markdown");

/** What every notebook has to show. */
const EXPECTED: Readonly<Record<string, (shown: Shown) => void>> = {
  "01_transcribe": (shown) => {
    const table = media(shown[1], "text/html");
    assert.match(table, /We need eighty-two bottles and some rice\./);
    assert.equal(table.match(/<audio controls/g)!.length, 6, "a player for each segment with sound");
    assert.match(media(shown[2], "text/html"), /log-mel .* encoder .* decoder /s);
    assert.match(media(shown[3], "text/html"), />Paris</);
    assert.match(
      markdown(shown[4]),
      /\*\*German\*\* \(\d+\.\d\d %\): +Setze Brot und Milch auf die Einkaufsliste\./,
    );
    assert.match(markdown(shown[5]), /\n\| 100 % \| \d+ \| /);
  },
  "02_log_mel_and_features": (shown) => {
    const [recording, window] = [shown[1], shown[2]].map((outputs) =>
      decodePng(Uint8Array.fromBase64(media(outputs, "image/png").replaceAll("\n", "")))
    );
    assert.ok(recording.width < window.width && window.width === 62 + 900 + 34);
    assert.equal(media(shown[3], "text/html").match(/<svg /g)!.length, 2);
    assert.match(markdown(shown[4]), /features: F32 \[1500, 128\]/);
  },
  "03_number_formats": (shown) => {
    const errors = [1, 2, 3].map((cell) => {
      const html = media(shown[cell], "text/html");
      assert.match(html, /<svg /);
      return Number(html.match(/relative L2 error[^]*?([\d.]+) %/)![1]);
    });
    assert.deepEqual(errors, errors.toSorted((a, b) => a - b), "BF16, BFP16, INT8");
    assert.ok(errors[0] > 0 && errors[2] < 2);
    assert.match(media(shown[4], "text/html"), /INT16, row/);
  },
  "04_devices": (shown) => {
    assert.match(markdown(shown[1]), /\n\| portable \| yes \| TypeScript/);
    assert.match(
      markdown(shown[2]),
      HAS_LIBRARY ? /\n\| cpu .*\n\| portable / : /\n\| portable .*\n\| portable /,
    );
    assert.match(media(shown[3], "text/plain"), /values +192,000/);
  },
};

/** Why notebooks cannot be executed here; empty if they can. */
async function missing(): Promise<string> {
  try {
    await run("jupyter", "nbconvert", "--version");
    const { kernelspecs } = JSON.parse(await run("jupyter", "kernelspec", "list", "--json"));
    if (!("deno" in kernelspecs)) return "no Deno kernel: deno jupyter --install";
    await run("deno", "--version");
    return "";
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

Deno.test("Notebooks are kept without outputs, and begin with a cell that waits", () => {
  const names = Array.from(Deno.readDirSync(NOTEBOOKS), ({ name }) => name).filter((name) =>
    name.endsWith(".ipynb")
  );
  assert.deepEqual(names.sort(), Object.keys(EXPECTED).map((name) => `${name}.ipynb`));
  for (const name of names) {
    const { cells, metadata } = JSON.parse(Deno.readTextFileSync(join(NOTEBOOKS, name)));
    assert.equal(metadata.kernelspec.name, "deno");
    const code = cells.filter((cell: { cell_type: string }) => cell.cell_type === "code");
    for (const { outputs, execution_count } of code) {
      assert.deepEqual([outputs, execution_count], [[], null], name);
    }
    assert.match(text(code[0].source), /setTimeout\(resolve, 1000\)/);
  }
});

Deno.test("Notebooks run, and show what they should", async (t) => {
  const reason = await missing();
  if (reason !== "") console.log(`skipped: notebooks are not executed (${reason})`);
  const folder = await Deno.makeTempDir();
  try {
    const names = reason === "" ? Object.keys(EXPECTED) : [];
    const shown = await twoAtATime(names.map((name) => () => executeNotebook(name, folder)));
    for (const [i, name] of names.entries()) await t.step(name, () => EXPECTED[name](shown[i]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
