/**
 * Tests that want ONNX Runtime are ignored, aloud, where Deno has not fetched it: no other test needs it, and it is
 * large.
 */

import { ONNX_RUNTIME } from "../../voice/onnx_runtime.ts";

/** Whether it can be loaded without a network. */
const { success } = await new Deno.Command(Deno.execPath(), {
  args: ["eval", "--no-lock", "--cached-only", `await import("${ONNX_RUNTIME}")`],
  stdout: "null",
  stderr: "null",
}).output();

/** Registers a test that needs ONNX Runtime. */
export function testWithOnnxRuntime(name: string, fn: () => Promise<void>): void {
  if (!success) {
    console.log(`skipped: ${name} (no ${ONNX_RUNTIME}; fetch it with: deno cache ${ONNX_RUNTIME})`);
  }
  Deno.test({ name, ignore: !success, fn });
}
