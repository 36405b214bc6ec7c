/**
 * `out[c, r] = in[r, c]`.
 *
 * @module
 */

/** Side of the blocks that are copied: 16 rows × 64 bytes stay in the first-level cache. */
const BLOCK = 16;

/** Transposes F32 [rows, columns] into F32 [columns, rows], block by block. */
export function transpose(
  input: Float32Array<ArrayBuffer>,
  out: Float32Array<ArrayBuffer>,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): void {
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    for (let c0 = 0; c0 < columns; c0 += BLOCK) {
      const rEnd = Math.min(rows, r0 + BLOCK);
      const cEnd = Math.min(columns, c0 + BLOCK);
      for (let c = c0; c < cEnd; c++) {
        for (let r = r0; r < rEnd; r++) out[c * rows + r] = input[r * columns + c];
      }
    }
  }
}
