/**
 * The machine as its file system shows it: processor, memory, compiler, ffmpeg.
 *
 * @module
 */

/** What runs here. */
export interface MachineFacts {
  /** Such as `linux x86_64, kernel 6.8.0`. */
  readonly system: string;
  /** Deno's version. */
  readonly deno: string;
  /** Logical processors that this process may use. */
  readonly processors: number;
  /** Bytes. */
  readonly memoryTotal: number;
  /** Bytes that programs can still have. */
  readonly memoryAvailable: number;
  /** The C compiler that `deno task build` would take; null if there is none. */
  readonly compiler: string | null;
  /** First line of `ffmpeg -version`; null if there is none. */
  readonly ffmpeg: string | null;
}

/** Looks at the machine. */
export async function machineFacts(): Promise<MachineFacts> {
  const { total, available } = Deno.systemMemoryInfo();
  return {
    system: `${Deno.build.os} ${Deno.build.arch}, kernel ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    processors: navigator.hardwareConcurrency,
    memoryTotal: total,
    memoryAvailable: available,
    compiler: await firstLineOfAny(["cc", "gcc", "clang"], "--version"),
    ffmpeg: await firstLine("ffmpeg", "-version"),
  };
}

async function firstLineOfAny(programs: readonly string[], argument: string): Promise<string | null> {
  for (const program of programs) {
    const line = await firstLine(program, argument);
    if (line !== null) return line;
  }
  return null;
}

/** The first line a program prints; null if it cannot be run. */
export async function firstLine(program: string, ...args: string[]): Promise<string | null> {
  try {
    const command = new Deno.Command(program, { args, stdin: "null", stderr: "null" });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).split("\n")[0].trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}
