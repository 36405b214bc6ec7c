import { deepEqual } from "node:assert/strict";
import { testWithData } from "../support/shared_data.ts";
import { Npu, readStream } from "./_npu.ts";
import { numbers, PRODUCTS, reference } from "./_products.ts";

for (const product of PRODUCTS) {
  const { xclbin, stream, m, k, n, out } = product;
  testWithData(
    `emulated NPU computes C = A·B with ${xclbin} and its own stream`,
    [xclbin, stream],
    async (...paths) => {
      const npu = new Npu();
      await npu.configure("");
      const opened = await npu.open(await Deno.readFile(paths[0]));
      const a = numbers(m * k, out === "i16" ? 4 : 1000), b = numbers(k * n, out === "i16" ? 4 : 1000);
      const bytes = m * n * (out === "i32" ? 4 : 2);
      const buffers = [a.byteLength, b.byteLength, bytes].map((size, i) =>
        npu.buffer(opened.kernel, 3 + i, size)
      );
      const [first, second, third] = await Promise.all(buffers);
      await npu.write(first, a);
      await npu.write(second, b);
      const run = await npu.run(opened.kernel, await readStream(paths[1]), [first, second, third]);
      await npu.finish(run);
      const result = await npu.read(third, bytes);
      deepEqual(out === "i32" ? new Int32Array(result) : new Int16Array(result), reference(product, a, b));
      npu.destroy(run, first, second, third);
      npu.close(opened);
    },
  );
}
