import assert from "node:assert/strict";
import { productStream } from "../../kernels/npu/instructions.ts";
import {
  decodeTransaction,
  encodeTransaction,
  formatInstructionText,
  parseInstructionText,
} from "../../kernels/npu/transaction.ts";
import { testWithData } from "../support/shared_data.ts";
import { SHIPPED } from "./_designs.ts";

for (const { name, path, design, product } of SHIPPED) {
  testWithData(
    `productStream() gives the stream shipped with ${name}, word for word`,
    [`${path}.insts.txt`],
    (file) => {
      const shipped = parseInstructionText(Deno.readTextFileSync(file));
      const ours = encodeTransaction(productStream(design, [product]));
      assert.deepEqual(formatInstructionText(ours), formatInstructionText(shipped));
      assert.deepEqual(encodeTransaction(decodeTransaction(shipped)), shipped);
    },
  );
}
