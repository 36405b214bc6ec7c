/**
 * The names openai-whisper gives its models, and where each is published.
 *
 * @module
 */

/** A published model. */
export interface OfficialModel {
  /** File name of the `.pt` checkpoint. */
  readonly file: string;
  /** SHA-256 of that file, in hex; openai-whisper states it in the file's URL (`whisper/__init__.py`). */
  readonly sha256: string;
  /** The same model on the Hugging Face hub. */
  readonly hubId: string;
}

/** Where openai publishes: `<base>/<sha256>/<file>`. */
export const OPENAI_BASE_URL = "https://openaipublic.azureedge.net/main/whisper/models";

/** The Hugging Face hub: `<base>/<owner>/<name>/resolve/<revision>/<file>`. */
export const HUB_BASE_URL = "https://huggingface.co";

const published = (name: string, sha256: string): OfficialModel => ({
  file: `${name}.pt`,
  sha256,
  hubId: `openai/whisper-${name}`,
});

const LARGE_V1: OfficialModel = {
  ...published("large-v1", "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a"),
  hubId: "openai/whisper-large", // the hub's "large" stayed the first one
};
const LARGE_V3 = published("large-v3", "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb");
const TURBO = published("large-v3-turbo", "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a");

/** openai-whisper's models by name, aliases included. */
export const OFFICIAL_MODELS: ReadonlyMap<string, OfficialModel> = new Map([
  ["tiny.en", published("tiny.en", "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03")],
  ["tiny", published("tiny", "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9")],
  ["base.en", published("base.en", "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead")],
  ["base", published("base", "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e")],
  ["small.en", published("small.en", "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872")],
  ["small", published("small", "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794")],
  ["medium.en", published("medium.en", "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f")],
  ["medium", published("medium", "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1")],
  ["large-v1", LARGE_V1],
  ["large-v2", published("large-v2", "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524")],
  ["large-v3", LARGE_V3],
  ["large", LARGE_V3],
  ["large-v3-turbo", TURBO],
  ["turbo", TURBO],
]);

/** Short names of models that only the hub has. */
export const HUB_NAMES: ReadonlyMap<string, string> = new Map(
  ["distil-small.en", "distil-medium.en", "distil-large-v2", "distil-large-v3", "distil-large-v3.5"]
    .map((name) => [name, `distil-whisper/${name}`]),
);
