/**
 * Reads the F32 arrays of the development data: NumPy's files and safetensors, both trusted.
 *
 * @module
 */

/** Where NumPy's header length lies (format 1.0), and where its header begins. */
const NPY_LENGTH = 8;
const NPY_HEADER = 10;
const SAFETENSORS_HEADER = 8;

/** An F32 array in NumPy's format 1.0, row-major. */
export async function readNpy(file: URL): Promise<Float32Array<ArrayBuffer>> {
  const { buffer } = await Deno.readFile(file);
  return new Float32Array(buffer.slice(NPY_HEADER + new DataView(buffer).getUint16(NPY_LENGTH, true)));
}

/** An F32 tensor of a safetensors file. */
export async function readTensor(file: URL, name: string): Promise<Float32Array<ArrayBuffer>> {
  const { buffer } = await Deno.readFile(file);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, SAFETENSORS_HEADER, length)));
  const [begin, end] = header[name].data_offsets.map((offset: number) =>
    SAFETENSORS_HEADER + length + offset
  );
  return new Float32Array(buffer.slice(begin, end));
}
