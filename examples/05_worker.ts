// A Web Worker that holds the model and serves many callers: the page, server or script around it stays free.
//
//   deno run -A examples/05_worker.ts [--model NAME] FILE…

import { loadModel } from "../mod.ts";
import { commandLine } from "./_command_line.ts";

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
  const { options: { model }, files } = commandLine("[--model NAME] FILE…", 1, { model: "base" });
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
  const failed = ({ message }: Error): string => (Deno.exitCode = 1, message);
  const report = async (file: string, id: number): Promise<void> =>
    console.log(file, "→", await transcribe(file, id).catch(failed));
  await Promise.all(files.map(report)); // all at once; the model takes them in turn
  worker.terminate();
}
