# SPDX-License-Identifier: ISC
"""The status page as a browser without scripts has it.

page.py links               paths that the page refers to; an error if it has
                            a script or a style of its own
page.py value KEY           the text of the element with this data-key
page.py compare FILE        an error unless FILE, the JSON, has each value of
                            the page, and each list and chart
"""

import html.parser
import json
import sys

VOID = {"meta", "link", "br", "img", "input"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.links, self.values = [], [], []
        self.lists, self.charts, self.rows = set(), set(), {}
        self.found = []  # [depth, key, format, text] of elements not closed

    def close_to(self, depth):
        del self.open[depth:]
        while self.found and self.found[-1][0] > depth:
            _, key, form, text = self.found.pop()
            self.values.append((key, form, text.strip(), self.section()))

    def section(self):
        inner = [list_ for _, list_ in self.open if list_]
        return inner[-1] if inner else None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        for name, value in attrs.items():
            if name.startswith("on") or name == "style":
                sys.exit("the policy forbids the attribute %s" % name)
            if name in ("href", "src"):
                self.links.append(value)
        if tag == "style" or tag == "script" and "src" not in attrs:
            sys.exit("a %s in the page" % tag)
        if tag in VOID:
            return
        # What follows a template in its element are rows of its list.
        if "data-rows" in attrs:
            self.lists.add(attrs["data-rows"])
            parent = self.open[-1][0]
            if parent not in ("tbody", "dl"):
                sys.exit("a list in a %s" % parent)
            self.open[-1] = (parent, attrs["data-rows"])
            self.open.append((tag, "template"))
        else:
            self.open.append((tag, None))
        if "data-chart" in attrs:
            self.charts.add(attrs["data-chart"])
        if "data-key" in attrs and tag != "meter":
            self.found.append([len(self.open), attrs["data-key"],
                attrs.get("data-format"), ""])

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            sys.exit("</%s> in %s" % (tag, self.open))
        self.close_to(len(self.open) - 1)

    def handle_data(self, data):
        for element in self.found:
            element[3] += data


def value_of(values, key):
    for name in key.split("."):
        values = values[name]
    return values


def compare(page, answer):
    status = answer["status"]
    seen = 0
    for key, form, text, section in page.values:
        if section is not None or key.startswith("rate."):
            continue
        want = value_of(status, key)
        if form in (None, "plain") and text.replace("\u202f", "") != str(want):
            sys.exit("%s: %s, not %s" % (key, text, want))
        seen += 1
    workers = [text for key, _, text, section in page.values
        if section == "workers" and key == "pid"]
    if workers != [str(w["pid"]) for w in answer["workers"]]:
        sys.exit("other workers: %s" % workers)
    closed = [text.replace(" ", "_") for key, _, text, section in page.values
        if section == "closed" and key == "name"]
    if closed != list(status["closed"]):
        sys.exit("other reasons: %s" % closed)
    for key in "service", "handler", "version", "connections":
        shown = [text.replace("\u202f", "") for k, _, text, section
            in page.values if section == "services" and k == key]
        if shown != [str(s[key]) for s in status["services"]]:
            sys.exit("services have other values of %s: %s" % (key, shown))
    missing = page.charts - set(answer["samples"])
    if missing or seen < 15 or page.lists != {"samples", "workers",
            "services", "listeners", "closed", "deaths"}:
        sys.exit("not all: %s, %d values, %s" % (missing, seen, page.lists))


def main():
    page = Page()
    text = sys.stdin.read()
    page.feed(text)
    page.close()
    if page.open:
        sys.exit("left open: %s" % page.open)
    if sys.argv[1] == "links":
        print("\n".join(page.links))
    elif sys.argv[1] == "value":
        print(next(text for key, _, text, section in page.values
            if key == sys.argv[2] and section is None).replace("\u00a0", " "))
    else:
        with open(sys.argv[2], encoding="utf-8") as f:
            compare(page, json.load(f))


main()
