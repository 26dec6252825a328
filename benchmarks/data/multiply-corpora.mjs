// Writes one large JSON Lines file from gathered corpora: COPIES of every document, each copy with other letters, so that none is a
// duplicate. The words are no language's; the file shows time and memory on inputs larger than a budget, nothing else.
//   node benchmarks/data/multiply-corpora.mjs corpora 8 large.jsonl
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const [corpora, copies, out] = process.argv.slice(2);
const folders = readdirSync(corpora, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== 'packages');

// Letters rotate; Han characters go through a bijection of their block: the factors have no divisor in common with 0x5000 = 4096 * 5.
const factors = [1, 3, 7, 9, 11, 13, 17, 19];
const changed = (text, copy) => copy === 0 ? text : text
    .replace(/[a-z]/g, (c) => String.fromCharCode(97 + ((c.charCodeAt(0) - 97 + copy) % 26)))
    .replace(/[\u4e00-\u9dff]/g, (c) => String.fromCharCode(0x4e00 + (((c.charCodeAt(0) - 0x4e00) * factors[copy % 8] + copy * 977) % 0x5000)));

const file = openSync(out, 'w');
for (let copy = 0; copy < Number(copies); copy++) {
    for (const folder of folders) {
        const rows = readFileSync(join(corpora, folder.name, 'text.jsonl'), 'utf8').split('\n');
        for (let i = 0; i < rows.length; i += 1000) {
            const batch = rows.slice(i, i + 1000).filter((row) => row).map((row) => JSON.stringify({ text: changed(JSON.parse(row).text, copy) }) + '\n');
            writeSync(file, batch.join(''));
        }
    }
}

closeSync(file);
