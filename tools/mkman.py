#!/usr/bin/env python3
"""Man pages from the pages of docs.

    tools/mkman.py [FOLDER]        default: build/man

docs/copy.md becomes narrows-copy.1, docs/head-tail.md both narrows-head.1 and narrows-tail.1;
narrows.1 is the overview of `narrows --help` with what holds everywhere.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NARROWS = os.environ.get("NARROWS", os.path.join(ROOT, "build", "narrows"))
VERBS = {"copy": ["copy"], "sample": ["sample"], "gen": ["gen"], "head-tail": ["head", "tail"],
         "count": ["count"], "schema": ["schema"], "stats": ["stats"], "inspect": ["inspect"],
         "verify": ["verify"], "recover": ["recover"], "plan": ["plan"]}


def printed(*arguments):
    return subprocess.run([NARROWS, *arguments], check=True, capture_output=True,
                          text=True).stdout


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def inline(text):
    """`code`, **bold** and [links](page.md) of one paragraph."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    parts = re.split(r"`([^`]*)`|\*\*([^*]*)\*\*", text)
    out = ""
    for i in range(0, len(parts), 3):
        out += escape(parts[i])
        if i + 1 < len(parts):
            out += "\\fB" + escape(parts[i + 1] or parts[i + 2] or "") + "\\fR"
    return out


def block(lines):
    return ".PP\n.nf\n.RS 2\n" + escape("\n".join(lines)) + "\n.RE\n.fi\n"


def table(lines):
    rows = [[c.strip() for c in line.strip().strip("|").split("|")] for line in lines]
    rows = [r for r in rows if not all(set(c) <= set("-: ") for c in r)]
    return "".join(f".TP\n{inline(r[0])}\n{inline('  '.join(r[1:]))}\n" for r in rows[1:])


def converted(text):
    """Markdown as these pages use it: headings, paragraphs, lists, fenced blocks, tables."""
    out, lines, i = [], text.split("\n"), 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("```"):
            end = next(k for k in range(i + 1, len(lines)) if lines[k].startswith("```"))
            out.append(block(lines[i + 1:end]))
            i = end + 1
        elif line.startswith("#"):
            out.append(f".SH {line.lstrip('# ').upper()}\n")
            i += 1
        elif line.startswith("|"):
            end = i
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            out.append(table(lines[i:end]))
            i = end
        elif line.strip():
            end = i + 1
            while end < len(lines) and lines[end].strip() and \
                    not lines[end].startswith(("#", "```", "|", "- ")):
                end += 1
            paragraph = " ".join(x.strip() for x in lines[i:end])
            item = paragraph.startswith("- ")
            out.append((".IP \\(bu 2\n" if item else ".PP\n") +
                       inline(paragraph[2:] if item else paragraph) + "\n")
            i = end
        else:
            i += 1
    return "".join(out)


def page(verb, source):
    usage, sentence = printed("help", verb).split("\n")[:2]
    with open(os.path.join(ROOT, "docs", source + ".md"), encoding="utf-8") as f:
        body = f.read().split("\n", 1)[1]
    body, _, _ = body.partition("## Options")
    version = printed("--version").split()[1]
    return (f'.TH NARROWS-{verb.upper()} 1 "" "narrows {version}" "Narrows"\n.SH NAME\n'
            f"narrows\\-{verb} \\- {escape(sentence.rstrip('.'))}\n.SH SYNOPSIS\n"
            f"{escape(usage.removeprefix('Usage: '))}\n.SH DESCRIPTION\n" + converted(body) +
            ".SH OPTIONS\n" + block(printed("help", verb).split("\n")[2:]) +
            ".SH SEE ALSO\n.BR narrows (1)\n")


def overview():
    with open(os.path.join(ROOT, "docs", "README.md"), encoding="utf-8") as f:
        everywhere = f.read().partition("## What holds everywhere")[2]
    with open(os.path.join(ROOT, "docs", "messages.md"), encoding="utf-8") as f:
        messages = f.read().split("\n", 1)[1]
    version = printed("--version").split()[1]
    return (f'.TH NARROWS 1 "" "narrows {version}" "Narrows"\n.SH NAME\n'
            "narrows \\- streams columnar data of any size through a memory limit\n.SH SYNOPSIS\n" +
            block(printed("--help").split("\n")) + ".SH WHAT HOLDS EVERYWHERE\n" +
            converted(everywhere) + ".SH EXIT CODES AND MESSAGES\n" + converted(messages) +
            ".SH SEE ALSO\n" +
            ", ".join(f"\\fBnarrows\\-{v}\\fR(1)" for vs in VERBS.values() for v in vs) + "\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "man")
    os.makedirs(folder, exist_ok=True)
    pages = {"narrows.1": overview()}
    for source, verbs in VERBS.items():
        for verb in verbs:
            pages[f"narrows-{verb}.1"] = page(verb, source)
    for name, text in pages.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
