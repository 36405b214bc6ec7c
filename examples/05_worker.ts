// A Web Worker that holds the model and serves many callers: the page, server or script around it stays free.
//
//   deno run -A examples/05_worker.ts [--model NAME] FILE…

import { parseArgs } from "node:util";
import { loadModel } from "../mod.ts";

if ("postMessage" in globalThis) serve(self as unknown as MessagePort & { name: string });
else await main();

function serve(port: MessagePort & { name: string }): void { // the worker's name is the model's
  const loading = loadModel(port.name);
  port.onmessage = async ({ data: { id, file } }) => {
    const answer = loading.then((model) => model.transcribe(file));
    port.postMessage(
      await answer.then(({ text }) => ({ id, text }), ({ message }) => ({ id, error: message })),
    );
  };
}

async function main(): Promise<void> {
  const options = { model: { type: "string", default: "base" } } as const;
  const { values: { model }, positionals } = parseArgs({ options, allowPositionals: true });
  const worker = new Worker(import.meta.url, { type: "module", name: model });
  const callers = new Map<number, PromiseWithResolvers<string>>();
  worker.onmessage = ({ data: { id, text, error } }) => {
    if (error === undefined) callers.get(id)!.resolve(text.trim());
    else callers.get(id)!.reject(new Error(error));
    callers.delete(id);
  };
  const transcribe = (file: string, id: number): Promise<string> => {
    callers.set(id, Promise.withResolvers());
    worker.postMessage({ id, file });
    return callers.get(id)!.promise;
  };
  const report = async (file: string, id: number): Promise<void> =>
    console.log(file, "→", await transcribe(file, id).catch((error: Error) => error.message));
  await Promise.all(positionals.map(report)); // all at once; the model takes them in turn
  worker.terminate();
}
