"""A report as a browser sees it, for the tests of reports."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """What a browser would see: tables by id, figures by id, texts, and every address."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.images: dict[str, tuple[str, str]] = {}
        self.captions: dict[str, str] = {}
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self._figure, self._cell = "", 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.addresses += [given[key] for key in ("src", "href", "srcset", "action", "data") if key in given]
        if tag not in ("meta", "img"):
            self.open.append(tag)
        if tag == "figure":
            self._figure = given["id"]
            assert self._figure not in self.captions, f"{self._figure} is there twice"
            self.captions[self._figure] = ""
        elif tag == "img":
            self.images[self._figure] = given["src"], given["alt"]
        elif tag == "table":
            self.tables[self._figure] = []
        elif tag == "tr":
            self.tables[self._figure].append([])
        elif tag in ("td", "th"):
            line = self.tables[self._figure][-1]
            self._cell = len(line)  # text stands in the first of the columns that a cell spans
            line += [""] * int(given.get("colspan", 1))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} is closed out of order"

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[self._figure][-1][self._cell] += data
        if self.open and self.open[-1] == "figcaption":
            self.captions[self._figure] += data


def column(read: Reader, table: str, name: str) -> dict[str, str]:
    """First cell of each line -> cell under this header, which is the last line above the body."""
    lines = read.tables[table]
    header = next(i for i, line in enumerate(lines) if name in line)
    return {line[0]: line[lines[header].index(name)] for line in lines[header + 1 :]}
