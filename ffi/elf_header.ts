/**
 * Looks at a shared library before it is loaded: the loader maps a file that was cut short without a word, and
 * the process dies of SIGBUS at the first missing page.
 *
 * Offsets: "Tool Interface Standard: Executable and Linking Format", 64-bit objects.
 *
 * @module
 */

/** Bytes of an ELF-64 file header. */
export const ELF_HEADER_BYTES = 64;

/** `e_machine` of the processors Deno runs on. */
const MACHINES: Readonly<Record<number, string>> = { 62: "x86_64", 183: "aarch64" };

/**
 * What is wrong with a library for this processor, in a few words; null if nothing is.
 *
 * @param head The first {@linkcode ELF_HEADER_BYTES} bytes, or fewer if there are no more.
 * @param size Bytes of the whole file.
 * @param arch The processor it must be for.
 */
export function elfFault(head: Uint8Array, size: number, arch: string = Deno.build.arch): string | null {
  if (
    head.length < ELF_HEADER_BYTES || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c ||
    head[3] !== 0x46
  ) {
    return `it is not an ELF library (${size} bytes)`;
  }
  if (head[4] !== 2 || head[5] !== 1) return "it is not a 64-bit little-endian library";
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const machine = view.getUint16(18, true);
  if (MACHINES[machine] !== arch) {
    return `it is for ${MACHINES[machine] ?? `machine ${machine}`}, this is ${arch}`;
  }
  // Linkers put the section headers last, so a file that reaches their end is whole.
  const sections = view.getBigUint64(40, true);
  const end = sections + BigInt(view.getUint16(58, true)) * BigInt(view.getUint16(60, true));
  return end > BigInt(size) ? `it is cut short: ${size} of ${end} bytes` : null;
}
