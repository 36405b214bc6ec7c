/**
 * Where somebody speaks: probabilities, stretches of speech, and transcription of those alone.
 *
 * @module
 */

export { SpeechDetector } from "./detector.ts";
export {
  type ResolvedVadParameters,
  resolveVadParameters,
  VAD_DEFAULTS,
  type VadParameters,
} from "./options.ts";
export { cutAtPauses, packSpans } from "./cuts.ts";
export { ONNX_RUNTIME, onnxRuntimeLibrary } from "./onnx_runtime.ts";
export { speechOracle } from "./oracle.ts";
export { quietest, type Span, speechSpans } from "./spans.ts";
export { Timeline } from "./timeline.ts";
export { restoreTimes } from "./restore.ts";
export { heardBy, SileroDetector } from "./silero.ts";
export { type RecordingWindows, VoicedWindows } from "./voiced_windows.ts";
