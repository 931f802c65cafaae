"""Markdown that people write, rendered and sanitised."""

import pytest

from pilothouse.web.markdown import render


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("It **fails**", "<p>It <strong>fails</strong></p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("# Title", "<h3>Title</h3>\n"),
        ("##### Deep", "<h5>Deep</h5>\n"),
        ("[a](https://example.org)", '<p><a href="https://example.org" rel="noopener noreferrer nofollow">a</a></p>\n'),
    ],
)
def test_what_it_renders(text: str, html: str) -> None:
    assert render(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://evil.example/pixel.png)",
        '<a href="https://example.org" onclick="alert(1)" style="position:fixed">x</a>',
        "<svg/onload=alert(1)>",
        "<iframe src=//evil.example></iframe>",
    ],
)
def test_nothing_that_acts_or_calls_out_comes_through(text: str) -> None:
    html = render(text)
    for word in ("<script", "<img", "<svg", "<iframe", 'href="javascript', 'href="data', "<a onclick", "<a style"):
        assert word not in html
