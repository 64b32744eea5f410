"""Whether people can read a page."""

from __future__ import annotations

from typing import TypedDict

from playwright.sync_api import Page

_CONTRASTS = """
() => {
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
  const text = [...document.body.querySelectorAll("*")].filter(
    (element) => element.checkVisibility()
      && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
  );
  return text.map((element) => {
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
    return { text: element.textContent, contrast: (a + 0.05) / (b + 0.05) };
  });
}
"""


class Place(TypedDict):
    """A text that is shown, and its contrast to what is behind it."""

    text: str
    contrast: float


def contrasts(page: Page) -> list[Place]:
    """Every text that a page shows. WCAG AA wants a contrast of 4.5 for normal text."""
    return page.evaluate(_CONTRASTS)
