"""The report as a page: whole, safe, and true to the figures."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from agents.errors import ConfigurationError
from agents.fit.page import page, write_page
from agents.fit.run import Result, run
from tests.fits import HORIZON_DAYS, OPTIONS, sample


@pytest.fixture(scope="module")
def result() -> Result:
    """Of a fit to the CDNOW sample."""
    from agents.fit.datasets import CDNOW_CALIBRATION_END

    return run(sample(), CDNOW_CALIBRATION_END, OPTIONS, lambda *_: None)


def test_it_needs_nothing_else(result: Result) -> None:
    """No script, no link, no image, no font."""
    text = page(sample(), result, HORIZON_DAYS)

    assert not re.search(r"<script|<link|<img|@import|url\(|https?://(?!www\.w3\.org)", text)


def test_its_charts_are_well_formed_and_inside_their_frame(result: Result) -> None:
    """Two curves over three dates, and the tenths of each date."""
    charts = re.findall(r"<svg.*?</svg>", page(sample(), result, HORIZON_DAYS), re.DOTALL)

    assert len(charts) == 2 + 3
    for chart in charts:
        root = ET.fromstring(chart)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        circles = root.findall("circle")
        assert all(0 <= float(c.attrib["cx"]) <= width and 0 <= float(c.attrib["cy"]) <= height for c in circles)
        assert len(root.findall("rect")) == 20 or len(circles) >= 30


def test_it_says_the_figures(result: Result) -> None:
    """Those of the outcomes, for each date and group."""
    text = page(sample(), result, HORIZON_DAYS)

    for outcome in result.outcomes:
        assert f"<td>{outcome.model.auc:.3f}</td><td>{outcome.hiatus_auc:.3f}</td>" in text
    assert text.count("1997-12-29") >= 4
    assert "which the fit had not seen" in text


def test_names_are_text_and_not_markup(result: Result) -> None:
    """A file may be called anything."""
    from dataclasses import replace

    odd = replace(sample(), name="<b>&shop</b>", left_out={"<i>": 3})

    text = page(odd, result, HORIZON_DAYS)

    assert "<b>&shop" not in text
    assert "&lt;b&gt;&amp;shop" in text
    assert "&lt;i&gt;" in text


def test_a_folder_is_made_and_one_that_cannot_be_is_named(result: Result, tmp_path: Path) -> None:
    """The path of the page comes back."""
    path = write_page(tmp_path / "a" / "b", sample(), result, HORIZON_DAYS)
    assert path == tmp_path / "a" / "b" / "report.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")

    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_page(tmp_path / "file", sample(), result, HORIZON_DAYS)
