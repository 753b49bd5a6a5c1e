"""Looks up quotes in the files they were taken from, with nothing of the program that took them.

    check.py CHECKS

CHECKS has one JSON object a line: file, page, slide, sheet, rows, heading, quote (absent or null where the format has
no such place). For each of them one JSON object a line goes to stdout: ok, and why not. Only letters and digits
are compared: markup, white space and line-end hyphens are no part of a quote.

Needs Python 3.9 or later without further packages, and pdftotext (poppler) for PDF.
"""

import csv
import email
import email.policy
import functools
import html.parser
import io
import json
import posixpath
import re
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
import zipfile


class Wrong(Exception):
    """What does not stand where it should."""


def letters(text):
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(each for each in folded if each.isalnum())


# ---- A document as lines: (whether it is a heading, its text)


def decode(data):
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


class HtmlLines(html.parser.HTMLParser):
    """Blocks become lines; scripts and styles say nothing."""

    BLOCKS = set("p li tr dt dd div section article header footer nav main aside table caption ul ol pre blockquote title body br".split())
    HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
    SILENT = {"script", "style", "template", "noscript"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.lines, self.text, self.silent, self.heading = [], [], 0, False

    def end_line(self):
        text = "".join(self.text).strip()
        if text:
            self.lines.append((self.heading, text))
        self.text = []

    def handle_starttag(self, tag, attrs):
        if tag in self.SILENT:
            self.silent += 1
        if tag in self.HEADINGS or tag in self.BLOCKS and not self.heading:
            self.end_line()
            self.heading = tag in self.HEADINGS

    def handle_endtag(self, tag):
        if tag in self.SILENT:
            self.silent = max(0, self.silent - 1)
        if tag in self.HEADINGS or tag in self.BLOCKS and not self.heading:
            self.end_line()
            self.heading = False

    def handle_data(self, data):
        if not self.silent:
            self.text.append(data)


def html_lines(text):
    parser = HtmlLines()
    parser.feed(text)
    parser.close()
    parser.end_line()
    return parser.lines


def markdown_lines(text):
    if text.startswith("---\n"):
        text = text.split("\n---\n", 1)[-1]
    lines, fenced = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        plain = re.sub(r"\[\^[^\]]*\]", "", re.sub(r"\]\([^)]*\)", "", line))
        lines.append((not fenced and re.match(r"#{1,6}\s", plain) is not None, plain))
    return lines


def plain_lines(text):
    """A short line alone between blank ones, or underlined, may be a heading."""
    lines = [line.rstrip() for line in text.splitlines()]
    at = lambda place: lines[place].strip() if 0 <= place < len(lines) else ""
    made = []
    for place, line in enumerate(lines):
        underlined = len(at(place + 1)) > 2 and set(at(place + 1)) <= set("=-~")
        alone = at(place - 1) == "" and at(place + 1) == "" and len(line) < 80 and not line.endswith((".", ",", ";", "!"))
        made.append((bool(at(place)) and (underlined or alone), line))
    return made


def local(element):
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def attribute(element, name):
    return next((value for key, value in element.attrib.items() if key.rsplit("}", 1)[-1] == name), None)


def all_text(element, names):
    return "".join(each.text or "" for each in element.iter() if local(each) in names)


def part(archive, name):
    return ElementTree.fromstring(archive.read(name))


def docx_lines(archive):
    names = {}
    for style in part(archive, "word/styles.xml"):
        if local(style) == "style":
            name = next((attribute(each, "val") for each in style if local(each) == "name"), "")
            names[attribute(style, "styleId")] = (name or "").lower()
    lines = []
    for paragraph in part(archive, "word/document.xml").iter():
        if local(paragraph) == "p":
            style = next((attribute(each, "val") for each in paragraph.iter() if local(each) == "pStyle"), "")
            name = names.get(style, "")
            lines.append((name.startswith("heading") or name == "title", all_text(paragraph, {"t"})))
    return lines


def odt_lines(archive):
    lines = []
    for element in part(archive, "content.xml").iter():
        if local(element) in ("h", "p"):
            lines.append((local(element) == "h", "".join(element.itertext())))
    return lines


def epub_lines(archive):
    package = next(attribute(each, "full-path") for each in part(archive, "META-INF/container.xml").iter() if local(each) == "rootfile")
    root = part(archive, package)
    hrefs = {attribute(each, "id"): attribute(each, "href") for each in root.iter() if local(each) == "item"}
    lines = []
    for item in root.iter():
        if local(item) == "itemref":
            name = posixpath.join(posixpath.dirname(package), hrefs[attribute(item, "idref")])
            lines += html_lines(archive.read(name).decode("utf-8"))
    return lines


RTF_TOKEN = re.compile(r"\\([a-z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|[\r\n]+|(.)", re.I | re.S)
RTF_SILENT = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "listtable", "listoverridetable", "header", "footer", "generator", "listtext", "pntext", "filetbl", "revtbl"}


