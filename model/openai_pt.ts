/**
 * openai-whisper's `.pt` files: torch.save of `{dims, model_state_dict}`, a zip archive of a pickle and one stored
 * entry for each storage (torch: `torch/serialization.py`).
 *
 * @module
 */

import { dirname } from "node:path";
import { SottoError } from "../errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { checkDimensions, DIMENSION_NAMES } from "./check_dimensions.ts";
import { elementCount } from "./checked_size.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { MAX_PICKLE_BYTES, type PickleGlobal, PickleTuple, type PickleValue, unpickle } from "./pickle.ts";
import { fileVocabulary } from "./vocabulary_source.ts";
import { BLOCK_SIZES, type StoredDtype, type StoredTensor } from "./weights.ts";
import { wholeWeights } from "./whole_weights.ts";
import { readZipDirectory, type ZipEntry } from "./zip.ts";

/** Storage classes of torch that hold Whisper's weights. */
const STORAGE_TYPES: Readonly<Record<string, StoredDtype>> = {
  "torch FloatStorage": "F32",
  "torch HalfStorage": "F16",
  "torch BFloat16Storage": "BF16",
};

/** A run of elements that tensors are views of. */
class Storage {
  constructor(readonly dtype: StoredDtype, readonly entry: ZipEntry, readonly elements: number) {}
}

/** What `_rebuild_tensor_v2` makes. */
class Tensor {
  constructor(readonly storage: Storage, readonly firstElement: number, readonly shape: readonly number[]) {}
}

/**
 * Opens a `.pt` file.
 *
 * @throws {SottoError} E_MODEL_FORMAT if it breaks the format; E_MODEL_MISMATCH if it is not a whole Whisper.
 */
export async function openOpenaiPt(source: ByteSource): Promise<Checkpoint> {
  const refuse = (rule: string, hint = ""): SottoError =>
    new SottoError("E_MODEL_FORMAT", `Cannot read ${source.name} as a .pt checkpoint: ${rule}`, { hint });

  const entries = await readZipDirectory(source);
  const pickle = [...entries.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) {
    throw refuse("the archive holds no data.pkl", "Only files of torch.save (torch 1.6 or later) are read.");
  }
  if (pickle.byteLength > MAX_PICKLE_BYTES) {
    throw refuse(`data.pkl may have ${MAX_PICKLE_BYTES} bytes, got ${pickle.byteLength}`);
  }
  const root = pickle.name.slice(0, -"data.pkl".length);
  await checkByteOrder(source, entries.get(`${root}byteorder`), refuse);

  const saved = unpickle(await source.read(pickle.byteOffset, pickle.byteLength), {
    name: source.name,
    globals: torchGlobals(refuse),
    persistentLoad: (id) => loadStorage(id, (key) => entries.get(`${root}data/${key}`), refuse),
  });
  const stated = saved instanceof Map ? saved.get("dims") : undefined;
  const state = saved instanceof Map ? saved.get("model_state_dict") : undefined;
  if (!(stated instanceof Map) || !(state instanceof Map)) {
    throw refuse(
      "it must hold dims and model_state_dict",
      "A pytorch_model.bin of Hugging Face is not read: fetch model.safetensors of the same repository.",
    );
  }
  const dims = checkDimensions(
    Object.fromEntries(DIMENSION_NAMES.map((key) => [key, stated.get(key)])),
    source.name,
  );
  const tensors = Array.from(state, ([name, value]): StoredTensor => {
    if (!(value instanceof Tensor)) throw refuse(`${JSON.stringify(name)} must be a tensor`);
    const { storage: { dtype, entry }, firstElement, shape } = value;
    const size = BLOCK_SIZES[dtype][1];
    return {
      name: String(name),
      dtype,
      shape,
      file: source.file,
      byteOffset: entry.byteOffset + firstElement * size,
      byteLength: elementCount(shape)! * size,
    };
  });
  const weights = wholeWeights(tensors, dims, source.name);
  const folder = source.file.path === undefined ? null : dirname(source.file.path);
  const vocabulary = await fileVocabulary(folder, null, dims.decoder!.n_vocab);
  return { name: source.name, format: "openai", dims, weights, vocabulary, generation: null };
}

