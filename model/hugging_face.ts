/**
 * Checkpoints as Hugging Face lays them out: a folder of `config.json`, weights in safetensors, tokenizer files and
 * `generation_config.json`. Also bare safetensors files, whose dimensions follow from their shapes.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { SottoError, type WarningSink } from "../errors.ts";
import { checkDimensions } from "./check_dimensions.ts";
import type { Checkpoint, CheckpointDimensions } from "./checkpoint.ts";
import { exists } from "./folder.ts";
import { readGenerationConfig } from "./generation_config.ts";
import { fromHuggingFaceName } from "./hugging_face_names.ts";
import { readSafetensors } from "./safetensors.ts";
import { readShards } from "./safetensors_index.ts";
import { isJsonObject, readStrictJson } from "./strict_json.ts";
import { fileVocabulary, folderVocabulary } from "./vocabulary_source.ts";
import type { StoredTensor } from "./weights.ts";
import { inferDimensions, wholeWeights } from "./whole_weights.ts";

/** File names of a Hugging Face folder. */
export const CONFIG = "config.json";
/** Weights in one file. */
export const WEIGHTS = "model.safetensors";
/** Weights in several files. */
export const WEIGHTS_INDEX = "model.safetensors.index.json";
/** Suppressed tokens, languages, alignment heads. */
export const GENERATION_CONFIG = "generation_config.json";

/**
 * Opens a folder that holds safetensors.
 *
 * @throws {SottoError} E_MODEL_NOT_FOUND if it holds none; otherwise as `openCheckpoint` does.
 */
export async function openHuggingFaceFolder(folder: string, warn: WarningSink): Promise<Checkpoint> {
  const stored = await readFolderWeights(folder);
  const tensors = stored.map((tensor) => ({
    ...tensor,
    name: fromHuggingFaceName(tensor.name) ?? tensor.name,
  }));
  const configPath = join(folder, CONFIG);
  const hasConfig = await exists(configPath);
  const dims = hasConfig
    ? parseConfig(await readStrictJson(configPath), configPath)
    : dimensionsByShapes(tensors, folder);
  const weights = wholeWeights(tensors, dims, folder);
  if (!dims.decoder) {
    return { name: folder, format: "safetensors", dims, weights, vocabulary: null, generation: null };
  }

  const vocabulary = await folderVocabulary(folder, dims.decoder.n_vocab) ??
    await fileVocabulary(folder, null, dims.decoder.n_vocab);
  const generationPath = join(folder, GENERATION_CONFIG);
  const generation = await exists(generationPath)
    ? await readGenerationConfig(generationPath, dims.decoder, warn)
    : null;
  if (hasConfig && !generation) {
    warn({
      code: "W_MODEL",
      message:
        `${folder} has no ${GENERATION_CONFIG}: suppressed tokens and languages follow from the vocabulary`,
    });
  }
  return {
    name: folder,
    format: hasConfig ? "hugging-face" : "safetensors",
    dims,
    weights,
    vocabulary,
    generation,
  };
}

/**
 * Opens one safetensors file: a Hugging Face folder's if it is called so and the folder has a config, else by its
 * shapes alone.
 */
export async function openSafetensorsFile(path: string, warn: WarningSink): Promise<Checkpoint> {
  const folder = dirname(path);
  if (basename(path) === WEIGHTS && await exists(join(folder, CONFIG))) {
    return await openHuggingFaceFolder(folder, warn);
  }
  const tensors = (await readSafetensors({ path }))
    .map((tensor) => ({ ...tensor, name: fromHuggingFaceName(tensor.name) ?? tensor.name }));
  const dims = dimensionsByShapes(tensors, path);
  const weights = wholeWeights(tensors, dims, path);
  const vocabulary = dims.decoder && await fileVocabulary(folder, null, dims.decoder.n_vocab);
  return { name: path, format: "safetensors", dims, weights, vocabulary, generation: null };
}

async function readFolderWeights(folder: string): Promise<StoredTensor[]> {
  if (await exists(join(folder, WEIGHTS))) return await readSafetensors({ path: join(folder, WEIGHTS) });
  if (await exists(join(folder, WEIGHTS_INDEX))) return await readShards(join(folder, WEIGHTS_INDEX));
  const other = await exists(join(folder, "pytorch_model.bin"));
  throw new SottoError(
    "E_MODEL_NOT_FOUND",
    `Cannot find a model in ${folder}: it has neither ${WEIGHTS} nor ${WEIGHTS_INDEX}`,
    {
      hint: other
        ? "pytorch_model.bin is not read: fetch model.safetensors of the same repository."
        : "Give the folder of a Hugging Face checkpoint, or a .safetensors, .pt or ggml .bin file.",
    },
  );
}

function dimensionsByShapes(tensors: readonly StoredTensor[], name: string): CheckpointDimensions {
  const dims = inferDimensions(tensors, name);
  return checkDimensions(dims, name, dims.n_vocab === undefined);
}

/** What a config must say, where it says anything, for the network to be Whisper's. */
const ARCHITECTURE: Readonly<Record<string, string | boolean>> = {
  model_type: "whisper",
  activation_function: "gelu",
  scale_embedding: false,
  tie_word_embeddings: true,
};

/** @throws {SottoError} E_MODEL_FORMAT or E_MODEL_MISMATCH, as {@linkcode checkDimensions}. */
function parseConfig(config: unknown, path: string): CheckpointDimensions {
  if (!isJsonObject(config)) {
    throw new SottoError("E_MODEL_FORMAT", `Cannot use ${path}: it must hold a JSON object`);
  }
  const require = (key: string, value: unknown): void => {
    const found = config[key] ?? value;
    if (found === value) return;
    const got = JSON.stringify(found).slice(0, 100);
    throw new SottoError(
      "E_MODEL_MISMATCH",
      `Cannot use ${path}: ${key} must be ${JSON.stringify(value)}, got ${got}`,
      {
        hint: "It is not Whisper's architecture.",
      },
    );
  };
  for (const [key, value] of Object.entries(ARCHITECTURE)) require(key, value);
  const dims = checkDimensions({
    n_mels: config.num_mel_bins,
    n_audio_ctx: config.max_source_positions,
    n_audio_state: config.d_model,
    n_audio_head: config.encoder_attention_heads,
    n_audio_layer: config.encoder_layers,
    n_vocab: config.vocab_size,
    n_text_ctx: config.max_target_positions,
    n_text_state: config.d_model,
    n_text_head: config.decoder_attention_heads,
    n_text_layer: config.decoder_layers,
  }, path);
  for (const key of ["encoder_ffn_dim", "decoder_ffn_dim"]) require(key, 4 * dims.encoder.n_audio_state);
  return dims;
}
