/**
 * Opens whatever a path leads to.
 *
 * @module
 */

import { SottoError, type WarningSink } from "../errors.ts";
import { type ByteSource, openByteSource } from "./byte_source.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { kindOf } from "./folder.ts";
import { GGML_MAGIC, openGgml } from "./ggml.ts";
import { openHuggingFaceFolder, openSafetensorsFile } from "./hugging_face.ts";
import { openOpenaiPt } from "./openai_pt.ts";

/** Options of {@linkcode openCheckpoint}. */
export interface OpenCheckpointOptions {
  /** Receives what the user should know although the checkpoint is usable; default: nobody. */
  readonly onWarning?: WarningSink;
}

/** Bytes looked at to tell formats apart: up to the signature of a tar archive. */
const SNIFFED_BYTES = 264;

/**
 * Opens a checkpoint: the folder of a Hugging Face model or of bare safetensors, or a safetensors, openai `.pt` or
 * whisper.cpp ggml file, told apart by what is in it. Headers alone are read; nothing stays open.
 *
 * @throws {SottoError} E_MODEL_NOT_FOUND if there is no model; E_MODEL_FORMAT if a file breaks its format;
 * E_MODEL_MISMATCH if it is not a whole Whisper; E_TOKENIZER if a vocabulary does not fit; E_PATH if a file names
 * one outside its folder; E_PERMISSION or E_INPUT if a file cannot be read.
 */
export async function openCheckpoint(path: string, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  const warn: WarningSink = options.onWarning ?? (() => {});
  const kind = await kindOf(path);
  if (kind === "folder") return await openHuggingFaceFolder(path, warn);
  if (kind === null) {
    throw new SottoError("E_MODEL_NOT_FOUND", `Cannot open model ${path}: there is no such file or folder`);
  }
  using source = await openByteSource({ path });
  const opens = await sniff(source);
  switch (opens) {
    case "safetensors":
      return await openSafetensorsFile(path, warn);
    case "zip":
      return await openOpenaiPt(source);
    case "ggml":
      return await openGgml(source);
  }
}

/** @throws {SottoError} E_MODEL_FORMAT if it is none of the three; what it may be instead is in the hint. */
async function sniff(source: ByteSource): Promise<"safetensors" | "zip" | "ggml"> {
  const bytes = await source.read(0, Math.min(source.size, SNIFFED_BYTES));
  const begins = (text: string, at = 0): boolean =>
    String.fromCharCode(...bytes.subarray(at, at + text.length)) === text;
  if (bytes.length >= 4 && new DataView(bytes.buffer).getUint32(0, true) === GGML_MAGIC) return "ggml";
  if (begins("PK\x03\x04")) return "zip";
  // Eight bytes of header length, then the header; whether the length is sane is for its reader to say.
  if (begins("{", 8)) return "safetensors";

  const refuse = (hint: string): SottoError =>
    new SottoError(
      "E_MODEL_FORMAT",
      `Cannot open model ${source.name}: it is no safetensors, .pt or ggml file`,
      { hint },
    );
  if (bytes.length === 0) throw refuse("The file is empty: fetch it again.");
  if (begins("GGUF")) {
    throw refuse("It is GGUF, which whisper.cpp does not use for Whisper: take its ggml .bin.");
  }
  if (/^(tjgg|fmgg|algg)/.test(String.fromCharCode(...bytes.subarray(0, 4)))) {
    throw refuse("It is a ggml file of a language model, not of whisper.cpp.");
  }
  if (bytes[0] === 0x80 || begins("ustar", 257)) {
    throw refuse("It is a checkpoint of a torch before 1.6: load it and torch.save it again.");
  }
  if (begins("version https://git-lfs")) {
    throw refuse("It is a Git LFS pointer: fetch the file itself with git lfs pull.");
  }
  if (begins("<")) {
    throw refuse("It is a web page, perhaps saved in place of the model: fetch the file again.");
  }
  throw refuse("Give a Hugging Face folder, or a .safetensors, .pt or ggml .bin file.");
}
