/**
 * Takes a name or a path; gives a checkpoint: dimensions, where the weights lie, vocabulary, generation config.
 *
 * @example
 * ```ts ignore
 * const checkpoint = await openCheckpoint(await findModel("base"));
 * ```
 *
 * @module
 */

export { alignmentHeadsOf, officialAlignmentHeads } from "./alignment_heads.ts";
export type { Checkpoint, CheckpointDimensions, CheckpointFormat } from "./checkpoint.ts";
export type { DecoderDimensions, Dimensions, EncoderDimensions } from "./dimensions.ts";
export type { DownloadOptions, DownloadProgress } from "./download.ts";
export { findModel, type FindModelOptions } from "./find.ts";
export type { GenerationConfig, LayerAndHead } from "./generation_config.ts";
export { HUB_NAMES, OFFICIAL_MODELS, type OfficialModel } from "./official_models.ts";
export { openCheckpoint, type OpenCheckpointOptions } from "./open.ts";
export { readFloat32, readTensor } from "./read_tensor.ts";
export type { VocabularySource } from "./vocabulary_source.ts";
export { type StoredDtype, type StoredTensor, type TensorFile, WeightStore } from "./weights.ts";