type Refuse = (rule: string, hint?: string) => SottoError;

async function checkByteOrder(
  source: ByteSource,
  entry: ZipEntry | undefined,
  refuse: Refuse,
): Promise<void> {
  if (!entry) return; // torch before 2.1 did not say, and was little-endian on every machine Whisper runs on
  const order = entry.byteLength > 16
    ? ""
    : new TextDecoder().decode(await source.read(entry.byteOffset, entry.byteLength));
  if (order !== "little") throw refuse(`its numbers must be little-endian, got ${JSON.stringify(order)}`);
}

/** The globals that a state dict names. */
function torchGlobals(refuse: Refuse): Map<string, PickleGlobal> {
  const globals: PickleGlobal[] = [
    ...Object.keys(STORAGE_TYPES).map((global) => ({ global })),
    {
      global: "collections OrderedDict",
      call: (args) => {
        if (args.length > 0) throw refuse("an OrderedDict must begin empty");
        return new Map();
      },
    },
    { global: "torch._utils _rebuild_tensor_v2", call: (args) => rebuildTensor(args, refuse) },
    {
      global: "torch._utils _rebuild_parameter", // (data, requires_grad, backward hooks)
      call: ([tensor]) => {
        if (!(tensor instanceof Tensor)) throw refuse("a parameter must be a tensor");
        return tensor;
      },
    },
  ];
  return new Map(globals.map((entry) => [entry.global, entry]));
}

/** A persistent id of torch: `("storage", type, key, location, number of elements)`. */
function loadStorage(
  id: PickleValue,
  entryOf: (key: string) => ZipEntry | undefined,
  refuse: Refuse,
): Storage {
  const items = id instanceof PickleTuple ? id.items : [];
  const [kind, type, key, , elements] = items;
  const global = typeof type === "object" && type !== null && "global" in type ? type.global : undefined;
  if (items.length !== 5 || kind !== "storage" || typeof key !== "string" || !isCount(elements)) {
    throw refuse("a persistent id must name a storage");
  }
  if (typeof global !== "string" || !Object.hasOwn(STORAGE_TYPES, global)) {
    throw refuse(`storage ${JSON.stringify(key)} must hold float32, float16 or bfloat16`);
  }
  const dtype = STORAGE_TYPES[global];
  const entry = entryOf(key);
  if (!entry) throw refuse(`the archive holds no storage ${JSON.stringify(key)}`);
  if (elements * BLOCK_SIZES[dtype][1] !== entry.byteLength) {
    throw refuse(
      `storage ${
        JSON.stringify(key)
      } says ${elements} elements of ${dtype}, it has ${entry.byteLength} bytes`,
    );
  }
  return new Storage(dtype, entry, elements);
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward hooks)`; the strides must be row-major. */
function rebuildTensor(
  [storage, firstElement, size, stride]: readonly PickleValue[],
  refuse: Refuse,
): Tensor {
  const shape = size instanceof PickleTuple ? size.items : null;
  const strides = stride instanceof PickleTuple ? stride.items : null;
  if (
    !(storage instanceof Storage) || !isCount(firstElement) || !shape || !strides ||
    shape.length !== strides.length
  ) {
    throw refuse("a tensor must have a storage, an offset, a shape and strides");
  }
  const count = elementCount(shape);
  if (count === null) {
    throw refuse(`shape [${String(shape).slice(0, 100)}] overflows or is not made of counts`);
  }
  if (firstElement + count > storage.elements) {
    throw refuse(
      `a tensor of ${count} elements from ${firstElement} on leaves its storage of ${storage.elements}`,
    );
  }
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) {
      throw refuse(
        `a tensor of shape [${shape}] must be row-major, got strides [${strides}]`,
        "Save it again after tensor.contiguous().",
      );
    }
    step *= shape[axis] as number;
  }
  return new Tensor(storage, firstElement, shape as readonly number[]);
}

function isCount(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
