// Call the handler of the module named first with the event on standard input; write its answer to the file named second.
// Standard output is left to the handler: it is the function's log.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [module, answer] = process.argv.slice(2);
const { handler } = await import(pathToFileURL(module));
writeFileSync(answer, JSON.stringify(await handler(JSON.parse(readFileSync(0, "utf8")), {})));
