"""Templates are short, and without what the Content-Security-Policy forbids."""

import re
from fnmatch import fnmatch
from pathlib import Path

import cop

FOLDER = Path(cop.__file__).parent / "templates"
TEMPLATES = sorted(FOLDER.rglob("*.html"))
PAGES = [path for path in TEMPLATES if path.parent.name != "email"]  # emails have no style sheet


FORBIDDEN = r"hx-on|hx-boost|hx-push-url|js:|\|\s*safe\b|<style|\bstyle=|(?<![-\w])on\w+="


def offenders(paths, faults_of):
    """Return the faults of each template that has any, by path."""
    found = {str(path.relative_to(FOLDER)): faults_of(path.read_text("utf-8")) for path in paths}
    return {path: faults for path, faults in found.items() if faults}


def test_templates_contain_nothing_that_the_policy_forbids():
    assert PAGES
    assert offenders(PAGES, re.compile(FORBIDDEN).findall) == {}


def test_templates_are_short():
    assert offenders(TEMPLATES, lambda source: max(0, len(source.splitlines()) - 130)) == {}


def test_what_destroys_is_the_last_button_of_its_row():
    def rows_with_buttons_after(source):
        rows = re.findall(r'<p class="[^"]*(?:actions|send)[^"]*">.*?</p>', source, re.DOTALL)
        return [row for row in rows if 'class="' in row.partition("is-destructive")[2]]

    assert offenders(PAGES, rows_with_buttons_after) == {}


def test_what_saving_does_stands_beside_the_fields_with_the_buttons():
    def unpaired(source):
        forms = re.findall(r'class="paired.*?\n *{% endcall %}\n *{% endcall %}', source, re.DOTALL)
        sound = [form for form in forms if "{% call saving(" in form and 'class="send' in form]
        return source.count('class="paired') - len(sound)

    assert offenders(PAGES, unpaired) == {}


def test_a_fragment_says_what_it_needs_and_extends_nothing():
    def is_unsound(source):
        return not source.startswith("{# ") or "{% extends" in source

    fragments = [path for path in TEMPLATES if path.name.startswith("_")]

    assert fragments
    assert offenders(fragments, is_unsound) == {}


def test_no_line_of_a_page_is_over_120_characters():
    def long_lines(source):
        return [line for line in source.splitlines() if len(line) > 120]

    assert offenders(PAGES, long_lines) == {}


def test_every_template_named_exists_and_every_file_is_named():
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    sources = [path.read_text("utf-8") for path in [*FOLDER.parent.rglob("*.py"), *TEMPLATES]]

    quoted = r"""["']((?:[a-z_]+/)?[a-z_{} ]+\.(?:html|txt|xml))["']"""
    found = {name for source in sources for name in re.findall(quoted, source)}
    # What stands in braces in an f-string may be any name: settings/{part}.html.
    names = {re.sub(r"\{.*?\}", "*", name) for name in found} - {"observances.txt"}
    patterns = {name.replace("letter", "email/letter") for name in names}

    assert [name for name in patterns if not any(fnmatch(file, name) for file in files)] == []
    assert [file for file in files if not any(fnmatch(file, name) for name in patterns)] == []
