// Compares our token ids with those of the Rust Hugging Face library on the same tokenizer.json.
//
//   npm install --ignore-scripts @anush008/tokenizers@0.6.0        (in a scratch folder)
//   node tokenizer_compare.mjs tokenizer.json encoded.jsonl        (run there)
//
// encoded.jsonl holds one object a line: {"text": "...", "ids": [our ids]}. Ends with 1 when any line differs.
import fs from 'fs';
import path from 'path';
import readline from 'readline';
import {createRequire} from 'module';

const [tokenizerPath, encodedPath] = process.argv.slice(2);
if (!tokenizerPath || !encodedPath) {
  console.error('usage: node tokenizer_compare.mjs tokenizer.json encoded.jsonl');
  process.exit(2);
}

// The library is looked up from the folder the script is run in, where it was installed.
const require = createRequire(path.join(process.cwd(), 'package.json'));
const {Tokenizer} = require('@anush008/tokenizers');
const tokenizer = await Tokenizer.fromFile(tokenizerPath);

let texts = 0, tokens = 0, characters = 0, different = 0, milliseconds = 0;
for await (const line of readline.createInterface({input: fs.createReadStream(encodedPath), crlfDelay: Infinity})) {
  const {text, ids} = JSON.parse(line);
  const start = performance.now();
  const encoding = await tokenizer.encode(text, null, {addSpecialTokens: false});
  milliseconds += performance.now() - start;
  const theirs = Array.from(encoding.getIds());
  texts++;
  tokens += theirs.length;
  characters += text.length;
  const at = theirs.length === ids.length ? theirs.findIndex((id, i) => id !== ids[i]) : Math.min(theirs.length, ids.length);
  if (at < 0) continue;
  if (++different <= 10) console.log(`differs at token ${at}: ours ${ids.slice(at, at + 5)} theirs ${theirs.slice(at, at + 5)} in ${JSON.stringify(text.slice(0, 120))}`);
}

console.log(`${texts} texts, ${characters} UTF-16 units, ${tokens} tokens, ${different} texts differ; library time ${milliseconds.toFixed(0)} ms`);
process.exit(different === 0 ? 0 : 1);
