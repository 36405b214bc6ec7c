/**
 * ONNX Runtime from npm, loaded only by those who ask for it: it is native code of 30 MB.
 *
 * Of its two packages, `onnxruntime-node` takes one permission (its library's file) and reads Silero's model eight
 * times as fast as `onnxruntime-web`, in half the memory (`README.md`).
 *
 * @module
 */

import { createRequire } from "node:module";
import { SottoError } from "../errors.ts";
import { importNpm } from "../npm_module.ts";

/** The version that is loaded. */
export const ONNX_RUNTIME_VERSION = "1.30.0";
/** Not written out where it is imported, or Deno would fetch it with every program that could ask for it. */
export const ONNX_RUNTIME: string = `npm:onnxruntime-node@${ONNX_RUNTIME_VERSION}`;

/** Numbers of the kinds that are used here. */
export interface OnnxTensor {
  readonly data: Float32Array<ArrayBuffer>;
  readonly dims: readonly number[];
}

/** A model, ready to run. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

/** The part of onnxruntime-node that is used here. */
export interface OnnxRuntime {
  readonly Tensor: {
    new (type: "float32", data: Float32Array, dims: readonly number[]): OnnxTensor;
    new (type: "int64", data: BigInt64Array, dims: readonly number[]): OnnxTensor;
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
}

/**
 * Loads it; the first time ever that means a download by Deno.
 *
 * @throws {SottoError} E_PERMISSION with the flag to add; E_DOWNLOAD if it is neither there nor to be had.
 */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    const module = await importNpm(ONNX_RUNTIME) as OnnxRuntime & { readonly default?: OnnxRuntime };
    return module.default ?? module;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const [, library] = /^Requires ffi access to "(.*?)"/.exec(text) ?? [];
    if (library !== undefined) {
      throw new SottoError(
        "E_PERMISSION",
        "Cannot load ONNX Runtime because Deno was not given the right to",
        {
          hint: `Run again with --allow-ffi=${library}`,
          cause: error,
        },
      );
    }
    throw new SottoError("E_DOWNLOAD", `Cannot load ${ONNX_RUNTIME} because ${text.split("\n")[0]}`, {
      hint: `Fetch it once while online with: deno cache ${ONNX_RUNTIME}`,
      cause: error,
    });
  }
}

/**
 * The file that `--allow-ffi` has to name, found by loading it.
 *
 * @throws {SottoError} as {@linkcode loadOnnxRuntime}.
 */
export async function onnxRuntimeLibrary(): Promise<string> {
  await loadOnnxRuntime();
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  const library = loaded.find((path) => path.endsWith("onnxruntime_binding.node"));
  if (library === undefined) {
    throw new SottoError("E_NATIVE", `Cannot tell which library ${ONNX_RUNTIME} loaded`);
  }
  return library;
}
