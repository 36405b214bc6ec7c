/**
 * Executes notebooks with Jupyter's nbconvert and the Deno kernel.
 *
 * @module
 */

import { join } from "node:path";

/** The folder of the notebooks. */
export const NOTEBOOKS: string = import.meta.dirname!;

/** What a cell shows, of which nbconvert keeps each form. */
export interface CellOutput {
  /** By media type; lines, or all in one. */
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
}

/** The kernel of a busy machine loses what a cell shows now and then; every cell behind the first shows something. */
const MOST_TRIES = 6;

/** Runs a program; what it prints. Throws with that if it fails. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command(program, { args, stdin: "null" });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`${program} ${args.join(" ")}\n${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

/**
 * Executes a notebook into a folder, again if the kernel lost something.
 *
 * @param name Without `.ipynb`.
 * @returns What its code cells show.
 */
export async function executeNotebook(name: string, folder: string): Promise<CellOutput[][]> {
  const done = join(folder, `${name}.ipynb`);
  for (let tries = 1;; tries++) {
    const source = join(NOTEBOOKS, `${name}.ipynb`);
    await run("jupyter", "nbconvert", "--to", "notebook", "--execute", "--output-dir", folder, source);
    const { cells } = JSON.parse(await Deno.readTextFile(done));
    const code = cells.filter((cell: { cell_type: string }) => cell.cell_type === "code");
    const shown = code.map(({ outputs }: { outputs: CellOutput[] }) => outputs.filter(({ data }) => data));
    if (shown.slice(1).every((outputs: CellOutput[]) => outputs.length > 0)) return shown;
    if (tries === MOST_TRIES) throw new Error(`${name}: the kernel lost outputs ${MOST_TRIES} times`);
  }
}
