#!/bin/sh
# Names at once everything that this computer lacks to build ptpfast, and how to install it.
# Usage: packaging/missing.sh PYTHON CC
python=$1 cc=$2
missing="" debian="" fedora="" arch="" alpine="" brew=""

lacks() { # WHAT DEBIAN FEDORA ARCH ALPINE HOMEBREW
    missing="$missing
  - $1"
    debian="$debian $2" fedora="$fedora $3" arch="$arch $4" alpine="$alpine $5" brew="$brew $6"
}

works=""
if ! command -v "$python" >/dev/null 2>&1; then
    lacks "Python: there is no $python" "python3 python3-venv python3-dev" python3-devel python python3-dev python
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    lacks "Python 3.11 or newer: $python is $("$python" -V 2>&1 | head -n 1); if you have a newer one: make PYTHON=python3.12" \
        "python3.12 python3.12-venv python3.12-dev" python3.12-devel python python3-dev python@3.12
else
    works=yes
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        lacks "the venv module of $python" python3-venv python3-libs python python3 python
fi

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
# CC may have options.
if ! command -v ${cc%% *} >/dev/null 2>&1; then
    lacks "a C compiler: there is no ${cc%% *}" gcc gcc gcc "gcc musl-dev" gcc
elif ! printf '#include <stdio.h>\nint main(void) { return 0; }\n' >"$folder/a.c" ||
    ! $cc -o "$folder/a" "$folder/a.c" >/dev/null 2>&1; then
    lacks "the headers of C: $cc compiles nothing" "gcc libc6-dev" "gcc glibc-devel" "gcc glibc" "gcc musl-dev" gcc
fi
if [ -n "$works" ] && ! "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' >/dev/null 2>&1; then
    lacks "the headers of $python (Python.h)" python3-dev python3-devel python python3-dev python
fi

[ -n "$missing" ] || exit 0
echo "make: ptpfast cannot be built here yet. Missing:$missing" >&2
if [ "$(uname)" = Darwin ]; then
    echo "To install it: xcode-select --install; brew install$brew" >&2
elif command -v apt-get >/dev/null 2>&1; then
    echo "To install it: sudo apt-get install$debian" >&2
elif command -v dnf >/dev/null 2>&1; then
    echo "To install it: sudo dnf install$fedora" >&2
elif command -v pacman >/dev/null 2>&1; then
    echo "To install it: sudo pacman -S$arch" >&2
elif command -v apk >/dev/null 2>&1; then
    echo "To install it: sudo apk add$alpine" >&2
else
    echo "Install it with the package manager of this system, then run make again." >&2
fi
exit 1
