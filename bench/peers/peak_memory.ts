/**
 * The most memory that a process held, as Linux counts it.
 *
 * @module
 */

/** Between looks at a process of another program: the kernel keeps the peak, so only growth after the last look is missed. */
const LOOK_MS = 20;

/** Bytes that a process held at most so far (resident, pages of mapped files among them); null where none can say. */
export async function peakMemory(pid: number | "self" = "self"): Promise<number | null> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kibibytes === undefined ? null : 1024 * Number(kibibytes);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Waits for a process to end; gives its output and the most memory it held. */
export async function outputAndPeak(
  child: Deno.ChildProcess,
): Promise<{ readonly output: Deno.CommandOutput; readonly peak: number | null }> {
  let peak: number | null = null;
  const look = async () => peak = await peakMemory(child.pid) ?? peak;
  const timer = setInterval(look, LOOK_MS);
  try {
    return { output: await child.output(), peak };
  } finally {
    clearInterval(timer);
  }
}
