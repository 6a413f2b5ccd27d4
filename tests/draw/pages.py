"""Reading an HTML page in a test."""

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "input"}


class Page(HTMLParser):
    """The tags, identifiers, tables and addresses of a page; it fails when tags do not close in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.ids, self.open, self.text = [], [], [], []
        self.tables = {}  # by caption: rows of cells, the header first
        self._caption = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag not in VOID:
            self.open.append(tag)
        if tag == "caption":
            self._caption = ""
        if tag == "thead":
            self.tables[self._caption] = []
        if tag == "tr":
            self.tables[self._caption].append([])
        if tag in ("th", "td"):
            self.tables[self._caption][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if "caption" in self.open:
            self._caption += data
        elif "th" in self.open or "td" in self.open:
            self.tables[self._caption][-1][-1] += data

    def attributes_of(self, wanted):
        """The attributes of every tag of one name."""
        return [attributes for tag, attributes in self.tags if tag == wanted]
