"""axe on a page, or in a frame."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults

EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = EVERYTHING | {"runOnly": ["color-contrast", "link-in-text-block"]}  # what dark changes
LOOK = "options => axe.run(options).then(({violations}) => ({violations}))"


def is_sound(shown, page=None):
    """Hold a page, or a frame in one, up against axe, in light and in dark."""
    shown.evaluate(AXE_SCRIPT)  # once for both: half a megabyte
    for scheme, options in [("light", EVERYTHING), ("dark", COLOURS)]:
        (page or shown).emulate_media(color_scheme=scheme)
        results = AxeResults(shown.evaluate(LOOK, options))
        assert not results.violations_count, f"in {scheme}: {results.generate_report()}"
