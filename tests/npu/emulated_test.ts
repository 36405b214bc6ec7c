import { sharedData, testWithData } from "../support/shared_data.ts";
import { BEHAVIOURS } from "./_behaviours.ts";
import { Npu } from "./_npu.ts";

for (const { name, settings, body } of BEHAVIOURS) {
  const title = settings === "" ? name : `${name} (${settings})`;
  testWithData(
    `emulated NPU ${title}`,
    ["xclbin/matmul_256x256x256_64x64x32_1core.npu1.xclbin"],
    async () => {
      const npu = new Npu();
      await npu.configure(settings);
      await body(npu, sharedData("")!);
      await npu.configure("");
    },
  );
}