def rtf_lines(text):
    """Headings are paragraphs with an outline level, of their own or of their style."""
    sheet = re.findall(r"{\\s(\d+)((?:\\[a-z]+-?\d*\s?)*)([^{};\\]*);", text)
    is_heading = lambda words, name: re.search(r"\\outlinelevel[0-8]", words) or name.lower().startswith("heading ")
    styles = {number for number, words, name in sheet if is_heading(words, name)}
    lines, out, stack, silent, heading, skip, unicode_skip = [], [], [], False, False, 0, 1
    for word, number, code, symbol, brace, plain in RTF_TOKEN.findall(text):
        if brace == "{":
            stack.append((silent, unicode_skip))
        elif brace == "}":
            silent, unicode_skip = stack.pop() if stack else (False, 1)
        elif symbol == "*" or word in RTF_SILENT:
            silent = True
        elif silent:
            pass
        elif word in ("par", "row", "sect", "page"):
            lines.append((heading, "".join(out)))
            out = []
        elif word == "cell" or word in ("tab", "line"):
            out.append(" ")
        elif word == "pard":
            heading = False
        elif word == "outlinelevel":
            heading = int(number or 9) < 9
        elif word == "s":
            heading = number in styles
        elif word == "uc":
            unicode_skip = int(number or 1)
        elif word == "u":
            out.append(chr(int(number) % 65536))
            skip = unicode_skip
        elif code or plain:
            if skip:
                skip -= 1
            else:
                out.append(bytes([int(code, 16)]).decode("cp1252", "replace") if code else plain)
        elif word in ("lquote", "rquote", "ldblquote", "rdblquote", "endash", "emdash", "bullet"):
            out.append(" ")
    lines.append((heading, "".join(out)))
    return lines


def eml_lines(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    lines = [(True, str(message["subject"]))]
    lines += [(False, f"{name}: {message[name]}") for name in ("from", "to", "cc", "date") if message[name]]
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body else ""
    if body and body.get_content_type() == "text/html":
        return lines + html_lines(text)
    return lines + [(False, line) for line in text.splitlines()]


# ---- Rows of a table file


def csv_rows(data):
    text = decode(data)
    header = text.split("\n", 1)[0]
    return list(csv.reader(io.StringIO(text), delimiter=max(",;\t|", key=header.count)))


def xlsx_rows(archive, sheet):
    relations = {attribute(each, "Id"): attribute(each, "Target") for each in part(archive, "xl/_rels/workbook.xml.rels")}
    sheets = {attribute(each, "name"): attribute(each, "id") for each in part(archive, "xl/workbook.xml").iter() if local(each) == "sheet"}
    if sheet not in sheets:
        raise Wrong(f"there is no sheet {sheet!r}")
    strings = []
    if "xl/sharedStrings.xml" in archive.namelist():
        strings = [all_text(each, {"t"}) for each in part(archive, "xl/sharedStrings.xml")]
    rows = {}
    for row in part(archive, posixpath.join("xl", relations[sheets[sheet]].lstrip("/").removeprefix("xl/"))).iter():
        if local(row) == "row":
            rows[int(attribute(row, "r"))] = [cell_text(cell, strings) for cell in row]
    return [rows.get(number, []) for number in range(1, max(rows, default=0) + 1)]


def cell_text(cell, strings):
    if attribute(cell, "t") == "inlineStr":
        return all_text(cell, {"t"})
    value = all_text(cell, {"v"})
    return strings[int(value)] if attribute(cell, "t") == "s" else value


# ---- Looking up


def quote_lines(quote):
    """The lines of a quote without the marks of lists: a file may number its items itself."""
    lines = [line for line in quote.split("\n") if letters(line)]
    return [re.sub(r"^\s*(-|\d{1,3}\.|[a-zA-Z]\.)\s+", "", line) for line in lines]


def is_row(line):
    return bool(re.search(r"^\s*\|\s|\s\|\s*$", line))


def cells(line):
    return [cell.strip() for cell in re.sub(r"^\s*\|\s|\s\|\s*$", "", line).split(" | ")]


def stands_in(line, texts):
    """In one of the texts, whole; the cells of a row may be apart where a program lays them out in columns."""
    if any(letters(line) in text for text in texts):
        return True
    return is_row(line) and any(all(letters(cell) in text for cell in cells(line)) for text in texts)


def look_in(texts, quote, where):
    for line in quote_lines(quote):
        if not stands_in(line, texts):
            raise Wrong(f"{where} does not say {line!r}")


def sections(lines, heading):
    """The letters of each section under the heading; without one, of the whole document."""
    if heading is None:
        return [letters(" ".join(text for _, text in lines))]
    found, open_section = [], None
    for is_heading, text in lines:
        if is_heading or letters(text) == letters(heading):
            if open_section is not None:
                found.append(letters(open_section))
            open_section = text if letters(text) == letters(heading) else None
        elif open_section is not None:
            open_section += " " + text
    if open_section is not None:
        found.append(letters(open_section))
    if not found:
        raise Wrong(f"there is no heading {heading!r}")
    return found


@functools.lru_cache(maxsize=None)
def pdf_page(path, page):
    """In reading order, as laid out, and as written."""
    texts = []
    for mode in ([], ["-layout"], ["-raw"]):
        told = subprocess.run(["pdftotext", *mode, "-f", str(page), "-l", str(page), path, "-"], capture_output=True, check=False)
        texts.append(letters(told.stdout.decode("utf-8", "replace")))
    return texts


def check_pdf(path, check):
    page = check.get("page")
    if not page:
        raise Wrong("no page is named")
    # A quote begins on its page; a sentence may end on the next one.
    first, rest = (quote_lines(check["quote"]) + [""])[0], quote_lines(check["quote"])[1:]
    look_in(pdf_page(path, page), first, f"page {page}")
    look_in(pdf_page(path, page) + pdf_page(path, page + 1), "\n".join(rest), f"page {page} or {page + 1}")
    heading = check.get("heading")
    if heading and not any(letters(heading) in text for number in range(1, page + 1) for text in pdf_page(path, number)):
        raise Wrong(f"no page up to {page} has the heading {heading!r}")


def check_pptx(path, check):
    slide = check.get("slide")
    if not slide:
        raise Wrong("no slide is named")
    with zipfile.ZipFile(path) as archive:
        relations = {attribute(each, "Id"): attribute(each, "Target") for each in part(archive, "ppt/_rels/presentation.xml.rels")}
        order = [attribute(each, "id") for each in part(archive, "ppt/presentation.xml").iter() if local(each) == "sldId"]
        ids = [next(value for key, value in each.attrib.items() if key.endswith("}id")) for each in part(archive, "ppt/presentation.xml").iter() if local(each) == "sldId"]
        if slide > len(order):
            raise Wrong(f"there is no slide {slide}")
        name = posixpath.normpath(posixpath.join("ppt", relations[ids[slide - 1]]))
        text = all_text(part(archive, name), {"t"})
        notes = f"{posixpath.dirname(name)}/_rels/{posixpath.basename(name)}.rels"
        for relation in part(archive, notes) if notes in archive.namelist() else []:
            if attribute(relation, "Type").endswith("/notesSlide"):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), attribute(relation, "Target")))
                text += " " + all_text(part(archive, target), {"t"})
    look_in([letters(text)], check["quote"], f"slide {slide}")
    if check.get("heading") and letters(check["heading"]) not in letters(text):
        raise Wrong(f"slide {slide} is not called {check['heading']!r}")


