"""Dictionaries and manual pages of unpacked Debian packages as JSON Lines: reference_works.py PACKAGES OUT.jsonl"""
import gzip
import json
import pathlib
import re
import sys

ENTRIES = 4096  # characters of dictionary entries, in their order, that make a document


def dictionary(path):
    """dictd files: an .index of word, offset, length in base 64, and a .dict.dz, which gzip reads."""
    digits = {c: i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}

    def number(text):
        value = 0
        for c in text:
            value = 64 * value + digits[c]
        return value

    data = gzip.open(path).read()
    index = path.with_name(path.name.replace(".dict.dz", ".index")).read_text("utf-8", "replace")
    spans = {tuple(map(number, line.split("\t")[1:3])) for line in index.splitlines() if not line.startswith("00")}
    text = ""
    for offset, length in sorted(spans):
        text += data[offset:offset + length].decode("utf-8", "replace").strip() + "\n\n"
        if len(text) >= ENTRIES:
            yield text
            text = ""
    yield text


def manual(path):
    """A manual page without its roff: requests go, escapes become what they print."""
    text = re.sub(r'^[.\'](\\"|de|ig|nr|ds|if|ie|el|so|TH|mso|hw).*$', "", gzip.open(path).read().decode("utf-8", "replace"), flags=re.M)
    text = re.sub(r"^[.'][ \t]*[A-Za-z]{0,4}[ \t]*", "", text, flags=re.M)
    text = re.sub(r"\\f(\[[A-Z]*\]|\([A-Z]{2}|.)|\\s[-+]?\d|\\[&%/,:|^c]", "", text)
    return re.sub(r"\\\((em|en|hy)|\\-", "-", text).replace("\\(aq", "'").replace("\\e", "\\").replace("\\ ", " ")


packages, out = pathlib.Path(sys.argv[1]), sys.argv[2]
with open(out, "w", encoding="utf-8") as file:
    for path in sorted(packages.glob("dict-*/usr/share/dictd/*.dict.dz")):
        for i, text in enumerate(dictionary(path)):
            file.write(json.dumps({"id": f"{path.name}#{i}", "text": text}) + "\n")
    for path in sorted(packages.glob("manpages*/usr/share/man/man*/*.gz")):
        if not path.is_symlink():
            file.write(json.dumps({"id": path.name, "text": manual(path)}) + "\n")
