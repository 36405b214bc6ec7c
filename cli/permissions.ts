/**
 * Prints the `deno run` line for a job with exactly the permissions it needs:
 * `deno task permissions -- --model base talk.mp3`.
 *
 * @module
 */

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArguments } from "./arguments.ts";
import { commandOptions } from "./command_options.ts";
import { printError } from "./console.ts";
import { checkLive } from "./live.ts";
import { underTypedNames } from "./typed_names.ts";
import { permissionFlags, shellWord } from "./permission_flags.ts";
import { requiredPermissions, type Requirements } from "./required_permissions.ts";

/** The line, in one piece. */
export function runLine(script: string, args: readonly string[], required: Requirements): string {
  const flags = permissionFlags(required.permissions);
  const words = ["deno", "run", ...flags, script, ...withArguments(args, required.arguments)];
  return words.map(shellWord).join(" ");
}

/** The arguments with some options given or replaced. */
function withArguments(args: readonly string[], options: ReadonlyMap<string, string>): string[] {
  const given = [...args];
  const added: string[] = [];
  for (const [name, value] of options) {
    const at = given.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
    if (at < 0) added.push(`--${name}`, value);
    else given.splice(at, given[at].includes("=") ? 1 : 2, `--${name}`, value);
  }
  return [...added, ...given];
}

async function main(typed: readonly string[]): Promise<number> {
  // `deno task name -- a b` hands the dashes on.
  const args = typed[0] === "--" ? typed.slice(1) : typed;
  try {
    const parsed = parseArguments(args);
    const isLive = parsed.values.get("stdin_pcm") === true;
    if (isLive) checkLive(parsed);
    const options = commandOptions(isLive ? { ...parsed, files: ["-"] } : parsed);
    const required = await requiredPermissions(options);
    const script = relative(Deno.cwd(), fileURLToPath(new URL("../examples/transcribe.ts", import.meta.url)));
    console.log(runLine(script, args, required));
    for (const note of required.notes) console.error(note);
    return 0;
  } catch (error) {
    return printError(underTypedNames(error), args.includes("--debug"));
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
