/**
 * Runs `examples/transcribe.ts` as a user would: a child process with exactly the permissions given, an environment
 * of its own, and a folder to work in; collects its exit status, what it printed and what it left.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { type ErrorCode, EXIT_STATUS } from "../../errors.ts";
import { HAS_LIBRARY, LIBRARY_PATH } from "./cpu_library.ts";
import { PROJECT_ROOT } from "./shared_data.ts";

const SCRIPT = new URL("examples/transcribe.ts", PROJECT_ROOT).pathname;

/** The bundled model, and its recordings. */
export const DEMO_MODEL: string = new URL("models/demo", PROJECT_ROOT).pathname;
/** `recording("01_command")`: the path of one of the bundled model's recordings. */
export const recording = (name: string): string => join(DEMO_MODEL, "audio", `${name}.wav`);

/** Variables that a child keeps: where Deno finds its cache and a package registry. */
const INHERITED = [
  ...[
    "PATH",
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "DENO_DIR",
    "DENO_CERT",
    "DENO_TLS_CA_STORE",
    "NODE_EXTRA_CA_CERTS",
  ],
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "NPM_CONFIG_REGISTRY", "npm_config_registry"],
];

/** What to permit: paths, names of variables, hosts. Each list becomes one flag. */
export interface Permissions {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly ffi?: readonly string[];
  readonly env?: readonly string[];
  readonly net?: readonly string[];
}

/** How a child is run. */
export interface CommandOptions {
  /** Default: nothing is permitted. */
  readonly permissions?: Permissions;
  /** Flags of Deno as they are, besides the permissions. */
  readonly flags?: readonly string[];
  /** Default: empty. */
  readonly stdin?: Uint8Array;
  /** Besides PATH and Deno's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What a child left behind. */
export interface CommandResult {
  /** Exit status. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What it takes to read the model, `read` and no more, and to write into `write`, on the fastest device here. */
export function permissionsFor(read: readonly string[], write: readonly string[] = []): Permissions {
  return { read: [DEMO_MODEL, ...read, ...write], write, ffi: HAS_LIBRARY ? [LIBRARY_PATH] : [] };
}

function flagsOf(permissions: Permissions): string[] {
  return Object.entries(permissions)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => `--allow-${name}=${values.join(",")}`);
}

/** What `deno` is given to run the command. */
export function commandArguments(args: readonly string[], options: CommandOptions = {}): string[] {
  return [
    "run",
    "--no-prompt",
    ...flagsOf(options.permissions ?? {}),
    ...options.flags ?? [],
    SCRIPT,
    ...args,
  ];
}

/** Starts the command; the caller ends it. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): Deno.ChildProcess {
  return denoCommand(commandArguments(args, options), options).spawn();
}

/** A child `deno`, all of its streams piped, its environment bare. */
export function denoCommand(
  args: readonly string[],
  options: Pick<CommandOptions, "env" | "cwd"> = {},
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: [...args],
    clearEnv: true,
    env: { ...bareEnvironment(), ...options.env },
    cwd: options.cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/** The variables of a child. */
export function bareEnvironment(): Record<string, string> {
  const env: Record<string, string> = { NO_COLOR: "1" };
  for (const name of INHERITED) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** Runs the command to its end. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await resultOf(startCommand(args, options), options.stdin);
}

/** Gives a child its input, and waits for its end. */
export async function resultOf(child: Deno.ChildProcess, stdin?: Uint8Array): Promise<CommandResult> {
  const feeding = (async () => {
    const writer = child.stdin.getWriter();
    if (stdin !== undefined) await writer.write(stdin);
    await writer.close();
  })().catch(() => {}); // a child that refuses early does not read its input
  const { code, stdout, stderr } = await child.output();
  await feeding;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Checks an exit status of 0, and shows what the child said if it is another. */
export function assertDone(result: CommandResult): void {
  assert.equal(result.code, 0, `exit status ${result.code}: ${result.stderr}`);
}

/** Checks that the command ended with that error: its exit status, and one line `CODE: message. hint`. */
export function assertRefused(result: CommandResult, code: ErrorCode, message: RegExp): void {
  assert.match(result.stderr, new RegExp(`^${code}: \\S.*\\n$`), `one line with ${code}: ${result.stderr}`);
  assert.match(result.stderr, message);
  assert.doesNotMatch(
    result.stderr,
    / at .*:\d+:\d+|undefined(?! symbol)|\[object/,
    `no stack, no stray values: ${result.stderr}`,
  );
  assert.equal(result.code, EXIT_STATUS[code], result.stderr);
}

/** Every file below a folder, by its path from there, in order. */
export function filesIn(folder: string): string[] {
  const files: string[] = [];
  const visit = (path: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      if (isDirectory) visit(join(path, name));
      else files.push(relative(folder, join(path, name)));
    }
  };
  visit(folder);
  return files.sort();
}

/** Runs `body` in a fresh folder and removes it. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  // The real path, because Deno compares permissions as they are spelled.
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "sotto-command-" }));
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Does things two at a time; the results are in order. */
export async function twoAtATime<T>(works: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = new Array(works.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < works.length) {
      const i = next++;
      results[i] = await works[i]();
    }
  };
  await Promise.all([worker(), worker()]);
  return results;
}

/** Runs children two at a time, then judges each in a step of its own. */
export async function eachCommand<Case extends { readonly name: string }>(
  t: Deno.TestContext,
  cases: readonly Case[],
  run: (each: Case) => Promise<CommandResult>,
  judge: (result: CommandResult, each: Case) => void | Promise<void>,
): Promise<void> {
  const results = await twoAtATime(cases.map((each) => () => run(each)));
  for (const [i, each] of cases.entries()) await t.step(each.name, () => judge(results[i], each));
}
