"""Whether people can read a page."""

from __future__ import annotations

from typing import TypedDict

from playwright.sync_api import Page

_MEASURE = """
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/^rgba.*, 0\\)$/.test(colour)) return colour;
    }
  };
  const contrast = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const visible = [...document.body.querySelectorAll("*")].filter((element) => element.checkVisibility());
"""
_TEXTS = f"""() => {{{_MEASURE}
  const text = visible.filter(
    (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
  );
  return text.map((element) => (
    {{ text: element.textContent, contrast: contrast(getComputedStyle(element).color, ground(element)) }}
  ));
}}"""
_EDGES = f"""() => {{{_MEASURE}
  const edged = visible.filter((element) => element.matches("button, select, input, article, table"));
  return edged.map((element) => {{
    const edge = getComputedStyle(element).borderTopColor;
    return {{ text: element.outerHTML, contrast: contrast(edge, ground(element.parentElement)) }};
  }});
}}"""


class Place(TypedDict):
    """A text that is shown, or the HTML of what has an edge, and its contrast to what is behind it."""

    text: str
    contrast: float


def contrasts(page: Page) -> list[Place]:
    """Every text that a page shows. WCAG AA wants a contrast of 4.5 for normal text."""
    return page.evaluate(_TEXTS)


def edges(page: Page) -> list[Place]:
    """The edges of everything on a page that can be used, and of its cards. WCAG AA wants a contrast of 3."""
    return page.evaluate(_EDGES)
