/**
 * A job of the command: what `deno task permissions` prints for it, and whether that is enough and not too much.
 *
 * @module
 */

import assert from "node:assert/strict";
import { PERMISSION_NAMES, type PermissionName } from "../../cli/permission_flags.ts";
import {
  assertDone,
  type CommandResult,
  DEMO_MODEL,
  denoCommand,
  recording,
  resultOf,
  runCommand,
} from "../support/command.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "../support/cpu_library.ts";
import { PROJECT_ROOT } from "../support/shared_data.ts";

/** The task. */
export const PERMISSIONS_SCRIPT: string = new URL("cli/permissions.ts", PROJECT_ROOT).pathname;
/** A recording of five seconds. */
export const COMMAND: string = recording("01_command");
/** What is said there. */
export const SENTENCE = /The train to Paris leaves at three twenty-four/;
/** The bundled model, as arguments. */
export const MODEL: readonly string[] = ["--model", DEMO_MODEL];

/** Values of each permission. */
export type Flags = Map<PermissionName, string[]>;

/** What the task prints for a job, taken apart. */
export interface Line {
  readonly flags: Flags;
  /** Arguments behind the script. */
  readonly args: readonly string[];
  readonly notes: string;
}

/** Asks the task for a job. */
export async function lineFor(args: readonly string[], env: Record<string, string> = {}): Promise<Line> {
  const result = await resultOf(
    denoCommand(["run", "-A", "--no-check", PERMISSIONS_SCRIPT, "--", ...args], { env }).spawn(),
  );
  assertDone(result);
  const words = result.stdout.trim().split(" ");
  const script = words.findIndex((word) => word.endsWith("transcribe.ts"));
  assert.deepEqual(words.slice(0, 2), ["deno", "run"]);
  const flags: Flags = new Map(
    words.slice(2, script).map((flag) => {
      const [, name, values] = flag.match(/^--allow-(\w+)=(.+)$/)!;
      assert.ok(PERMISSION_NAMES.includes(name as PermissionName));
      return [name as PermissionName, values.split(",")];
    }),
  );
  return { flags, args: words.slice(script + 1), notes: result.stderr };
}

function run(
  line: Line,
  flags: Flags,
  env: Record<string, string> = {},
  stdin?: Uint8Array,
): Promise<CommandResult> {
  const given = [...flags].filter(([, values]) => values.length > 0)
    .map(([name, values]) => `--allow-${name}=${values.join(",")}`);
  return runCommand(line.args, { flags: given, env, stdin });
}

/** Every way to leave one value out. */
function* oneFewer(flags: Flags): Generator<{ name: PermissionName; value: string; rest: Flags }> {
  for (const [name, values] of flags) {
    for (const value of values) {
      const rest = new Map(flags).set(name, values.filter((other) => other !== value));
      yield { name, value, rest };
    }
  }
}

/** A job, what it needs, and what else belongs to it. */
export interface Job {
  readonly args: readonly string[];
  readonly needs: Partial<Record<PermissionName, readonly string[]>>;
  readonly env?: Record<string, string>;
  readonly stdin?: Uint8Array;
  /** Flags that a refusal may name in place of the one left out. */
  readonly hint?: RegExp;
  /** Values that it does without: it works all the same. */
  readonly optional?: readonly string[];
}

/** Runs a job under what is printed for it, and under each one fewer. */
export async function checkJob({ args, needs, env = {}, stdin, hint, optional = [] }: Job): Promise<void> {
  const line = await lineFor(args, env);
  assert.deepEqual(Object.fromEntries(line.flags), needs);
  const enough = await run(line, line.flags, env, stdin);
  assertDone(enough);
  assert.match(enough.stdout, SENTENCE);
  for (const { name, value, rest } of oneFewer(line.flags)) {
    const refused = await run(line, rest, env, stdin);
    if (optional.includes(value)) {
      assertDone(refused);
      continue;
    }
    assert.equal(refused.code, 77, `without ${name} ${value}: ${refused.stdout}${refused.stderr}`);
    assert.equal(refused.stdout, "", "found before anything is transcribed");
    assert.match(refused.stderr, /^E_PERMISSION: [^\n]*\n$/);
    assert.match(
      refused.stderr,
      hint ?? new RegExp(`--allow-${name}=${RegExp.escape(value)}`),
      refused.stderr,
    );
  }
}

/** What the CPU library needs. */
export const cpu: { ffi?: string[] } = HAS_LIBRARY ? { ffi: [LIBRARY_PATH] } : {};
/** The fastest device here that needs no NPU, as arguments. */
export const onCpu: readonly string[] = HAS_LIBRARY ? ["--device", "cpu"] : ["--device", "portable"];
