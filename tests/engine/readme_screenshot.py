"""Takes the picture of the README's first screen: `python -m tests.engine.readme_screenshot`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

from tests.engine.stack import ROOT
from tests.simulator.screenshots import chromium, keep

STYLE = """
body { max-width: 830px; margin: 24px auto; font: 16px/1.5 system-ui, sans-serif; color: #1f2328 }
h1, h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: .3em; line-height: 1.25 }
img { max-width: 100% }
pre { background: #f6f8fa; padding: 14px; border-radius: 6px; overflow: hidden }
code { font: 85%/1.45 ui-monospace, monospace; background: #f6f8fa }
a { color: #0969da }
"""
"""Near to how GitHub shows it."""


def main(folder: Path) -> None:
    """Writes readme.png into `folder`."""
    text = (ROOT / "README.md").read_text()
    with tempfile.NamedTemporaryFile("w", suffix=".html") as shown, chromium() as browser:
        shown.write(f'<base href="{ROOT.as_uri()}/"><style>{STYLE}</style>{MarkdownIt().render(text)}')
        shown.flush()
        page = browser.new_page(color_scheme="light", viewport={"width": 900, "height": 1000})
        page.goto(Path(shown.name).as_uri())
        keep(page.screenshot(), folder / "readme.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
