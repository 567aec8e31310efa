"""axe on a page, or in a frame."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults

# Off by default, since WCAG 2.2 is new, and since axe thinks it experimental.
RULES = {name: {"enabled": True} for name in ("target-size", "label-content-name-mismatch")}
EVERYTHING = {"resultTypes": ["violations"], "rules": RULES}
COLOURS = {
    "resultTypes": ["violations"],
    "runOnly": ["color-contrast", "link-in-text-block"],
}  # what dark changes
LOOK = "options => axe.run(options).then(({violations}) => ({violations}))"


def is_sound(shown, page=None, *, widths=()):
    """Hold a page, or a frame in one, up against axe, in light and in dark, at these widths."""
    page = page or shown
    shown.evaluate(AXE_SCRIPT)  # once for all: half a megabyte
    for width in widths or [None]:
        if width:
            page.set_viewport_size({"width": width, "height": 800})
        for scheme, options in [("light", EVERYTHING), ("dark", COLOURS)]:
            page.emulate_media(color_scheme=scheme)
            results = AxeResults(shown.evaluate(LOOK, options))
            where = f"{page.url} in {scheme}, {width or 'as it is'} wide"
            assert not results.violations_count, f"{where}: {results.generate_report()}"