def check_rows(rows, check, where):
    """The first line of the quote stands on the named rows, the others on some rows of the same sheet."""
    if not check.get("rows"):
        raise Wrong("no rows are named")
    first, last = check["rows"]
    for number, line in enumerate(quote_lines(check["quote"])):
        among = rows[first - 1:last] if number == 0 else rows
        if not any(is_in_row(line, row) for row in among):
            raise Wrong(f"{where} does not say {line!r} on rows {first} to {last}")


def is_in_row(line, row):
    """Cell by cell, in order: a number may be written with other decimals."""
    own = iter(row)
    return all(any(is_same_cell(cell, each) for each in own) for cell in cells(line) if cell)


def is_same_cell(quoted, own):
    try:
        return float(re.sub(r"[^0-9.,-]", "", quoted).replace(",", ".")) == float(own)
    except ValueError:
        return letters(quoted) == letters(own) or len(letters(quoted)) > 3 and letters(quoted) in letters(own)


def check_lines(lines, check):
    look_in(sections(lines, check.get("heading")), check["quote"], f"the section {check.get('heading')!r}")


def check(wanted):
    path = wanted["file"]
    kind = path.rsplit(".", 1)[-1].lower()
    if kind == "pdf":
        return check_pdf(path, wanted)
    if kind == "pptx":
        return check_pptx(path, wanted)
    if kind == "xlsx":
        with zipfile.ZipFile(path) as archive:
            return check_rows(xlsx_rows(archive, wanted.get("sheet")), wanted, f"sheet {wanted.get('sheet')!r}")
    if kind in ("docx", "odt", "epub"):
        with zipfile.ZipFile(path) as archive:
            return check_lines({"docx": docx_lines, "odt": odt_lines, "epub": epub_lines}[kind](archive), wanted)
    with open(path, "rb") as file:
        data = file.read()
    if kind == "csv":
        return check_rows(csv_rows(data), wanted, "the table")
    if kind == "eml":
        return check_lines(eml_lines(data), wanted)
    readers = {"html": html_lines, "htm": html_lines, "md": markdown_lines, "txt": plain_lines, "rtf": rtf_lines}
    if kind not in readers:
        raise Wrong(f"no independent reader for .{kind}")
    return check_lines(readers[kind](decode(data)), wanted)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            answer = {"ok": True, "why": None}
            try:
                check(json.loads(line))
            except Wrong as wrong:
                answer = {"ok": False, "why": str(wrong)}
            print(json.dumps(answer))


if __name__ == "__main__":
    main()
